"""Operators apart from the method that prepared them: all that a file has to hold."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from ..contrast import LinearScore, Score
from ..encoders import Encoded
from .compact import Compact
from .error_model import ErrorModel
from .method import Operator
from .resample import Size
from .spread import Spread


class StoredOperator(Operator):
    """A complete operator as coefficients and spread, with what its standard errors need.

    Attributes
    ----------
    kept : mapping
        By similarity: k rows of coefficients, and after them a sketch of the residuals where there is a `model`.
    spread : Spread
    model : ErrorModel or None
    """

    total = 0

    def __init__(self, kept: Mapping[str, Compact], spread: Spread, model: ErrorModel | None) -> None:
        self.kept, self._spread, self.model = kept, spread, model

    @property
    def nbytes(self) -> int:
        return sum(each.nbytes for each in self.kept.values())

    @property
    def spread(self) -> Spread:
        """The map from the coefficients' products to the heatmap."""
        return self._spread

    def supports(self, similarity: str) -> bool:
        return similarity in self.kept

    def inputs(self, count: int) -> Tensor:
        raise RuntimeError("This operator is complete: it has no inputs left.")

    def accept(self, encoded: Encoded) -> None:
        raise RuntimeError("This operator is complete: it has no inputs left.")

    def apply(self, score: Score, size: Size | None = None) -> Tensor:
        return self._spread.maps(self._products(score)[:, : self._spread.k], size)

    def error(self, score: Score, size: Size | None = None) -> Tensor | None:
        if self.model is None:
            return None
        values, k = self._products(score), self._spread.k
        return self.model.errors(values[:, :k], values[:, k:].square().mean(1), self._spread, size)

    def coefficients_for(self, similarity: str) -> Tensor | None:
        return self.kept[similarity].matrix()[: self._spread.k] if similarity in self.kept else None

    def values(self, score: LinearScore) -> Tensor:
        return self._products(score)[:, : self._spread.k]

    def _products(self, score: Score) -> Tensor:
        if not isinstance(score, LinearScore):
            raise ValueError("A stored operator has no answers, which scores that are not linear need.")
        return self.kept[score.similarity].product(score.directions)
