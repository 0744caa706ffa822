import pytest
import torch
import torch.nn.functional as F

from cocoa_widget.contrast.direction import (
    TARGETS,
    NothingToExplain,
    check_bins,
    check_similarity,
    check_target,
    directions,
)
from cocoa_widget.contrast.score import LinearScore


@pytest.fixture
def vectors():
    generator = torch.Generator().manual_seed(0)
    return tuple(torch.randn(n, 8, generator=generator) for n in (3, 4, 5))


def similarity_of(a, b, name):
    return F.cosine_similarity(a, b, dim=-1) if name == "cosine" else (a * b).sum(-1)


def pairwise(target, x, explicands, corpus, foil, name):
    """The paper's definitions, one pair at a time."""
    own = similarity_of(x, explicands, name)
    to_corpus = similarity_of(x[:, None], corpus[None], name).mean(1)
    to_foil = similarity_of(x[:, None], foil[None], name).mean(1)
    return {
        "contrastive_corpus": to_corpus - to_foil,
        "corpus": to_corpus,
        "label_free": own,
        "contrastive_label_free": own - to_foil,
    }[target]


def mean(vectors, similarity):
    return (F.normalize(vectors, dim=1) if similarity == "cosine" else vectors).mean(0)


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize("target", ["contrastive_corpus", "corpus", "label_free", "contrastive_label_free"])
def test_one_vector_stands_for_all_pairs(vectors, target, similarity):
    explicands, corpus, foil = vectors
    w = directions(
        target, similarity, corpus=mean(corpus, similarity), foil=mean(foil, similarity), explicands=explicands
    )
    perturbed = explicands + torch.randn(3, 8, generator=torch.Generator().manual_seed(9))
    expected = pairwise(target, perturbed, explicands, corpus, foil, similarity)
    torch.testing.assert_close(LinearScore(w, similarity)(perturbed).diagonal(), expected)


@pytest.mark.parametrize(
    ("target", "used"),
    [
        ("contrastive_corpus", ("corpus", "foil")),
        ("corpus", ("corpus", None)),
        ("label_free", (None, None)),
        ("contrastive_label_free", (None, "foil")),
    ],
)
def test_each_target_uses_its_bins(target, used):
    assert TARGETS[target].used("corpus", "foil") == used


def test_means_of_resampled_bins_give_a_direction_each(vectors):
    explicands, corpus, foil = vectors
    own = explicands[:1]
    w = directions("contrastive_label_free", "dot", corpus=corpus, foil=foil, explicands=own)
    torch.testing.assert_close(w, own - foil)


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_swapping_the_bins_negates(vectors, similarity):
    explicands, corpus, foil = vectors
    c, v = mean(corpus, similarity), mean(foil, similarity)
    there = directions("contrastive_corpus", similarity, corpus=c, foil=v, explicands=explicands)
    back = directions("contrastive_corpus", similarity, corpus=v, foil=c, explicands=explicands)
    assert torch.equal(there, -back)
    same = directions("contrastive_corpus", similarity, corpus=c, foil=c, explicands=explicands)
    assert not same.any()


def test_an_empty_bin_leaves_its_term_out(vectors):
    explicands, corpus, _ = vectors
    c = mean(corpus, "cosine")
    w = directions("contrastive_corpus", "cosine", corpus=c, foil=None, explicands=explicands)
    assert torch.equal(w, c.expand(3, 8))


@pytest.mark.parametrize(
    ("target", "corpus", "foil", "says"),
    [
        ("contrastive_corpus", False, False, "corpus, the foil, or both"),
        ("corpus", False, True, "into the corpus"),
    ],
)
def test_nothing_to_explain_says_what_to_add(target, corpus, foil, says):
    with pytest.raises(NothingToExplain, match=says):
        check_bins(target, corpus=corpus, foil=foil)


def test_unknown_names_list_the_known():
    with pytest.raises(ValueError, match=r"'nearest'.*contrastive_corpus, corpus, label_free"):
        check_target("nearest")
    with pytest.raises(ValueError, match=r"'euclid'.*cosine, dot"):
        check_similarity("euclid")
