"""Random heatmaps: the control that every method must beat."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ..contrast import Score
from ..encoders import Encoded
from .method import LinearMethod, Operator
from .resample import Size, shrink


class RandomOperator(Operator):
    """The noise of one explicand, which needs no encoder pass."""

    total = 0

    def __init__(self, values: Tensor) -> None:
        self._values = values

    @property
    def nbytes(self) -> int:
        return self._values.numel() * self._values.element_size()

    def inputs(self, count: int) -> Tensor:
        raise RuntimeError("This operator is complete: it has no inputs left.")

    def accept(self, encoded: Encoded) -> None:
        raise RuntimeError("This operator is complete: it has no inputs left.")

    def apply(self, score: Score, size: Size | None = None) -> Tensor:
        return shrink(self._values.expand(score.k, -1, -1), size)


@dataclass(frozen=True)
class Random(LinearMethod):
    """Standard normal noise, independent of encoder and bins: the paper's random baseline.

    Parameters
    ----------
    seed : int
        Same seed and explicand, same noise.
    """

    seed: int = 0

    name: ClassVar[str] = "random"
    label: ClassVar[str] = "Random"
    hint: ClassVar[str] = "Noise, to compare with: explains nothing"

    def start(self, explicand: Tensor, baseline: Tensor) -> RandomOperator:
        # The explicand's pixels are part of the seed: its noise does not depend on what else is explained.
        pixels = explicand.float().cpu().contiguous().numpy().tobytes()
        digest = hashlib.blake2b(pixels, digest_size=7, salt=str(self.seed).encode()[:16]).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(digest, "big"))
        return RandomOperator(torch.randn(explicand.shape[-2:], generator=generator).to(explicand.device))
