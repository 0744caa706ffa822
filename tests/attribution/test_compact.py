"""Matrices of 16-bit integers."""

from __future__ import annotations

import torch

from cocoa_widget.attribution.compact import Compact


def matrix() -> torch.Tensor:
    """Rows of all magnitudes, and one of zeros."""
    rows = torch.randn(30, 200, generator=torch.Generator().manual_seed(0))
    return torch.cat([rows * torch.logspace(-12, 6, 30)[:, None], torch.zeros(1, 200)])


def test_no_entry_is_off_by_more_than_half_a_step_of_its_row() -> None:
    exact = matrix()
    off = (Compact.of(exact).matrix().double() - exact.double()).abs()
    step = exact.double().abs().amax(1, keepdim=True) / 32767
    assert (off <= 0.51 * step).all()
    assert not Compact.of(exact).matrix()[-1].any()


def test_the_product_is_that_of_the_rounded_matrix() -> None:
    compact, vectors = Compact.of(matrix()), torch.randn(3, 200, generator=torch.Generator().manual_seed(1))
    expected = vectors.double() @ compact.matrix().double().T
    off = (compact.product(vectors).double() - expected).abs()
    assert (off <= 1e-5 * expected.abs().amax(0) + 1e-30).all()


def test_the_first_rows_are_those_of_the_matrix() -> None:
    compact = Compact.of(matrix())
    assert torch.equal(compact.first(4).matrix(), compact.matrix()[:4])


def test_an_entry_takes_two_bytes() -> None:
    assert Compact.of(matrix()).nbytes == 31 * 200 * 2 + 31 * 4
