"""RISE: the score of an explicand while random parts of it are removed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from .design import Design
from .masks import MaskBank, draw_grids, draw_shifts
from .method import LinearMethod
from .perturbation import PerturbationOperator
from .resample import Size, smaller
from .rise_regression import regression_design

FIRST_HEATMAP = 32
"""Masks after which a heatmap is worth showing."""
ERROR_SIZE = 56
"""Side at which the standard errors of plain RISE are computed: they are as smooth as the masks."""


class PlainDesign(Design):
    """The paper's estimator: masks of independent cells, summed with their scores as weights."""

    def __init__(self, n: int, grid: int, p: float, seed: int, height: int, width: int, device: torch.device) -> None:
        generator = torch.Generator().manual_seed(seed)
        grids = draw_grids(n, grid, p, False, generator)
        rows, columns = draw_shifts(n, grid, height, width, generator)
        self.n, self._p = n, p
        self._bank = MaskBank(grids.to(device), (rows.to(device), columns.to(device)), height, width)

    def masks(self, start: int, stop: int) -> Tensor:
        """Return masks (k, 1, H, W)."""
        return self._bank.masks(start, stop)

    def heatmaps(self, scores: Tensor, size: Size | None) -> Tensor:
        """Turn scores (k, n) into heatmaps (k, h, w): ``Σ_i s_i m_i / (n p)``."""
        return self._bank.combine(scores / (scores.shape[1] * self._p), smaller(size, self._bank.size))

    def errors(self, scores: Tensor, size: Size | None) -> Tensor:
        """Return the standard errors (k, h, w) of the heatmaps."""
        size, n = smaller(size, self._bank.size), scores.shape[1]
        masks = self._bank.small((min(ERROR_SIZE, size[0]), min(ERROR_SIZE, size[1])))[:n]
        each = masks.flatten(1) / self._p
        mean, square = scores @ each / n, scores.square() @ each.square() / n
        errors = ((square - mean.square()).clamp(min=0) / max(n - 1, 1)).sqrt().reshape(-1, 1, *masks.shape[1:])
        return F.interpolate(errors, size=size, mode="bilinear", align_corners=False)[:, 0]


@lru_cache(maxsize=8)
def plain_design(n: int, grid: int, p: float, seed: int, height: int, width: int, device: torch.device) -> PlainDesign:
    """Return the design of these settings; explicands share it."""
    return PlainDesign(n, grid, p, seed, height, width, device)


@dataclass(frozen=True)
class RISE(LinearMethod):
    """Randomised input sampling (Petsiuk et al., BMVC 2018), as an operator.

    The score of the explicand under a mask is linear in the direction, so masked explicands are encoded once and
    every later direction costs a few small matrix products.

    Parameters
    ----------
    n_masks : int
        Number of masks, each one encoder pass.
    grid : int
        Cells along each side of a mask's grid.
    p : float
        Share of the cells that are kept.
    seed : int
        Same seed, same masks.
    estimator : {"regression", "plain"}
        ``"plain"`` is the paper's: cells are kept independently, and the heatmap is ``Σ s_i m_i / (N p)``.
        ``"regression"`` needs a fraction of the masks to estimate what the plain heatmap converges to, up to an offset:
        masks come in pairs of complements, the most informative first, and scores are explained by coarse masks in a
        ridge regression (see `rise_regression`). Its standard errors come from a random sketch of the residuals,
        and are off by about 18 %.
    follow_edges : bool
        Whether heatmaps end with a guided filter; see `LinearMethod`.
    """

    n_masks: int = 1024
    grid: int = 7
    p: float = 0.5
    seed: int = 0
    estimator: Literal["regression", "plain"] = "regression"
    follow_edges: bool = False

    name: ClassVar[str] = "rise"
    label: ClassVar[str] = "RISE"
    hint: ClassVar[str] = "Hides random parts: slower, and the reference for which pixels the score depends on"
    estimates_error: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.n_masks < 2:
            raise ValueError(f"RISE needs n_masks of at least 2, not {self.n_masks}.")
        if self.grid < 1:
            raise ValueError(f"RISE needs a grid of at least 1 cell, not {self.grid}.")
        if not 0 < self.p < 1:
            raise ValueError(f"RISE needs p between 0 and 1, not {self.p}.")
        if self.estimator not in ("regression", "plain"):
            raise ValueError(f"Unknown estimator {self.estimator!r}: choose 'regression' or 'plain'.")

    def _design(self, height: int, width: int, device: torch.device) -> Design:
        made = regression_design if self.estimator == "regression" else plain_design
        return made(self.n_masks, self.grid, self.p, self.seed, height, width, device)

    def masks(self, height: int, width: int) -> Tensor:
        """Return the masks that this method uses: (n_masks, 1, height, width), float32, in 0..1, 1 where kept."""
        return self._design(height, width, torch.device("cpu")).masks(0, self.n_masks)

    def start(self, explicand: Tensor, baseline: Tensor) -> PerturbationOperator:
        design = self._design(explicand.shape[-2], explicand.shape[-1], explicand.device)
        return PerturbationOperator(design, explicand, baseline, FIRST_HEATMAP)
