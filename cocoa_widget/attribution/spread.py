"""Spreads: fixed linear maps from the k numbers of a heatmap to its pixels.

For a score with the direction w, a linear method's heatmap is ``S (M w)``. The coefficients M (k × d) belong to one
explicand. The spread S is usually the same for all explicands of a method, and much larger than M w: k numbers become
H × W pixels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from .resample import Size, averaging, distributing_to, shrink, smaller


class Spread(ABC):
    """A fixed linear map from k numbers to a heatmap.

    Attributes
    ----------
    k : int
        How many numbers it takes.
    full : (int, int)
        Height and width of the heatmap at the encoder's input size.
    """

    k: int
    full: Size

    @abstractmethod
    def maps(self, values: Tensor, size: Size | None = None) -> Tensor:
        """Spread `values` (…, k) over the pixels: (…, h, w), averaged down to `size` where one is given."""


@dataclass(frozen=True, eq=False)
class SeparableSpread(Spread):
    """A spread that is the product of one matrix for the rows and one for the columns.

    Attributes
    ----------
    cells : (int, int)
        The k numbers as a grid of r × c cells, row by row.
    full : (int, int)
        Height and width of the heatmap at the encoder's input size.
    factors_at : callable
        From a height and a width to the matrices (height, r) and (width, c).
    """

    cells: Size
    full: Size
    factors_at: Callable[[Size], tuple[Tensor, Tensor]]

    @property
    def k(self) -> int:  # type: ignore[override]
        """Number of cells."""
        return self.cells[0] * self.cells[1]

    def factors(self, size: Size | None = None) -> tuple[Tensor, Tensor]:
        """Return the matrices of rows (h, r) and columns (w, c) for heatmaps averaged down to `size`."""
        return self.factors_at(smaller(size, self.full))

    def maps(self, values: Tensor, size: Size | None = None) -> Tensor:
        """Return ``rows · cells · columnsᵀ``."""
        rows, columns = self.factors(size)
        return rows @ values.reshape(*values.shape[:-1], *self.cells) @ columns.T


class SparseSpread(Spread):
    """A spread that can be had as a sparse matrix."""

    @abstractmethod
    def matrix(self, size: Size | None = None) -> Tensor:
        """Return the map as a sparse matrix (h · w, k), coalesced, on the CPU."""


@dataclass(frozen=True, eq=False)
class SuperpixelSpread(SparseSpread):
    """A spread that shares each number evenly among the pixels of one superpixel.

    Attributes
    ----------
    labels : Tensor
        (H, W), the superpixel of each pixel, 0 … k − 1.
    """

    labels: Tensor

    @property
    def full(self) -> Size:  # type: ignore[override]
        """Height and width of the label map."""
        return self.labels.shape[0], self.labels.shape[1]

    @property
    def areas(self) -> Tensor:
        """Number of pixels of each superpixel (k,)."""
        return torch.bincount(self.labels.flatten())

    @property
    def k(self) -> int:  # type: ignore[override]
        """Number of superpixels."""
        return len(self.areas)

    def maps(self, values: Tensor, size: Size | None = None) -> Tensor:
        """Return each number, divided by the area of its superpixel, at the superpixel's pixels."""
        return shrink((values / self.areas)[..., self.labels], size)

    def matrix(self, size: Size | None = None) -> Tensor:
        """Return the map as a sparse matrix (h · w, k), coalesced, on the CPU.

        Most pixels lie on one superpixel.
        """
        labels, size = self.labels.cpu(), smaller(size, self.full)
        down, across = (averaging(many, few, labels.device) for many, few in zip(self.full, size, strict=True))
        (y, row), (x, column) = down.nonzero().T, across.nonzero().T
        cells = labels[row[:, None], column]
        shares = down[y, row][:, None] * across[x, column] / self.areas.cpu()[cells]
        places = torch.stack([(y[:, None] * size[1] + x).flatten(), cells.flatten()])
        shape = size[0] * size[1], self.k
        return torch.sparse_coo_tensor(places, shares.flatten(), shape, check_invariants=True).coalesce()


@lru_cache(maxsize=32)
def bilinear(cells: Size, full: Size, device: torch.device) -> SeparableSpread:
    """Return the spread of a grid of cells bilinearly over `full` pixels; it keeps their sum."""

    def factors(size: Size) -> tuple[Tensor, Tensor]:
        rows, columns = (
            distributing_to(many, length, small, device) for many, length, small in zip(cells, full, size, strict=True)
        )
        return rows, columns

    return SeparableSpread(cells, full, factors)


def even(rows: Tensor, columns: Tensor) -> SeparableSpread:
    """Return the spread that shares each number evenly among the pixels of one cell of a grid.

    Parameters
    ----------
    rows, columns : Tensor
        (H,) and (W,), int64: the grid's row of each row of pixels and its column of each column, 0 … without gaps.
    """
    shares = [F.one_hot(cells).float() for cells in (rows, columns)]
    return separable(*(share / share.sum(0) for share in shares))


def separable(rows: Tensor, columns: Tensor) -> SeparableSpread:
    """Return the spread with the matrices (H, r) and (W, c) at the encoder's input size."""

    def factor(whole: Tensor, size: int) -> Tensor:
        return whole if size == len(whole) else averaging(len(whole), size, whole.device) @ whole

    def factors(size: Size) -> tuple[Tensor, Tensor]:
        return factor(rows, size[0]), factor(columns, size[1])

    return SeparableSpread((rows.shape[1], columns.shape[1]), (len(rows), len(columns)), factors)
