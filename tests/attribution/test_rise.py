import pytest
import torch
import torch.nn.functional as F

import cocoa_widget as cw
from cocoa_widget.attribution.masks import MaskBank
from cocoa_widget.attribution.resample import averaging, shrink, spreading, upsampling
from cocoa_widget.attribution.run import advance
from cocoa_widget.score import LinearScore
from tests.conftest import Convolutional, encoder_of


def direct(encoder, method, x, w, similarity):
    """The definition: encode every masked image, and add the masks up by their scores."""
    baseline = cw.Blur()(x[None])
    masks = method.masks(*x.shape[1:])
    vectors = encoder.encode(masks * x + (1 - masks) * baseline)
    scores = (F.normalize(vectors, dim=1) if similarity == "cosine" else vectors) @ w
    if method.estimator == "centred":
        scores = scores - scores.mean()
    return torch.einsum("n,nhw->hw", scores, masks[:, 0]) / (len(masks) * method.p)


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize("estimator", ["centred", "plain"])
@pytest.mark.parametrize("size", [(32, 32), (45, 30)])
def test_the_operator_is_the_direct_masked_sum(convolutional, inputs, estimator, similarity, size):
    x = F.interpolate(inputs, size)[0]
    method = cw.RISE(n_masks=200, seed=3, estimator=estimator)
    w = torch.randn(16, generator=torch.Generator().manual_seed(4))
    operator = method.start(x, cw.Blur()(x[None])[0])
    while not operator.complete:
        advance(convolutional, [operator], 32)
    found = operator.apply(LinearScore(w[None], similarity))[0]
    expected = direct(convolutional, method, x, w, similarity)
    assert (found - expected).abs().max() <= 1e-4 * expected.abs().max()


def test_the_operator_is_the_direct_masked_sum_on_a_photograph(demo_encoder, photographs):
    x = demo_encoder.stack([photographs.load("cat/1")])[0]
    method = cw.RISE(n_masks=32)
    w = demo_encoder.represent(photographs, ["cat/2"])[0] - demo_encoder.represent(photographs, ["coffee/1"])[0]
    operator = method.start(x, cw.Blur()(x[None])[0])
    while not operator.complete:
        advance(demo_encoder, [operator], 16)
    expected = direct(demo_encoder, method, x, w, "cosine")
    assert (operator.apply(LinearScore(w[None], "cosine"))[0] - expected).abs().max() <= 1e-4 * expected.abs().max()


