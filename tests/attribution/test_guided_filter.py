"""The guided filter against its definition, window by window, and operators that end with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

import cocoa_widget as cw
from cocoa_widget.attribution import batches
from cocoa_widget.attribution.guided_filter import GuidedFilter, GuidedOperator, colours, edges_of, resize, window_means
from cocoa_widget.attribution.resample import enlarge, shrink
from cocoa_widget.contrast import GaussianScore, LinearScore
from tests.attribution.methods import LINEAR, method_of
from tests.conftest import Linear, encoder_of

GENERATOR = torch.Generator().manual_seed(0)
GUIDE = torch.randint(256, (3, 13, 9), generator=GENERATOR) / 255
MAPS = torch.randn(2, 13, 9, generator=GENERATOR)


def by_definition(guide: Tensor, heatmap: Tensor, radius: int, epsilon: float) -> Tensor:
    """He, Sun & Tang: a ridge regression on the guide's colours in each window, and the mean of what they say."""
    guide, heatmap = guide.double(), heatmap.double()
    channels, height, width = guide.shape
    total, count = torch.zeros_like(heatmap), torch.zeros_like(heatmap)
    for i in range(height):
        for j in range(width):
            rows = slice(max(0, i - radius), i + radius + 1)
            columns = slice(max(0, j - radius), j + radius + 1)
            x, y = guide[:, rows, columns].flatten(1), heatmap[rows, columns].flatten()
            away = x - x.mean(1, keepdim=True)
            matrix = away @ away.T / len(y) + epsilon * torch.eye(channels, dtype=torch.float64)
            slope = torch.linalg.solve(matrix, away @ (y - y.mean()) / len(y))
            fitted = slope @ x + y.mean() - slope @ x.mean(1)
            total[rows, columns] += fitted.reshape(total[rows, columns].shape)
            count[rows, columns] += 1
    return total / count


@pytest.mark.parametrize("radius", [1, 3, 20])
@pytest.mark.parametrize("epsilon", [3e-4, 1e-1])
def test_it_is_the_mean_of_regressions_in_windows(radius: int, epsilon: float) -> None:
    found = GuidedFilter(GUIDE, radius, epsilon).apply(MAPS)
    expected = torch.stack([by_definition(GUIDE, heatmap, radius, epsilon) for heatmap in MAPS])
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=2e-5 * float(expected.abs().max()))


