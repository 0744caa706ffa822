"""RISE: what an image scores when random parts of it are removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from ..encoders import Encoded
from .masks import MaskBank, mask_bank
from .method import LinearMethod, Operator, Size
from .resample import smaller

FIRST_PICTURE = 48


class RISEOperator(Operator):
    """Unit representations (N × d) of one masked explicand."""

    first_picture = FIRST_PICTURE

    def __init__(self, method: RISE, explicand: Tensor, baseline: Tensor) -> None:
        self._method = method
        self._bank = method._bank(explicand.shape[-2], explicand.shape[-1], explicand.device)
        self._inputs: tuple[Tensor, Tensor] | None = (
            baseline[None].contiguous(memory_format=torch.channels_last),
            (explicand - baseline)[None].contiguous(memory_format=torch.channels_last),
        )
        self._unit = torch.empty(0, 0)
        self._norm = torch.empty(0)
        self.total = method.n_masks

    @property
    def nbytes(self) -> int:
        tensors = [self._unit, self._norm, *(self._inputs or ())]
        return sum(t.numel() * t.element_size() for t in tensors)

    def inputs(self, count: int) -> Tensor:
        if self._inputs is None:
            raise RuntimeError("This operator is complete.")
        baseline, difference = self._inputs
        masks = self._bank.masks(self.done, min(self.done + count, self.total))
        return torch.addcmul(baseline, masks, difference)

    def accept(self, encoded: Encoded) -> None:
        vectors = encoded.representations
        if self.done == 0:
            self._unit = vectors.new_empty(self.total, vectors.shape[1])
            self._norm = vectors.new_empty(self.total)
        stop = self.done + len(vectors)
        self._unit[self.done : stop] = F.normalize(vectors, dim=1)
        self._norm[self.done : stop] = vectors.norm(dim=1)
        self.done = stop
        if self.complete:
            self._inputs = None

    def apply(self, directions: Tensor, similarity: str, size: Size | None = None) -> Tensor:
        n = self.done
        scores = directions @ self._unit[:n].T
        if similarity == "dot":
            scores = scores * self._norm[:n]
        if self._method.estimator == "centred":
            scores = scores - scores.mean(1, keepdim=True)
        return self._bank.combine(scores / (n * self._method.p), smaller(size, self._bank.size))


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

    def start(self, explicand: Tensor, baseline: Tensor) -> RISEOperator:
        return RISEOperator(self, explicand, baseline)
