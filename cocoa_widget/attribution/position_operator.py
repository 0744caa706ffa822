"""Operators that have one vector for each position of a grid, from one pass."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from ..contrast import LinearScore
from .compact import Compact
from .method import Operator
from .resample import Size
from .spread import SeparableSpread, bilinear
from .stored import StoredOperator


class PositionOperator(Operator):
    """A vector for each position of a grid, spread bilinearly over the pixels; from one pass."""

    total = 1
    _cells: Size  # rows and columns of the grid
    _full: Size  # height and width of the explicand

    @abstractmethod
    def _kept(self, similarity: str) -> Compact:
        """Return the vectors (positions, d) that a similarity's directions are multiplied with."""

    @property
    def spread(self) -> SeparableSpread:
        """The bilinear map from positions to pixels."""
        return bilinear(self._cells, self._full, self._kept("dot").steps.device)

    @property
    def grid(self) -> Size:
        """Rows and columns of the grid."""
        return self._cells

    def coefficients_for(self, similarity: str) -> Tensor:
        """Return the vector of each position, (positions, d)."""
        return self._kept(similarity).matrix()

    def values(self, score: LinearScore) -> Tensor:
        return self._kept(score.similarity).product(score.directions)

    def stored(self) -> StoredOperator | None:
        kept = {similarity: self._kept(similarity) for similarity in ("cosine", "dot")}
        return StoredOperator(kept, self.spread, None) if self.complete else None
