import pytest
import torch
import torch.nn.functional as F

from cocoa_widget.contrast.direction import NothingToExplain
from cocoa_widget.contrast.score import GaussianScore, LinearScore, score_of


@pytest.fixture
def vectors():
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(n, 8, generator=generator) for n in (5, 4, 3)]


def similarity(x, members):
    """S, written out."""
    return torch.exp(-((x[:, None] - members[None]) ** 2).sum(2) / (2 * x.shape[1])).mean(1)


@pytest.mark.parametrize("kind", ["cosine", "dot"])
def test_linear_scores_are_products_with_directions(vectors, kind):
    x, w, _ = vectors
    found = LinearScore(w, kind)(x)
    assert found.shape == (4, 5)
    compared = F.normalize(x, dim=1) if kind == "cosine" else x
    for i, direction in enumerate(w):
        torch.testing.assert_close(found[i], (compared * direction).sum(1))


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("contrastive_corpus", lambda x, c, v: similarity(x, c) / (similarity(x, c) + similarity(x, v))),
        ("corpus", lambda x, c, v: similarity(x, c)),
        ("label_free", lambda x, c, v: torch.ones(len(x))),
        ("contrastive_label_free", lambda x, c, v: 1 / (1 + similarity(x, v))),
    ],
)
def test_gaussian_scores_are_those_of_the_authors(vectors, target, expected):
    x, c, v = vectors
    found = score_of(target, "gaussian", corpus=c, foil=v, explicands=x)
    values = torch.stack([score(own[None])[0, 0] for score, own in zip(found, x, strict=True)])
    torch.testing.assert_close(values, expected(x, c, v))


def test_gaussian_scores_with_one_bin(vectors):
    x, c, v = vectors
    torch.testing.assert_close(GaussianScore(c, None)(x)[0], similarity(x, c))
    torch.testing.assert_close(GaussianScore(None, v)(x)[0], -similarity(x, v))
    with pytest.raises(NothingToExplain):
        score_of("contrastive_corpus", "gaussian", corpus=None, foil=None, explicands=x)


def test_the_ratio_survives_where_both_similarities_vanish():
    far = torch.full((1, 8), 200.0)
    corpus, foil = torch.zeros(1, 8), torch.full((1, 8), -1.0)
    assert GaussianScore(corpus, foil)(far)[0, 0].item() == pytest.approx(1.0)
    assert GaussianScore(foil, corpus)(far)[0, 0].item() == pytest.approx(0.0, abs=1e-6)


def test_swapped_bins_add_up_to_one(vectors):
    x, c, v = vectors
    torch.testing.assert_close(GaussianScore(c, v)(x) + GaussianScore(v, c)(x), torch.ones(1, 5))


def test_weights_are_how_often_a_member_counts(vectors):
    x, c, _ = vectors
    weights = torch.tensor([[0.5, 0.5, 0, 0], [0, 0, 0, 1.0]])
    found = GaussianScore(c, None, weights)
    assert found.k == 2
    torch.testing.assert_close(found(x)[0], similarity(x, c[:2]))
    torch.testing.assert_close(found(x)[1], similarity(x, c[3:]))


@pytest.mark.parametrize("score", ["cosine", "dot", "gaussian"])
def test_slopes_tell_what_features_add(vectors, score):
    x, c, v = vectors
    made = score_of("contrastive_corpus", score, corpus=c, foil=v, explicands=x)[0]
    with torch.inference_mode():
        slopes = made.slopes(x[0])
    if score != "gaussian":
        torch.testing.assert_close(slopes @ x[0], made(x[:1])[:, 0])
        return
    step = 1e-3 * torch.randn(8, generator=torch.Generator().manual_seed(1))
    rise = made((x[0] + step)[None]) - made((x[0] - step)[None])
    assert rise.item() == pytest.approx(2 * (slopes[0] @ step).item(), rel=1e-2)


def test_gradients_are_finite_where_the_explicand_is_a_member(vectors):
    x, _, v = vectors
    leaf = x[0].clone().requires_grad_()
    GaussianScore(x[:1].clone(), v)(leaf[None]).sum().backward()
    assert torch.isfinite(leaf.grad).all()


@pytest.mark.parametrize("score", ["cosine", "gaussian"])
def test_a_representation_of_zeros_has_a_score(vectors, score):
    _, c, v = vectors
    made = score_of("contrastive_corpus", score, corpus=c, foil=v, explicands=torch.zeros(1, 8))[0]
    assert torch.isfinite(made(torch.zeros(1, 8))).all()
    assert torch.isfinite(made.slopes(torch.zeros(8))).all()
