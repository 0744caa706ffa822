"""The mean of two linear methods' heatmaps, the second of which refines the first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass

import torch
from torch import Tensor

from ..contrast import LinearScore, Score
from .compact import Compact
from .method import Operator
from .outer_operator import OuterOperator
from .resample import Size
from .spread import Spread
from .stored import StoredOperator

COARSE = (28, 28)
"""Largest height and width of the heatmaps by which operators are compared."""


@dataclass(frozen=True, eq=False)
class SumSpread(Spread):
    """The sum of spreads, of which the first takes the first numbers, and each other one those after them.

    Where there are fewer numbers than `k`, the last spreads are left out: another thread may have made the numbers
    before the last operator had any.

    Attributes
    ----------
    parts : callable
        Returns the spreads, of which there may be more later, but not fewer.
    """

    parts: Callable[[], Sequence[Spread]]

    @property
    def k(self) -> int:  # type: ignore[override]
        """How many numbers all parts take."""
        return sum(part.k for part in self.parts())

    @property
    def full(self) -> Size:  # type: ignore[override]
        """Height and width of the heatmap at the encoder's input size."""
        return self.parts()[0].full

    def maps(self, values: Tensor, size: Size | None = None) -> Tensor:
        """Return the sum of the parts' heatmaps."""
        first, *others = self.parts()
        maps, begin = first.maps(values[..., : first.k], size), first.k
        for part in others:
            if begin < values.shape[-1]:
                maps = maps + part.maps(values[..., begin : begin + part.k], size)
            begin += part.k
        return maps


def _spread(operator: Operator) -> Spread:
    spread = operator.spread
    assert spread is not None
    return spread


class RefinedOperator(OuterOperator):
    """An operator, and a second one whose passes come after its own; the heatmap is the mean of both.

    The second is scaled to the first's unit: over all directions, the variances of their heatmaps are on average the
    same. Until the second has a heatmap worth showing, the first's is shown alone.

    Parameters
    ----------
    first, second : Operator
        Of one explicand. Both have coefficients.
    """

    def __init__(self, first: Operator, second: Operator) -> None:
        self._first, self._second = first, second
        self.features, self.first_heatmap = first.features, first.first_heatmap
        self._scale: tuple[int, float] = (-1, 0.0)  # for how many passes it was computed
        self._follow()

    def _follow(self) -> None:
        self.done = self._first.done + self._second.done
        self.total = self._first.total + self._second.total
        self.weight = self._next.weight

    @property
    def _next(self) -> Operator:
        return self._second if self._first.complete else self._first

    @property
    def nbytes(self) -> int:
        return self._first.nbytes + self._second.nbytes

    @property
    def shortfall(self) -> str | None:
        return self._first.shortfall or self._second.shortfall

    def apply(self, score: Score, size: Size | None = None) -> Tensor:
        first = self._first.apply(score, size)
        return (first + self._ratio() * self._second.apply(score, size)) / 2 if self._second.presentable else first

    @property
    def spread(self) -> Spread | None:
        """The sum of both spreads."""
        return SumSpread(self._spreads) if self.presentable else None

    def _spreads(self) -> list[Spread]:
        return [_spread(each) for each in (self._first, self._second) if each.presentable]

    def supports(self, similarity: str) -> bool:
        return self._first.supports(similarity) and self._second.supports(similarity)

    def keep_answers(self) -> None:
        self._first.keep_answers()
        self._second.keep_answers()

    def without_answers(self) -> RefinedOperator:
        first, second = self._first.without_answers(), self._second.without_answers()
        if first is self._first and second is self._second:
            return self
        other = copy(self)
        other._first, other._second = first, second
        return other

    def coefficients_for(self, similarity: str) -> Tensor | None:
        first = self._first.coefficients_for(similarity)
        if first is None or not self._second.presentable:
            return first
        second = self._second.coefficients_for(similarity)
        return None if second is None else torch.cat([first, self._ratio() * second]) / 2

    def values(self, score: LinearScore) -> Tensor | None:
        first = self._first.values(score)
        if first is None or not self._second.presentable:
            return first
        second = self._second.values(score)
        return None if second is None else torch.cat([first, self._ratio() * second], 1) / 2

    def stored(self) -> StoredOperator | None:
        first, second = self._first.stored(), self._second.stored()
        if first is None or second is None:
            return None
        spreads, kept = [first.spread, second.spread], {}
        for similarity in first.kept.keys() & second.kept.keys():
            one, other = first.kept[similarity].first(spreads[0].k), second.kept[similarity].first(spreads[1].k)
            scales = torch.cat([one.scales, self._ratio() * other.scales]) / 2
            kept[similarity] = Compact(torch.cat([one.steps, other.steps]), scales)
        return StoredOperator(kept, SumSpread(lambda: spreads), None)

    def _ratio(self) -> float:
        """Return what the second's heatmaps are multiplied by; computed once for a number of passes."""
        if self._scale[0] != self.done:
            self._scale = self.done, _deviation(self._first) / max(_deviation(self._second), 1e-30)
        return self._scale[1]


def _deviation(operator: Operator) -> float:
    """Return the root mean square over pixels and directions of an operator's heatmaps, each less its mean."""
    coefficients = operator.coefficients
    assert coefficients is not None
    maps = _spread(operator).maps(coefficients.T, COARSE)
    return float((maps - maps.mean((1, 2), keepdim=True)).square().mean().sqrt())
