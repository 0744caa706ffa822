"""Sharp CAM against its definition, and encoders that take inputs of one size only."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import cocoa_widget as cw
from cocoa_widget.attribution import GuidedSpread
from cocoa_widget.attribution.batches import advance, start
from cocoa_widget.attribution.sharp import LARGEST, SharpCAMOperator
from cocoa_widget.contrast import GaussianScore, LinearScore
from cocoa_widget.encoders import Encoded
from cocoa_widget.evaluation import average_precision, hits
from tests.attribution.test_patch_tokens import Transformer
from tests.conftest import Convolutional, encoder_of

PLAIN = cw.SharpCAM(follow_edges=False)
WEIGHTS = torch.randn(2, 16, generator=torch.Generator().manual_seed(0))


def prepared(encoder: cw.Encoder, explicand: Tensor, method: cw.SharpCAM = PLAIN) -> SharpCAMOperator:
    operator = method.start(explicand, explicand)
    while not operator.complete:
        advance(encoder, [operator], 8)
    return operator


def features(encoder: cw.Encoder, explicand: Tensor, size: tuple[int, int]) -> Tensor:
    enlarged = F.interpolate(explicand[None], size, mode="bicubic", align_corners=False)
    return encoder.forward(enlarged, features="pooled").features


def on_grid(maps: list[Tensor], grid: tuple[int, int] = (28, 28)) -> Tensor:
    """The mean of feature maps (1, d, h, w) on a grid, less its own mean over the cells: (cells, d)."""
    resized = [F.interpolate(each, grid, mode="bilinear", align_corners=False)[0] for each in maps]
    cells = torch.stack(resized).mean(0).flatten(1).T
    return (cells - cells.mean(0)) / len(cells)


def plain(encoder: cw.Encoder, explicand: Tensor) -> Tensor:
    """The explicand's own feature map on the grid of 28 × 28 cells."""
    return on_grid([encoder.forward(explicand[None], features="pooled").features])


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_it_is_the_mean_of_the_feature_maps_of_enlarged_explicands(convolutional, inputs, similarity: str) -> None:
    x = inputs[0]
    maps = [features(convolutional, x, (size, size)) for size in (44, 64, 96, 128)]  # 11, 16, 24 and 32 positions
    cells = (WEIGHTS @ on_grid(maps, (32, 32)).T).reshape(2, 32, 32)
    if similarity == "cosine":
        cells /= convolutional.encode(x[None])[0].norm()
    operator = prepared(convolutional, x, cw.SharpCAM(cells=32))
    score = LinearScore(WEIGHTS, similarity)
    torch.testing.assert_close(operator.apply(score), cells, rtol=1e-4, atol=1e-6)  # as many cells as pixels
    assert operator.total == operator.done == 1 + 2 + 4 + 9 + 16
    assert operator.shortfall is None


@pytest.mark.parametrize("scales", [(2, 4), (1.43,)])
def test_zero_is_the_mean_of_the_explicand(convolutional, inputs, scales: tuple[float, ...]) -> None:
    """Also on a grid of 11 cells, which are no whole number of pixels."""
    operator = prepared(convolutional, inputs[0], cw.SharpCAM(scales=scales, cells=16))
    found = operator.apply(LinearScore(WEIGHTS, "dot"))
    torch.testing.assert_close(found.sum((1, 2)), torch.zeros(2), rtol=0, atol=1e-5)
    assert float(found.abs().sum()) > 1e-2


def test_the_first_pass_gives_cam_and_the_next_ones_sharpen_it(convolutional, inputs) -> None:
    x = inputs[0]
    operator, score = PLAIN.start(x, x), LinearScore(WEIGHTS, "cosine")
    assert not operator.presentable
    advance(convolutional, [operator], 8)
    assert operator.presentable
    torch.testing.assert_close(operator.coefficients_for("dot"), plain(convolutional, x))
    cam = cw.Explainer(convolutional, "cam").prepare(x[None]).operators[0]
    both = torch.stack([operator.apply(score)[0].flatten(), cam.apply(score)[0].flatten()])
    assert torch.corrcoef(both)[0, 1] > 0.95
    advance(convolutional, [operator], 8)
    first = prepared(convolutional, x, cw.SharpCAM(scales=(1.43,), cells=11))
    grid = on_grid([first.coefficients.T.reshape(1, 16, 11, 11) * 11**2])
    torch.testing.assert_close(operator.coefficients, grid, rtol=1e-4, atol=1e-7)
    assert (operator.done, operator.total) == (3, 32)


