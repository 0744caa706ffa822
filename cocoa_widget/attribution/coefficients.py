"""Coefficients: the small matrix to which the answers of a linear method come down."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..contrast import LinearScore
from .compact import Compact
from .design import SummedDesign, exact
from .resample import Size
from .spread import Spread

MOST = 1024
"""Most coefficients of an operator: more would take more memory than the answers."""


class _Sums(NamedTuple):
    """Sums over the first n answers: (width, 2d), float64, the unit vectors' in the first d columns."""

    n: int
    sums: Tensor


class Coefficients:
    """The coefficients of one explicand for the cosine and for the dot product, updated as passes come in.

    Until they are complete, they are sums in float64, so that it makes no difference how many answers come at a time.
    """

    def __init__(self, design: SummedDesign) -> None:
        self._design = design
        self._rest = torch.empty(0)  # answers that wait for the rest of their group
        # Replaced as a whole, because another thread may be reading.
        self._known: _Sums | dict[str, Compact] | None = None

    @property
    def nbytes(self) -> int:
        """Memory that they hold, in bytes."""
        known = self._known
        if isinstance(known, _Sums):
            return known.sums.nbytes + self._rest.nbytes
        return sum(each.nbytes for each in known.values()) if known else 0

    def add(self, vectors: Tensor) -> None:
        """Add the representations (m, d) under the next masks."""
        design, known = self._design, self._known
        assert not isinstance(known, dict)
        answers = torch.cat([F.normalize(vectors, dim=1), vectors], 1).to(exact(vectors.device))
        if known is None:
            known = _Sums(0, answers.new_zeros(design.width, answers.shape[1]))
            self._rest = answers[:0]
        answers = torch.cat([self._rest, answers])
        whole = len(answers) // design.group * design.group
        self._rest = answers[whole:].clone()
        n = known.n + whole
        self._known = _Sums(n, design.add(known.sums, known.n, answers[:whole]))
        if n + len(self._rest) == design.n:
            unit, raw = design.solve(self._known.sums, n).chunk(2, dim=1)
            self._known = {"cosine": Compact.of(unit), "dot": Compact.of(raw)}
            self._rest = answers[:0].clone()

    def matrix(self, similarity: str) -> Tensor | None:
        """Return the coefficients (k, d), float32; None before they make a heatmap."""
        known, k = self._known, self._design.k
        if known is None or (isinstance(known, _Sums) and not self._design.holds(known.n)):
            return None
        if isinstance(known, _Sums):
            return self._design.solve(_half(known.sums, similarity), known.n)[:k].float()
        return known[similarity].matrix()[:k]

    @property
    def spread(self) -> Spread | None:
        """From coefficients to heatmaps; None before they make one."""
        known = self._known
        n = known.n if isinstance(known, _Sums) else self._design.n
        return self._design.spread if known is not None and self._design.holds(n) else None

    @property
    def kept(self) -> dict[str, Compact] | None:
        """By similarity, all rows that the answers were solved for; None until they are complete."""
        return self._known if isinstance(self._known, dict) else None

    def heatmaps(self, score: LinearScore, size: Size | None) -> Tensor:
        """Return the heatmaps (k, h, w) of a score."""
        return self._design.maps(*self._values(score), size)

    def errors(self, score: LinearScore, size: Size | None) -> Tensor | None:
        """Return the heatmaps' standard errors (k, h, w); None where the masks are not random."""
        values, n = self._values(score)
        model, k = self._design.error_model(n), self._design.k
        if model is None:
            return None
        return model.errors(values[:, :k], values[:, k:].square().mean(1), self._design.spread, size)

    def values(self, score: LinearScore) -> Tensor:
        """Return the products (j, k) of the score's directions with the coefficients."""
        return self._values(score)[0][:, : self._design.k]

    def _values(self, score: LinearScore) -> tuple[Tensor, int]:
        """Return what the scores are solved for, and the number of answers behind it."""
        known = self._known
        if known is None:
            raise RuntimeError("There is no heatmap before the first pass.")
        if not isinstance(known, _Sums):
            return known[score.similarity].product(score.directions), self._design.n
        # The sums of the scores rather than the coefficients: a few columns to solve for.
        sums = _half(known.sums, score.similarity) @ score.directions.to(known.sums).T
        return self._design.solve(sums, known.n).T.float(), known.n


def _half(sums: Tensor, similarity: str) -> Tensor:
    unit, raw = sums.chunk(2, dim=1)
    return unit if similarity == "cosine" else raw
