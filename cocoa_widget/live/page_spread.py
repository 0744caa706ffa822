"""Spreads as the page computes with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..attribution import GuidedSpread, ScoreSpread, SeparableSpread, Size, SparseSpread, Spread, SumSpread
from .sizes import fitting

SIDE = 112
"""Longer side, in pixels, of the heatmaps that the page computes; it enlarges them itself."""
FILTER_BYTES = 48
"""What the page keeps of a guided filter, in bytes for each pixel."""
SPARSE_BYTES = 16
"""What the page keeps of a label map, in bytes for each pixel; about, as it depends on the borders."""
ENTRY_BYTES = 6
"""Size of an entry of a sparse matrix in a message."""
MOST_SCORES = 64
"""Most scores of a spread that the page is sent as a matrix; such a matrix takes a heatmap of each."""
MOST_BYTES = 500_000
"""Largest size of that matrix."""


@dataclass(frozen=True)
class SeparableTerm:
    """A part of a spread as matrices of rows (height, r) and columns (width, c), for r × c cells."""

    rows: NDArray[np.float32]
    columns: NDArray[np.float32]

    @property
    def arrays(self) -> list[NDArray[np.generic]]:
        """What it consists of."""
        return [self.rows, self.columns]


@dataclass(frozen=True)
class SparseTerm:
    """A part of a spread as a sparse matrix (height · width, k), row by row.

    Attributes
    ----------
    k : int
    starts : ndarray
        (height · width + 1,), uint32: where the entries of each row begin, and how many there are.
    cells : ndarray
        Column of each entry, uint16.
    weights : ndarray
        Value of each entry.
    """

    k: int
    starts: NDArray[np.uint32]
    cells: NDArray[np.uint16]
    weights: NDArray[np.float32]

    @property
    def arrays(self) -> list[NDArray[np.generic]]:
        """What it consists of."""
        return [self.starts, self.cells, self.weights]


Term = SeparableTerm | SparseTerm


class Guide(NamedTuple):
    """What a guided filter consists of: the pixels of its guide (c, h, w) in 8 bits, and its settings."""

    pixels: Tensor
    radius: int
    epsilon: float


@dataclass(frozen=True)
class PageSpread:
    """A spread as the page computes with it: a sum, and a guided filter after it where there is one.

    Attributes
    ----------
    parts : tuple of Spread
        What is summed; each takes the numbers after those of the parts before it.
    size : (int, int)
        Height and width of the heatmaps; the page averages them down for small canvases, and enlarges them for others.
    guide : Guide or None
        Of the filter, of that size.
    """

    parts: tuple[SeparableSpread | SparseSpread, ...]
    size: Size
    guide: Guide | None = None

    @classmethod
    def of(cls, spread: Spread) -> PageSpread | None:
        """Return a spread as the page computes with it; None for a spread that it does not know."""
        guide, inner = None, spread
        if isinstance(spread, GuidedSpread):
            guided, inner = spread.guided, spread.inner
            guide = Guide(guided.pixels, guided.radius, guided.epsilon)
        parts: list[SeparableSpread | SparseSpread] = []
        for part in inner.parts() if isinstance(inner, SumSpread) else [inner]:
            if not isinstance(part, SeparableSpread | SparseSpread):
                return None
            parts.append(part)
        height, width = fitting(SIDE, spread.full) if guide is None else guide.pixels.shape[1:]
        size = min(height, spread.full[0]), min(width, spread.full[1])
        return cls(tuple(parts), size, guide) if all(_is_small(part, size) for part in parts) else None

    @property
    def k(self) -> int:
        """How many numbers it takes."""
        return sum(part.k for part in self.parts)

    @property
    def nbytes(self) -> int:
        """Memory that it takes on the page for one image alone, in bytes."""
        filtered = FILTER_BYTES * self.size[0] * self.size[1] if self.guide else 0
        return filtered + sum(_nbytes(part, self.size) for part in self.parts)

    def is_like(self, other: PageSpread) -> bool:
        """Return whether both are the same, but for the pixels of the guide."""
        return (self.parts, self.size, self.settings) == (other.parts, other.size, other.settings)

    def is_same(self, other: PageSpread) -> bool:
        """Return whether both are the same."""
        same = self.is_like(other)
        return same and (not self.guide or not other.guide or torch.equal(self.guide.pixels, other.guide.pixels))

    @property
    def settings(self) -> tuple[int, float] | None:
        """Radius and epsilon of the filter; None without one."""
        return self.guide and (self.guide.radius, self.guide.epsilon)

    @property
    def picture(self) -> NDArray[np.uint8] | None:
        """Red, green and blue of the guide's pixels (height, width, 3); None without a filter."""
        if self.guide is None:
            return None
        found: NDArray[np.uint8] = self.guide.pixels.permute(1, 2, 0).contiguous().numpy()
        return found

    def terms(self) -> list[Term]:
        """Return the parts as arrays."""
        return [self._term(part) for part in self.parts]

    def _term(self, part: SeparableSpread | SparseSpread) -> Term:
        if isinstance(part, SeparableSpread):
            rows, columns = (factor.float().cpu().numpy() for factor in part.factors(self.size))
            return SeparableTerm(rows, columns)
        matrix = part.matrix(self.size)
        pixels, cells = matrix.indices().numpy()
        starts = np.searchsorted(pixels, np.arange(matrix.shape[0] + 1))
        return SparseTerm(part.k, starts.astype(np.uint32), cells.astype(np.uint16), matrix.values().float().numpy())


def _nbytes(part: Spread, size: Size) -> int:
    """Return what the page keeps of a part of a spread for one image alone, in bytes."""
    if isinstance(part, ScoreSpread):
        return 4 * size[0] * size[1] + ENTRY_BYTES * len(part.matrix(size).values())
    return SPARSE_BYTES * size[0] * size[1] if isinstance(part, SparseSpread) else 0


def _is_small(part: Spread, size: Size) -> bool:
    """Return whether a part of a spread can be sent."""
    if not isinstance(part, ScoreSpread):
        return True
    return part.k <= MOST_SCORES and len(part.matrix(size).values()) * ENTRY_BYTES <= MOST_BYTES