def test_it_is_linear_and_keeps_constants() -> None:
    guided = GuidedFilter(GUIDE, 2)
    a, b = MAPS
    torch.testing.assert_close(guided.apply(a - 3 * b), guided.apply(a) - 3 * guided.apply(b), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(guided.apply(torch.full((13, 9), 2.5)), torch.full((13, 9), 2.5))


def test_maps_of_any_number_of_dimensions_are_filtered_alike() -> None:
    guided = GuidedFilter(GUIDE, 2)
    torch.testing.assert_close(guided.apply(MAPS[:, None])[:, 0], guided.apply(MAPS))
    torch.testing.assert_close(guided.apply(MAPS[0]), guided.apply(MAPS)[0])


def test_a_constant_guide_gives_means_of_means() -> None:
    rows, columns = window_means(13, 2, torch.device("cpu")), window_means(9, 2, torch.device("cpu"))
    expected = rows @ rows @ MAPS @ columns.T @ columns.T
    torch.testing.assert_close(GuidedFilter(torch.full((3, 13, 9), 0.7), 2).apply(MAPS), expected)


def test_a_grey_picture_is_filtered_as_its_grey() -> None:
    """Three equal channels share the slope, so that each is shrunk by a third of the variance."""
    grey = GUIDE[:1]
    three, one = GuidedFilter(grey.expand(3, -1, -1), 2, 3e-3), GuidedFilter(grey, 2, 1e-3)
    torch.testing.assert_close(three.apply(MAPS), one.apply(MAPS), rtol=1e-4, atol=1e-4)


def test_a_blurred_heatmap_gets_the_edge_of_its_guide() -> None:
    guide = torch.zeros(3, 20, 20)
    guide[:, :, 10:] = 1
    blurred = torch.sigmoid((torch.arange(20.0) - 9.5) / 3).expand(20, 20)
    found = GuidedFilter(guide, 4).apply(blurred)
    assert float((blurred[:, 10] - blurred[:, 9]).mean()) < 0.1
    assert float((found[:, 10] - found[:, 9]).mean()) > 0.3


def test_colours_undo_the_normalisation() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    encoder = encoder_of(Linear())
    explicand = encoder.stack([Image.fromarray(pixels)])[0]
    expected = torch.from_numpy(pixels).permute(2, 0, 1) / 255
    torch.testing.assert_close(colours(encoder, explicand), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("explicand", [torch.randn(3, 32, 32, generator=GENERATOR), torch.ones(3, 32, 32)])
def test_colours_without_a_known_normalisation_lie_between_the_extremes(explicand: Tensor) -> None:
    encoder = encoder_of(Linear(), preprocess=lambda picture: torch.zeros(3, 32, 32))
    found = colours(encoder, explicand)
    assert float(found.min()) >= 0
    assert float(found.max()) <= 1
    expected = explicand - explicand.min()
    torch.testing.assert_close(found * (explicand.max() - explicand.min()), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("size", "expected", "radius"), [((300, 150), (112, 56), 10), ((32, 32), (32, 32), 3), ((5, 9), (5, 9), 1)]
)
def test_the_guide_keeps_the_proportions(size: tuple[int, int], expected: tuple[int, int], radius: int) -> None:
    encoder = encoder_of(Linear())
    explicand = torch.rand(3, *size, generator=GENERATOR)
    guided = edges_of(encoder, explicand)
    assert guided.size == expected
    heatmap = torch.randn(expected, generator=GENERATOR)
    same = GuidedFilter(shrink(colours(encoder, explicand), expected), radius)
    torch.testing.assert_close(guided.apply(heatmap), same.apply(heatmap))


@pytest.mark.parametrize("name", [name for name in LINEAR if name != "random"])
def test_every_linear_method_can_follow_edges(convolutional, inputs, name: str) -> None:
    method, x = replace(method_of(name), follow_edges=True), inputs[0]
    baseline = cw.Blur()(x[None])[0]
    operator, plain = batches.start(convolutional, method, x, baseline), method.start(x, baseline)
    assert isinstance(operator, GuidedOperator)
    for each in (operator, plain):
        while not each.complete:
            batches.advance(convolutional, [each], 16)
    assert (operator.total, operator.done, operator.progress) == (plain.total, plain.done, 1)
    assert operator.nbytes > plain.nbytes
    score = LinearScore(torch.randn(2, 16, generator=torch.Generator().manual_seed(1)), "cosine")
    expected = edges_of(convolutional, x).apply(plain.apply(score))  # the guide is as large as the explicand
    torch.testing.assert_close(operator.apply(score), expected, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(operator.apply(score, (16, 16)), shrink(expected, (16, 16)), rtol=1e-4, atol=1e-6)
    assert operator.error(score) is None
    spread, coefficients = operator.spread, operator.coefficients
    assert spread.k == len(coefficients)
    assert operator.grid == plain.grid
    assert spread.full == (32, 32)
    torch.testing.assert_close(spread.maps(score.directions @ coefficients.T), expected, rtol=1e-4, atol=1e-6)


def test_large_explicands_are_filtered_small_and_enlarged(convolutional) -> None:
    x = torch.rand(3, 150, 300, generator=GENERATOR)
    prepared = cw.Explainer(convolutional, cw.CAM(follow_edges=True)).prepare(x[None])
    plain = cw.Explainer(convolutional, cw.CAM()).prepare(x[None])
    score = LinearScore(torch.randn(1, 16, generator=GENERATOR), "cosine")
    filtered = edges_of(convolutional, x).apply(plain.operators[0].apply(score, (56, 112)))
    expected = torch.nn.functional.interpolate(filtered[None], (150, 300), mode="bilinear", align_corners=False)[0]
    torch.testing.assert_close(prepared.operators[0].apply(score), expected, rtol=1e-4, atol=1e-7)
    torch.testing.assert_close(enlarge(filtered, (150, 300), None), expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("size", [(56, 112), (28, 56), (20, 40), (10, 56)])
def test_heatmaps_up_to_the_guides_size_are_averages_of_the_filtered_one(size: tuple[int, int]) -> None:
    filtered = torch.randn(2, 56, 112, generator=GENERATOR)
    torch.testing.assert_close(resize(filtered, (150, 300), size), shrink(filtered, size))


def test_heatmaps_larger_than_the_guide_are_enlarged() -> None:
    filtered = torch.randn(2, 56, 112, generator=GENERATOR)
    for size in (None, (75, 150), (150, 300), (400, 800)):
        torch.testing.assert_close(resize(filtered, (150, 300), size), enlarge(filtered, (150, 300), size))


def test_the_guide_has_8_bits() -> None:
    one, other = GuidedFilter(GUIDE, 2), GuidedFilter(GUIDE + 0.4 / 255, 2)
    assert one.pixels.dtype == torch.uint8
    torch.testing.assert_close(one.pixels / 255, GUIDE)
    assert torch.equal(one.apply(MAPS), other.apply(MAPS))


def test_methods_follow_edges_on_request_only(convolutional, inputs) -> None:
    for name in LINEAR:
        method = cw.METHODS[name]()
        assert method.follow_edges == (name == "sharp")
        operator = batches.start(convolutional, method, inputs[0], inputs[0])
        assert isinstance(operator, GuidedOperator) == (name == "sharp")


@pytest.mark.parametrize("method", [cw.RISE(n_masks=64), cw.KernelSHAP(superpixels=4, n_samples=60)], ids=str)
def test_what_is_kept_of_the_inner_operator_is_filtered(convolutional, inputs, corpus, method) -> None:
    method, x, guided = replace(method, follow_edges=True), inputs[0], edges_of(convolutional, inputs[0])
    operator, inner = batches.start(convolutional, method, x, x * 0), method.start(x, x * 0)
    assert not operator.supports("gaussian")
    for each in (operator, inner):
        each.keep_answers()
        assert each.without_answers() is each  # they are needed for the next passes
        assert each.stored() is None
        while not each.complete:
            batches.advance(convolutional, [each], 16)
    score = LinearScore(torch.randn(2, 16, generator=torch.Generator().manual_seed(1)), "cosine")
    gaussian = GaussianScore(convolutional.encode(corpus), None)
    assert operator.supports("gaussian")
    torch.testing.assert_close(operator.apply(gaussian), guided.apply(inner.apply(gaussian)))
    torch.testing.assert_close(operator.values(score), inner.values(score))
    smaller, stored = operator.without_answers(), operator.stored()
    assert not smaller.supports("gaussian")
    assert operator.nbytes - smaller.nbytes == inner.nbytes - inner.without_answers().nbytes > 0
    assert smaller.without_answers() is smaller
    for other in (smaller, stored):
        torch.testing.assert_close(other.apply(score), guided.apply(inner.apply(score)), rtol=1e-4, atol=1e-7)
    assert {len(each.steps) for each in stored.kept.values()} == {inner.spread.k}  # without the sketch for errors
    assert stored.error(score) is None
