"""Coefficients and spread give the heatmap that `apply` gives, for every method that has them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from cocoa_widget.attribution import (
    CAM,
    RISE,
    KernelSHAP,
    LinearMethod,
    Occlusion,
    Operator,
    PatchTokens,
    SeparableSpread,
    SharpCAM,
    SuperpixelSpread,
)
from cocoa_widget.contrast import LinearScore
from cocoa_widget.encoders import Encoded

SIZE = (40, 56)
DIMENSION = 12


def segments(explicand: Tensor) -> Tensor:
    """Three superpixels of different areas."""
    labels = torch.zeros(explicand.shape[-2:], dtype=torch.int64)
    labels[:, 20:] = 1
    labels[30:, 40:] = 2
    return labels


METHODS = [
    RISE(n_masks=64, seed=1),
    RISE(n_masks=50, p=0.4, seed=2),
    CAM(),
    PatchTokens(),
    SharpCAM(),
    Occlusion(window=16, stride=12),
    KernelSHAP(superpixels=4, n_samples=60),
    KernelSHAP(superpixels=segments, n_samples=20),
]


def completed(method: LinearMethod, passes: int | None = None) -> Operator:
    """Return an operator after `passes`, with random representations in place of an encoder's."""
    generator = torch.Generator().manual_seed(0)
    operator = method.start(torch.rand(3, *SIZE, generator=generator), torch.zeros(3, *SIZE))
    while operator.done < (operator.total if passes is None else passes):
        count, _, height, width = operator.inputs(7).shape
        vectors = torch.randn(count, DIMENSION, generator=generator) + 1
        maps = torch.randn(count, DIMENSION, height // 8, width // 8, generator=generator)
        operator.accept(Encoded(vectors, maps))
    return operator


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize("size", [None, (20, 28)])
@pytest.mark.parametrize("method", METHODS, ids=str)
def test_the_spread_of_the_coefficients_product_is_the_heatmap(
    method: LinearMethod, size: tuple[int, int] | None, similarity: str
) -> None:
    operator = completed(method)
    directions = torch.randn(3, DIMENSION, generator=torch.Generator().manual_seed(1))
    coefficients, spread = operator.coefficients_for(similarity), operator.spread
    assert coefficients is not None
    assert spread is not None
    assert coefficients.shape == (spread.k, DIMENSION)
    assert spread.full == SIZE
    expected = operator.apply(LinearScore(directions, similarity), size)
    torch.testing.assert_close(spread.maps(directions @ coefficients.T, size), expected, rtol=1e-4, atol=1e-6)
    of_places = method.name in ("cam", "patch_tokens", "sharp")
    assert operator.grid == (getattr(spread, "cells", None) if of_places else None)


@pytest.mark.parametrize("method", [RISE(n_masks=64), KernelSHAP(superpixels=4, n_samples=60)], ids=str)
def test_coefficients_are_known_before_the_last_pass(method: LinearMethod) -> None:
    operator = completed(method, passes=28)
    direction = torch.randn(1, DIMENSION, generator=torch.Generator().manual_seed(1))
    coefficients, spread = operator.coefficients, operator.spread
    assert not operator.complete
    assert coefficients is not None
    assert spread is not None
    expected = operator.apply(LinearScore(direction, "cosine"))
    torch.testing.assert_close(spread.maps(direction @ coefficients.T), expected, rtol=1e-4, atol=1e-6)


def test_occlusion_has_no_spread_until_every_window_was_hidden() -> None:
    assert completed(Occlusion(window=16, stride=12), passes=7).spread is None


@pytest.mark.parametrize("size", [None, (20, 28), (9, 13)])
@pytest.mark.parametrize("cells", [3, 4, 50])
def test_a_grid_of_superpixels_spreads_rows_and_columns_apart(cells: int, size: tuple[int, int] | None) -> None:
    explicand = torch.zeros(3, *SIZE)
    labels, spread = KernelSHAP(superpixels=cells)._superpixels(explicand)
    assert isinstance(spread, SeparableSpread)
    values = torch.randn(2, spread.k, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(spread.maps(values, size), SuperpixelSpread(labels).maps(values, size))


@pytest.mark.parametrize("size", [None, (20, 28), (9, 13), (400, 500)])
def test_the_sparse_matrix_of_superpixels_is_their_spread(size: tuple[int, int] | None) -> None:
    spread = SuperpixelSpread(segments(torch.zeros(3, *SIZE)))
    values = torch.randn(2, spread.k, generator=torch.Generator().manual_seed(0))
    expected = spread.maps(values, size)
    matrix = spread.matrix(size)
    assert matrix.is_coalesced()
    assert matrix.shape == (expected[0].numel(), spread.k)
    torch.testing.assert_close((matrix @ values.T).T.reshape(expected.shape), expected)