@pytest.mark.parametrize(
    ("full", "stride", "sizes", "grid"),
    [
        ((224, 224), 32, [(320, 320), (448, 448), (672, 672), (896, 896)], (28, 28)),
        ((224, 160), 32, [(320, 224), (448, 320), (672, 480), (896, 640)], (28, 20)),
        ((384, 384), 32, [(544, 544), (768, 768), (896, 896)], (28, 28)),  # limited by LARGEST
        ((1024, 1024), 32, [], (28, 28)),
        ((32, 32), 32, [(64, 64), (96, 96), (128, 128)], (4, 4)),  # 1.43 positions are one
        ((32, 32), 4, [(44, 44), (64, 64), (96, 96), (128, 128)], (28, 28)),
        ((45, 30), 4, [(64, 41), (90, 60), (135, 90), (180, 120)], (28, 19)),
    ],
)
def test_sizes(full: tuple[int, int], stride: int, sizes: list[tuple[int, int]], grid: tuple[int, int]) -> None:
    """A network with a stride, which pads; only its shapes matter here."""
    operator, found = PLAIN.start(torch.zeros(3, *full), torch.zeros(3, *full)), []
    while not operator.complete:
        inputs = operator.inputs(8)
        height, width = inputs.shape[-2:]
        found.append((height, width))
        operator.accept(Encoded(torch.ones(1, 4), torch.ones(1, 4, -(-height // stride), -(-width // stride))))
    assert found == [full, *sizes]
    assert all(height * width <= max(LARGEST, full[0] * full[1]) for height, width in found)
    assert operator.spread.cells == operator.grid == grid
    assert operator.spread.full == full
    assert operator.shortfall is None
    with pytest.raises(RuntimeError, match="complete"):
        operator.inputs(1)


class OneSize(Convolutional):
    """A network that refuses inputs of more than a number of pixels a side, or resizes all to 32 pixels."""

    def __init__(self, largest: int = 32, error: type[Exception] | None = RuntimeError) -> None:
        super().__init__()
        self.largest, self.error = largest, error

    def forward(self, images: Tensor) -> Tensor:
        if images.shape[-1] > self.largest:
            if self.error is None:
                images = F.interpolate(images, (self.largest, self.largest))
            else:
                raise self.error(f"at most {self.largest} pixels")
        return super().forward(images)


@pytest.mark.parametrize(
    ("error", "reason"),
    [(RuntimeError, "OneSize.*at most 32 pixels"), (None, "feature map stays the same")],
)
def test_an_encoder_of_one_size_gets_its_plain_map_and_a_warning(inputs, error, reason: str) -> None:
    encoder = encoder_of(OneSize(32, error))
    with pytest.warns(UserWarning, match=f"Sharp CAM.*44 × 44 pixels.*{reason}") as warned:
        operators = cw.Explainer(encoder, PLAIN).prepare(inputs).operators
    assert len(warned) == 1  # for three explicands
    for operator, x in zip(operators, inputs, strict=True):
        assert (operator.done, operator.total) == (1, 1)
        torch.testing.assert_close(operator.coefficients_for("dot"), plain(encoder, x), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(("largest", "sizes", "refused"), [(64, (44, 64), 96), (96, (44, 64, 96), 128)])
def test_running_out_of_memory_leaves_the_smaller_sizes(inputs, largest: int, sizes, refused: int) -> None:
    encoder = encoder_of(OneSize(largest, torch.OutOfMemoryError), batch_size=8)
    with pytest.warns(UserWarning, match=rf"{refused} × {refused} pixels.*OutOfMemoryError"):
        operator = cw.Explainer(encoder, PLAIN).prepare(inputs[:1]).operators[0]
    assert encoder.batch_size == 8
    assert operator.complete
    assert operator.total == 1 + sum(round((size / 32) ** 2) for size in sizes)
    maps = [features(encoder, inputs[0], (size, size)) for size in sizes]
    torch.testing.assert_close(operator.coefficients_for("dot"), on_grid(maps), rtol=1e-4, atol=1e-7)


def test_an_encoder_that_fails_on_the_explicand_itself_is_reported(inputs) -> None:
    with pytest.raises(cw.EncoderError, match="at most 8 pixels"):
        advance(encoder_of(OneSize(8)), [PLAIN.start(inputs[0], inputs[0])], 8)


def test_gaussian_scores_are_explained_by_their_slopes(convolutional, inputs, corpus) -> None:
    operator = prepared(convolutional, inputs[0])
    score = GaussianScore(convolutional.encode(corpus), None)
    slopes = score.slopes(convolutional.encode(inputs[:1])[0])
    torch.testing.assert_close(operator.apply(score), operator.apply(LinearScore(slopes, "dot")))


def test_a_network_without_a_pooled_feature_map_is_refused(linear, inputs, corpus) -> None:
    with pytest.raises(cw.NoFeatureMap, match=r"Linear.*global average pooling.*'rise'"):
        cw.Explainer(linear, "sharp").explain(inputs, corpus=corpus)


def test_of_a_transformer_it_is_cam_with_its_mean_as_zero_and_with_edges(inputs, corpus) -> None:
    encoder = encoder_of(Transformer("token"))
    cam, sharp = (
        cw.Explainer(encoder, method).prepare(inputs[:1]).operators[0] for method in (cw.CAM(), cw.SharpCAM())
    )
    positions = cam.coefficients
    # Both are kept as 16-bit integers.
    torch.testing.assert_close(sharp.coefficients, positions - positions.mean(0), rtol=0, atol=1e-4)
    assert isinstance(sharp.spread, GuidedSpread)
    assert sharp.spread.inner is cam.spread
    refined = cw.Explainer(encoder, cw.SharpCAM(masks=64)).prepare(inputs[:1]).operators[0]
    assert refined.done == 1 + 64


def test_a_module_that_returns_its_map_is_explained(inputs, corpus) -> None:
    whole, body = Convolutional(), nn.Sequential(Convolutional().body)
    maps = [
        cw.Explainer(encoder_of(module), "sharp").explain(inputs, corpus=corpus).heatmaps for module in (whole, body)
    ]
    torch.testing.assert_close(*map(torch.tensor, maps), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scales": ()}, "scales"),
        ({"scales": (1,)}, "scales"),
        ({"scales": (3, 2)}, "scales"),
        ({"cells": 1}, "2 cells"),
        ({"masks": -1}, "masks"),
    ],
)
def test_bad_settings_are_named(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cw.SharpCAM(**settings)


class Strided(nn.Module):
    """One layer with a stride of 32 pixels and no padding, so that each position sees its own square."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.patches = nn.Conv2d(3, 16, 32, stride=32)

    def forward(self, images: Tensor) -> Tensor:
        return torch.relu(self.patches(images))


@pytest.mark.parametrize(
    ("size", "passes", "grid"),
    [((32, 32), 1 + 4 + 9 + 16, (4, 4)), ((96, 64), 1 + 2 + 4 + 9 + 16, (12, 8)), ((1024, 1024), 1, (28, 28))],
)
def test_small_large_and_oblong_explicands(size: tuple[int, int], passes: int, grid: tuple[int, int]) -> None:
    """The smallest has one position at first, where all is equal; the largest is not enlarged."""
    encoder = encoder_of(Strided())
    x = torch.randn(3, *size, generator=torch.Generator().manual_seed(0))
    operator, score = start(encoder, cw.SharpCAM(), x, x), LinearScore(WEIGHTS, "cosine")
    while not operator.complete:
        advance(encoder, [operator], 8)
        assert torch.isfinite(operator.apply(score)).all()
    assert operator.total == passes
    assert operator.shortfall is None
    maps = operator.apply(score)
    assert maps.shape == (2, *size)
    assert operator.coefficients.shape == (grid[0] * grid[1], 16)
    assert float(maps.std()) > 0


def test_a_constant_picture_has_nothing_that_stands_out() -> None:
    """Its guided filter has windows without any variance."""
    encoder = encoder_of(Strided(), image_size=64)
    for level in (0.0, 9.0):
        operator = start(encoder, cw.SharpCAM(), torch.full((3, 64, 64), level), torch.zeros(3, 64, 64))
        while not operator.complete:
            advance(encoder, [operator], 8)
        found = operator.apply(LinearScore(WEIGHTS, "cosine"))
        torch.testing.assert_close(found, torch.zeros(2, 64, 64), rtol=0, atol=1e-6)


def test_constant_and_grey_pictures_have_finite_heatmaps(convolutional, corpus) -> None:
    grey = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(0)).expand(-1, 3, -1, -1)
    for explicand in (torch.zeros(1, 3, 32, 32), torch.full((1, 3, 32, 32), 9.0), grey):
        found = cw.Explainer(convolutional, cw.SharpCAM(masks=32)).explain(explicand, corpus=corpus).heatmaps
        assert torch.isfinite(torch.tensor(found)).all()


def test_coefficients_take_as_much_memory_as_they_say(convolutional, inputs) -> None:
    operator = prepared(convolutional, inputs[0])
    assert operator.nbytes == 28 * 28 * (16 * 2 + 4) + 16 * 4
    assert start(convolutional, cw.SharpCAM(), inputs[0], inputs[0]).nbytes > inputs[0].numel() * 4


def test_it_finds_photographs_in_a_mosaic_better_than_cam(demo_encoder, photographs) -> None:
    """The mosaic shows a cat, coffee, a rocket and a motorcycle."""
    explained = {
        method: cw.Explainer(demo_encoder, method).prepare([photographs.load("mosaic/1")], progress=False)
        for method in ("cam", "sharp")
    }
    foil = demo_encoder.encode([photographs.load(i) for i in ("temple/1", "flower/1", "grass/1", "coins/1")])
    shares: dict[str, list[float]] = {"cam": [], "sharp": []}
    for quarter, kind in ((0, "cat"), (1, "coffee"), (3, "motorcycle")):
        region = torch.zeros(1, 224, 224, dtype=torch.bool)
        top, left = 112 * (quarter // 2), 112 * (quarter % 2)
        region[:, top : top + 112, left : left + 112] = True
        corpus = demo_encoder.encode([photographs.load(i) for i in photographs.ids if i.startswith(f"{kind}/")])
        for method, prepared in explained.items():
            found = prepared.explain(corpus=corpus, foil=foil, progress=False).heatmaps
            assert hits(found, region).all()
            shares[method] += average_precision(found, region).tolist()
    assert min(shares["sharp"]) > 0.97
    assert sum(shares["sharp"]) > sum(shares["cam"]) + 0.01
