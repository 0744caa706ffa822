"""Designs: masks, and how the scores under them become a heatmap."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property

import torch
from torch import Tensor

from .error_model import ErrorModel
from .resample import Size
from .spread import SparseSpread, Spread

TOLERANCE = 1e-4
"""Difference from a linear map, as a share of its largest value, from which on a map is not linear."""


class Design(ABC):
    """Masks, and how the scores under them become a heatmap; the same for every explicand of one size.

    Attributes
    ----------
    n : int
        Number of masks.
    """

    n: int

    @abstractmethod
    def masks(self, start: int, stop: int) -> Tensor:
        """Return masks (k, 1, H, W) in 0..1, 1 where the explicand is kept and 0 where the baseline takes its place."""

    @abstractmethod
    def heatmaps(self, scores: Tensor, size: Size | None) -> Tensor:
        """Turn the scores (k, n) under the first n masks into heatmaps (k, h, w), linearly."""

    def errors(self, scores: Tensor, size: Size | None) -> Tensor | None:
        """Return the heatmaps' standard errors (k, h, w); None where the masks are not random."""
        return None

    @cached_property
    def score_spread(self) -> ScoreSpread | None:
        """The map from the scores under all masks to heatmaps; None where it turns out not to be linear."""
        spread = ScoreSpread(self)
        return spread if spread.is_linear() else None


class ScoreSpread(SparseSpread):
    """A spread that takes the scores under all masks of a design: its coefficients are the answers themselves.

    Parameters
    ----------
    design : Design
    """

    def __init__(self, design: Design) -> None:
        self._design = design
        self.k = design.n
        example = design.masks(0, 1)
        self.full = example.shape[-2], example.shape[-1]
        self._device = example.device
        self._matrices: dict[Size | None, Tensor] = {}

    def maps(self, values: Tensor, size: Size | None = None) -> Tensor:
        """Return the design's heatmaps of scores."""
        found = self._design.heatmaps(values.reshape(-1, self.k), size)
        return found.reshape(*values.shape[:-1], *found.shape[1:])

    def is_linear(self) -> bool:
        """Return whether it is linear for two random vectors of scores, and 0 for scores of 0."""
        one, other = torch.randn(2, self.k, generator=torch.Generator().manual_seed(0)).to(self._device)
        first, second, both, nothing = self.maps(torch.stack([one, other, one - 2 * other, 0 * one]))
        expected = first - 2 * second
        # A number that is not finite fails both comparisons.
        close = bool((both - expected).abs().max() <= TOLERANCE * expected.abs().max())
        return close and bool(nothing.abs().max() <= 0)

    def matrix(self, size: Size | None = None) -> Tensor:
        """Return the map as a sparse matrix (h · w, k), coalesced, on the CPU."""
        if size not in self._matrices:
            maps = self.maps(torch.eye(self.k, device=self._device), size)
            self._matrices[size] = maps.flatten(1).T.cpu().to_sparse().coalesce()
        return self._matrices[size]


class SummedDesign(Design):
    """A design whose heatmaps need only a few sums over the answers, and not each of them.

    An answer is what one mask gives: a score, or a representation, of whose entries each is treated like a score. The
    answers a_i are added up as ``Σ_i r_i a_iᵀ``, where the rows r_i belong to the masks. A linear map solves these sums
    for k coefficients, which a spread turns into a heatmap. A number that is added to all scores changes no heatmap.

    Attributes
    ----------
    k : int
        Number of coefficients.
    width : int
        Number of sums of each entry: the length of r_i.
    group : int
        Number of answers that are added together.
    spread : Spread
        From k numbers to heatmaps.
    """

    k: int
    width: int
    group: int = 1
    spread: Spread

    @abstractmethod
    def add(self, sums: Tensor, start: int, answers: Tensor) -> Tensor:
        """Return the sums (width, d) with the answers (m, d) to the masks from `start` on; both are float64.

        Start and m are multiples of `group`. A thread may be reading `sums`: what was added before must not change.
        """

    @abstractmethod
    def solve(self, sums: Tensor, n: int) -> Tensor:
        """Turn the sums (width, d) over the first n answers into k rows of coefficients, or more, and d columns.

        The rows after the coefficients are a sketch of the residuals, for standard errors.
        """

    def holds(self, n: int) -> bool:
        """Return whether the spread turns the coefficients of the first n answers into a heatmap."""
        return n >= self.group

    def maps(self, values: Tensor, n: int, size: Size | None) -> Tensor:
        """Turn values (j, k or more) that the first n scores were solved for into heatmaps (j, h, w)."""
        return self.spread.maps(values[:, : self.k], size)

    def error_model(self, n: int) -> ErrorModel | None:
        """Return how the noise of the first n scores reaches heatmaps; None where the masks are not random."""
        return None

    def heatmaps(self, scores: Tensor, size: Size | None) -> Tensor:
        n = scores.shape[1] // self.group * self.group
        # An offset of all scores makes no difference; without it, equal scores give exactly 0.
        answers = (scores - scores[:, :1])[:, :n].T.to(exact(scores.device))
        sums = self.add(answers.new_zeros(self.width, answers.shape[1]), 0, answers)
        return self.maps(self.solve(sums, n).T.float(), n, size)


def exact(device: torch.device) -> torch.dtype:
    """Return the most exact floating-point type of a device: float64, which not every device has."""
    return torch.float32 if device.type == "mps" else torch.float64
