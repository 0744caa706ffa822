"""RISE: what an image scores when random parts of it are removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from .masks import MaskBank, mask_bank
from .method import LinearMethod, Size
from .perturbation import PerturbationOperator
from .resample import smaller

FIRST_PICTURE = 48


class RISEDesign:
    """A mask bank, and how `method` reads heatmaps from the scores."""

    def __init__(self, method: RISE, bank: MaskBank) -> None:
        self._method, self._bank = method, bank
        self.n = method.n_masks

    def masks(self, start: int, stop: int) -> Tensor:
        return self._bank.masks(start, stop)

    def heatmaps(self, scores: Tensor, size: Size | None) -> Tensor:
        if self._method.estimator == "centred":
            scores = scores - scores.mean(1, keepdim=True)
        n = scores.shape[1]
        return self._bank.combine(scores / (n * self._method.p), smaller(size, self._bank.size))

    def errors(self, scores: Tensor, size: Size | None) -> Tensor | None:
        return None


@dataclass(frozen=True)
class RISE(LinearMethod):
    """Randomised input sampling (Petsiuk et al., BMVC 2018), as an operator.

    The score of the explicand under a mask is linear in the direction, so the masked explicand is encoded once and
    every later direction is two matrix products.

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
    estimator : {"centred", "plain"}
        ``"plain"`` is the paper's: cells kept independently, ``Σ s_i m_i / (N p)``. ``"centred"`` keeps exactly the
        share `p` of each mask's cells and takes the scores' mean off first (a control variate): the same picture, up to
        its offset, from far fewer masks.
    """

    n_masks: int = 1024
    grid: int = 7
    p: float = 0.5
    seed: int = 0
    estimator: Literal["centred", "plain"] = "centred"

    name: ClassVar[str] = "rise"
    label: ClassVar[str] = "RISE"
    hint: ClassVar[str] = "Hides random parts; works with every encoder, and sharpens as it goes"

    def __post_init__(self) -> None:
        if self.n_masks < 2:
            raise ValueError(f"RISE needs n_masks of at least 2, not {self.n_masks}.")
        if self.grid < 1:
            raise ValueError(f"RISE needs a grid of at least 1 cell, not {self.grid}.")
        if not 0 < self.p < 1:
            raise ValueError(f"RISE needs p between 0 and 1, not {self.p}.")
        if self.estimator not in ("centred", "plain"):
            raise ValueError(f"Unknown estimator {self.estimator!r}: choose 'centred' or 'plain'.")

    def _bank(self, height: int, width: int, device: torch.device) -> MaskBank:
        balanced = self.estimator == "centred"
        return mask_bank(self.n_masks, self.grid, self.p, balanced, self.seed, height, width, device)

    def masks(self, height: int, width: int) -> Tensor:
        """Return the masks that this method uses: (n_masks, 1, height, width), float32, in 0..1, 1 where kept."""
        return self._bank(height, width, torch.device("cpu")).masks(0, self.n_masks)

    def start(self, explicand: Tensor, baseline: Tensor) -> PerturbationOperator:
        design = RISEDesign(self, self._bank(explicand.shape[-2], explicand.shape[-1], explicand.device))
        return PerturbationOperator(design, explicand, baseline, FIRST_PICTURE)