@pytest.mark.parametrize("size", [(224, 224), (32, 32), (50, 31)])
@pytest.mark.parametrize("balanced", [True, False])
def test_combining_equals_summing_the_masks(size, balanced):
    bank = MaskBank(150, 7, 0.5, balanced, 0, *size, torch.device("cpu"))
    weights = torch.randn(3, 150, generator=torch.Generator().manual_seed(0))
    expected = torch.einsum("kn,nhw->khw", weights, bank.masks(0, 150)[:, 0])
    torch.testing.assert_close(bank.combine(weights, size), expected, atol=2e-4, rtol=1e-4)
    small = (size[0] // 3, size[1] // 2)
    torch.testing.assert_close(bank.combine(weights, small), shrink(expected, small), atol=2e-4, rtol=1e-4)


def test_masks_are_those_of_the_paper():
    masks = cw.RISE(n_masks=4000, estimator="plain").masks(56, 56)
    assert masks.shape == (4000, 1, 56, 56)
    assert masks.min() >= 0
    assert masks.max() <= 1
    assert masks.mean().item() == pytest.approx(0.5, abs=0.01)
    # Independent cells: the masks' means spread, which balanced ones' hardly do.
    balanced = cw.RISE(n_masks=4000).masks(56, 56)
    assert balanced.mean().item() == pytest.approx(0.5, abs=0.01)
    assert balanced.mean((1, 2, 3)).std() < 0.5 * masks.mean((1, 2, 3)).std()


def test_balanced_grids_keep_exactly_their_share():
    for p in (0.5, 0.3):
        grids = MaskBank(100, 7, p, True, 0, 32, 32, torch.device("cpu")).grids
        kept = grids.sum((1, 2))
        assert set(kept.tolist()) <= {float(int(49 * p)), float(int(49 * p) + 1)}
        assert kept.sum().item() == pytest.approx(100 * 49 * p, abs=1)


def test_the_seed_decides():
    assert torch.equal(cw.RISE(seed=5).masks(32, 32), cw.RISE(seed=5).masks(32, 32))
    assert not torch.equal(cw.RISE(seed=5).masks(32, 32), cw.RISE(seed=6).masks(32, 32))


def test_the_slices_do_not_change_the_result(inputs, corpus):
    maps = []
    for size in (1, 7, 64):
        encoder = encoder_of(Convolutional(), batch_size=size)
        maps.append(cw.Explainer(encoder, cw.RISE(n_masks=100)).explain(inputs, corpus=corpus).heatmaps)
    assert abs(maps[0] - maps[1]).max() <= 1e-5 * abs(maps[0]).max()
    assert abs(maps[0] - maps[2]).max() <= 1e-5 * abs(maps[0]).max()


def test_half_prepared_is_what_the_first_masks_give(convolutional, inputs):
    x = inputs[0]
    baseline = cw.Blur()(x[None])[0]
    operator = cw.RISE(n_masks=200, estimator="plain").start(x, baseline)
    advance(convolutional, [operator], 64)
    assert operator.done == 64
    assert operator.presentable
    assert not operator.complete
    w = torch.randn(1, 16, generator=torch.Generator().manual_seed(0))
    masks = cw.RISE(n_masks=200, estimator="plain").masks(32, 32)[:64]
    scores = F.normalize(convolutional.encode(masks * x + (1 - masks) * baseline), dim=1) @ w[0]
    expected = torch.einsum("n,nhw->hw", scores, masks[:, 0]) / 32
    torch.testing.assert_close(operator.apply(LinearScore(w, "cosine"))[0], expected, atol=1e-5, rtol=1e-4)


def test_centring_finds_the_picture_from_few_masks(demo_encoder, photographs):
    """What the default is for: close to the converged map, where plain RISE is still noise."""
    x = demo_encoder.stack([photographs.load("cat/1")])
    w = {
        "corpus": demo_encoder.represent(photographs, ["cat/2"]),
        "foil": demo_encoder.represent(photographs, ["coffee/1"]),
    }

    def explain(**settings):
        explainer = cw.Explainer(demo_encoder, cw.RISE(**settings))
        return torch.tensor(explainer.prepare(x, progress=False).explain(**w).heatmaps[0]).flatten()

    def correlation(a, b):
        return torch.corrcoef(torch.stack([a, b]))[0, 1].item()

    reference = explain(n_masks=384, seed=99)
    centred = correlation(explain(n_masks=64), reference)
    plain = correlation(explain(n_masks=64, estimator="plain"), reference)
    assert centred > 0.5
    assert centred > plain + 0.2


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"n_masks": 1}, "n_masks of at least 2"),
        ({"grid": 0}, "grid of at least 1"),
        ({"p": 1.0}, "p between 0 and 1"),
        ({"estimator": "best"}, "'centred' or 'plain'"),
    ],
)
def test_bad_settings_are_named(settings, says):
    with pytest.raises(ValueError, match=says):
        cw.RISE(**settings)


def test_resampling_matrices_keep_what_they_promise():
    device = torch.device("cpu")
    assert torch.allclose(upsampling(7, 224, device).sum(1), torch.ones(224))
    assert torch.allclose(spreading(7, 100, device).sum(0), torch.ones(7))
    assert torch.allclose(spreading(7, 224, device) * 32, upsampling(7, 224, device), atol=1e-5)
    assert torch.allclose(averaging(224, 97, device).sum(1), torch.ones(97))
    assert torch.allclose(averaging(224, 97, device).mean(0) * 224, torch.ones(224), atol=1e-4)
