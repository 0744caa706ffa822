"""Matrices in half of a float32's memory, for what is kept of many explicands."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

STEPS = 32767
"""The largest 16-bit integer."""


@dataclass(frozen=True, eq=False)
class Compact:
    """A matrix as 16-bit integers, with one scale for each row.

    No entry is off by more than its row's largest entry divided by 65,534, however small the row is. Float16 would take
    as much memory, be off by up to 1/2,048 of each entry, and have too narrow a range for some coefficients.

    Attributes
    ----------
    steps : Tensor
        (n, d), int16.
    scales : Tensor
        (n, 1), float32: the value of one step in each row.
    """

    steps: Tensor
    scales: Tensor

    @classmethod
    def of(cls, matrix: Tensor) -> Compact:
        """Round a matrix (n, d)."""
        scales = matrix.abs().amax(1, keepdim=True) / STEPS
        steps = torch.where(scales > 0, matrix / scales, 0).round()
        return cls(steps.to(torch.int16), scales.float())

    @property
    def nbytes(self) -> int:
        """Memory that it holds, in bytes."""
        return self.steps.nbytes + self.scales.nbytes

    def matrix(self) -> Tensor:
        """Return the matrix (n, d), float32."""
        return self.steps.float() * self.scales

    def first(self, rows: int) -> Compact:
        """Return the first rows."""
        return Compact(self.steps[:rows], self.scales[:rows])

    def divided(self, by: float | Tensor) -> Compact:
        """Return the matrix divided by a number, or each row by its own (n, 1)."""
        return Compact(self.steps, self.scales / by)

    def product(self, vectors: Tensor) -> Tensor:
        """Return the products (k, n) of vectors (k, d) with the rows."""
        return vectors @ self.steps.float().T * self.scales.T
