from functools import lru_cache

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import cocoa_widget as cw
from cocoa_widget.attribution.batches import advance
from cocoa_widget.attribution.masks import MaskBank, cell_size
from cocoa_widget.attribution.resample import shrink
from cocoa_widget.contrast.score import LinearScore
from tests.conftest import Convolutional, encoder_of


def direct(encoder, method, x, w, similarity):
    """Compute the heatmap by its definition: encode every masked image, and use masks of full size."""
    baseline = cw.Blur()(x[None])
    masks = method.masks(*x.shape[1:])
    vectors = encoder.encode(masks * x + (1 - masks) * baseline)
    scores = (F.normalize(vectors, dim=1) if similarity == "cosine" else vectors) @ w
    if method.estimator == "plain":
        return torch.einsum("n,nhw->hw", scores, masks[:, 0]) / (len(masks) * method.p)
    observed = (scores[0::2] - scores[1::2]) / 2
    coarse = shrink(masks[0::2, 0], (10, 10)).flatten(1) - method.p
    ridge = 0.2 * coarse.square().sum(1).mean() * torch.eye(100)
    beta = torch.linalg.solve(coarse.T @ coarse + ridge, coarse.T @ observed)
    return (covariance(method, x.shape[1:]) @ beta).reshape(x.shape[1:]) / method.p


@lru_cache
def covariance(method, size):
    """Return Cov(mask, coarse mask) by a sum over all shifts and cells, which are independent."""
    height, width = size
    g, (tall, wide) = method.grid, cell_size(method.grid, *size)
    shifts = (torch.arange(tall).repeat_interleave(wide), torch.arange(wide).repeat(tall))
    total = torch.zeros(height * width, 100)
    for a in range(g):
        for b in range(g):
            grids = torch.zeros(tall * wide, g, g)
            grids[:, a, b] = 1
            bank = MaskBank(grids, shifts, height, width)
            total += bank.masks(0, len(grids))[:, 0].flatten(1).T @ bank.small((10, 10)).flatten(1)
    return method.p * (1 - method.p) * total / (tall * wide)


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize("estimator", ["regression", "plain"])
@pytest.mark.parametrize("size", [(32, 32), (45, 30)])
def test_the_operator_is_the_direct_computation(convolutional, inputs, estimator, similarity, size):
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
    method = cw.RISE(n_masks=32, estimator="plain")
    w = demo_encoder.represent(photographs, ["cat/2"])[0] - demo_encoder.represent(photographs, ["coffee/1"])[0]
    operator = method.start(x, cw.Blur()(x[None])[0])
    while not operator.complete:
        advance(demo_encoder, [operator], 16)
    expected = direct(demo_encoder, method, x, w, "cosine")
    assert (operator.apply(LinearScore(w[None], "cosine"))[0] - expected).abs().max() <= 1e-4 * expected.abs().max()


def test_masks_are_those_of_the_paper():
    masks = cw.RISE(n_masks=4000, estimator="plain").masks(56, 56)
    assert masks.shape == (4000, 1, 56, 56)
    assert masks.min() >= 0
    assert masks.max() <= 1
    assert masks.mean().item() == pytest.approx(0.5, abs=0.01)
    # The means of masks with independent cells vary; those of balanced masks hardly do.
    balanced = cw.RISE(n_masks=4000).masks(56, 56)
    assert balanced.mean().item() == pytest.approx(0.5, abs=0.01)
    assert balanced.mean((1, 2, 3)).std() < 0.5 * masks.mean((1, 2, 3)).std()


def test_fewer_masks_are_the_first_of_more():
    torch.testing.assert_close(cw.RISE(n_masks=100).masks(40, 40), cw.RISE(n_masks=300).masks(40, 40)[:100])


def test_the_seed_decides():
    assert torch.equal(cw.RISE(seed=5).masks(32, 32), cw.RISE(seed=5).masks(32, 32))
    assert not torch.equal(cw.RISE(seed=5).masks(32, 32), cw.RISE(seed=6).masks(32, 32))


def test_the_slices_do_not_change_the_result(inputs, corpus):
    maps = []
    for size in (1, 7, 64):
        encoder = encoder_of(Convolutional(), batch_size=size)
        maps.append(cw.Explainer(encoder, cw.RISE(n_masks=100)).explain(inputs, corpus=corpus).heatmaps)
    # The encoder is not exact, so an entry can be rounded to another of the 16-bit steps that are kept.
    assert abs(maps[0] - maps[1]).max() <= 5e-5 * abs(maps[0]).max()
    assert abs(maps[0] - maps[2]).max() <= 5e-5 * abs(maps[0]).max()


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


@pytest.mark.parametrize("estimator", ["regression", "plain"])
def test_standard_errors_match_the_errors_of_seeds(convolutional, inputs, estimator):
    x, bins = inputs[:1], {"corpus": inputs[1:2], "foil": inputs[2:]}

    def explain(seed, n=64):
        method = cw.RISE(n_masks=n, seed=seed, estimator=estimator)
        return cw.Explainer(convolutional, method).explain(x, **bins)

    found = [explain(seed) for seed in range(12)]
    truth = np.mean([explain(seed, 4000).heatmaps[0] for seed in (100, 101)], axis=0)

    def centred(heatmap):  # the regression's errors leave out a common offset
        return heatmap - heatmap.mean() if estimator == "regression" else heatmap

    off = np.sqrt(np.mean([(centred(f.heatmaps[0]) - centred(truth)) ** 2 for f in found]))
    said = np.sqrt(np.mean([f.errors[0] ** 2 for f in found]))
    assert found[0].errors.shape == (1, 32, 32)
    assert said == pytest.approx(off, rel=0.4)


def test_standard_errors_shrink_with_masks(convolutional, inputs):
    few, many = (cw.Explainer(convolutional, cw.RISE(n_masks=n)).explain(inputs, corpus=inputs) for n in (64, 1024))
    assert many.errors.mean() < 0.5 * few.errors.mean()
    assert many.errors.min() >= 0


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"n_masks": 1}, "n_masks of at least 2"),
        ({"grid": 0}, "grid of at least 1"),
        ({"p": 1.0}, "p between 0 and 1"),
        ({"estimator": "best"}, "'regression' or 'plain'"),
    ],
)
def test_bad_settings_are_named(settings, says):
    with pytest.raises(ValueError, match=says):
        cw.RISE(**settings)
