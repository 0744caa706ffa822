"""Occlusion: how far the score falls when a window is hidden."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import torch
from torch import Tensor

from .design import SummedDesign
from .method import LinearMethod
from .perturbation import PerturbationOperator
from .resample import Size, shrink
from .spread import separable


class Windows(SummedDesign):
    """Masks: the first hides nothing, each other one hides one window.

    The windows come in random order, so that the first few already lie all over the image. The sums are the answer to
    the first mask, then those to the windows row by row; the coefficients are how far each is below the first.
    """

    def __init__(self, window: int, stride: int, height: int, width: int, device: torch.device) -> None:
        self.size = (height, width)
        self._rows, self._columns = (_hidden(window, stride, length, device) for length in self.size)
        self.spread = separable(*(hidden.T / hidden.sum(0)[:, None] for hidden in (self._rows, self._columns)))
        self.k = self.spread.k
        order = torch.randperm(self.k, generator=torch.Generator().manual_seed(0)).to(device)
        self._row, self._column = order // len(self._columns), order % len(self._columns)
        self._place = torch.cat([order.new_zeros(1), 1 + order])  # of each mask's answer in the sums
        self.n = self.width = 1 + self.k

    def masks(self, start: int, stop: int) -> Tensor:
        """Return masks (k, 1, H, W), 0 inside the window."""
        masks = torch.ones(stop - start, 1, *self.size, device=self._rows.device)
        first = max(start - 1, 0)
        hidden = self._rows[self._row[first : stop - 1], :, None] * self._columns[self._column[first : stop - 1], None]
        masks[len(masks) - len(hidden) :, 0] -= hidden
        return masks

    def add(self, sums: Tensor, start: int, answers: Tensor) -> Tensor:
        """Write the answers into their rows, which are not read before."""
        sums[self._place[start : start + len(answers)]] = answers
        return sums

    def solve(self, sums: Tensor, n: int) -> Tensor:
        """Return the falls of each window (windows, d), row by row; 0 where none is known yet."""
        falls = torch.zeros_like(sums[1:])
        known = self._place[1:n]
        falls[known - 1] = sums[0] - sums[known]
        return falls

    def holds(self, n: int) -> bool:
        """Return whether all windows have been hidden; until then, a pixel's divisor depends on which."""
        return n == self.n

    def maps(self, values: Tensor, n: int, size: Size | None) -> Tensor:
        """Turn falls (j, windows) into heatmaps (j, h, w): the mean fall over the windows that hid a pixel."""
        if self.holds(n):
            return self.spread.maps(values, size)
        falls = values.reshape(len(values), len(self._rows), len(self._columns))
        hid = torch.zeros_like(falls[0])
        hid[self._row[: n - 1], self._column[: n - 1]] = 1
        maps = self._rows.T @ falls @ self._columns / (self._rows.T @ hid @ self._columns).clamp(min=1)
        return shrink(maps, size)


def _hidden(window: int, stride: int, length: int, device: torch.device) -> Tensor:
    """Return the pixels that each window hides along one axis: (windows, length), 1 where hidden.

    The last window may reach over the edge.
    """
    window = min(window, length)
    starts = torch.arange(-(-(length - window) // stride) + 1, device=device) * stride
    pixels = torch.arange(length, device=device)
    return ((pixels >= starts[:, None]) & (pixels < starts[:, None] + window)).float()


@lru_cache(maxsize=8)
def _windows(window: int, stride: int, height: int, width: int, device: torch.device) -> Windows:
    return Windows(window, stride, height, width, device)


@dataclass(frozen=True)
class Occlusion(LinearMethod):
    """Occlusion (Zeiler & Fergus, ECCV 2014), as an operator.

    Each pixel's value is the mean fall of the score over the windows that hid it.

    Parameters
    ----------
    window : int
        Side of the hidden square in pixels.
    stride : int
        Pixels from one window to the next.
    follow_edges : bool
        Whether heatmaps end with a guided filter; see `LinearMethod`.
    """

    window: int = 32
    stride: int = 16
    follow_edges: bool = False

    name: ClassVar[str] = "occlusion"
    label: ClassVar[str] = "Occlusion"
    hint: ClassVar[str] = "Hides one window after the other; works with every encoder"

    def __post_init__(self) -> None:
        if not 1 <= self.stride <= self.window:
            raise ValueError(
                f"Occlusion needs a stride between 1 and its window ({self.window}), so that no pixel is left out, not"
                f" {self.stride}."
            )

    def start(self, explicand: Tensor, baseline: Tensor) -> PerturbationOperator:
        windows = _windows(self.window, self.stride, explicand.shape[-2], explicand.shape[-1], explicand.device)
        return PerturbationOperator(windows, explicand, baseline, first_heatmap=33)
