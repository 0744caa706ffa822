"""Answers: the representations of one explicand under the masks of a design."""

from __future__ import annotations

import torch
from torch import Tensor

from ..contrast import LinearScore, Score
from .compact import Compact
from .design import Design
from .resample import Size


class Answers:
    """The representations (n, d) of one explicand under the masks of a design, from which any score can be computed.

    They are kept by how far they are from the first, because heatmaps are made of their differences.
    """

    def __init__(self, design: Design) -> None:
        self._design = design
        self._first = torch.empty(0)
        self._others = Compact(torch.empty(0, 0, dtype=torch.int16), torch.empty(0, 1))
        self._norms = torch.empty(0)  # of the representations
        self._known = 0

    @property
    def nbytes(self) -> int:
        """Memory that they hold, in bytes."""
        return self._first.nbytes + self._others.nbytes + self._norms.nbytes

    def add(self, vectors: Tensor) -> None:
        """Add the representations (m, d) under the next masks."""
        if self._known == 0:
            n, d = self._design.n, vectors.shape[1]
            self._first = vectors[0].float().clone()
            self._others = Compact(vectors.new_empty(n, d, dtype=torch.int16), self._first.new_empty(n, 1))
            self._norms = self._first.new_empty(n)
        stop = self._known + len(vectors)
        place, others = slice(self._known, stop), Compact.of(vectors - self._first)
        self._others.steps[place], self._others.scales[place] = others.steps, others.scales
        self._norms[place] = vectors.norm(dim=1)
        self._known = stop  # last, because another thread may be reading

    def scores(self, score: Score) -> Tensor:
        """Return the scores (k, n) under the masks so far."""
        n = self._known
        others = Compact(self._others.steps[:n], self._others.scales[:n])
        if isinstance(score, LinearScore):
            products = others.product(score.directions) + score.directions @ self._first[:, None]
            return products if score.similarity == "dot" else products / self._norms[:n].clamp(min=1e-12)
        return score(others.matrix() + self._first)

    def matrix(self, similarity: str) -> Tensor:
        """Return the answers so far (n, d), float32: unit vectors for the cosine."""
        n = self._known
        vectors = Compact(self._others.steps[:n], self._others.scales[:n]).matrix() + self._first
        return vectors if similarity == "dot" else vectors / self._norms[:n, None].clamp(min=1e-12)

    def heatmaps(self, score: Score, size: Size | None) -> Tensor:
        """Return the heatmaps (k, h, w) of a score."""
        return self._design.heatmaps(self.scores(score), size)

    def errors(self, score: Score, size: Size | None) -> Tensor | None:
        """Return the heatmaps' standard errors (k, h, w); None where the masks are not random."""
        return self._design.errors(self.scores(score), size)
