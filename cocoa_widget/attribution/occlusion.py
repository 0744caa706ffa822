"""Occlusion: how far the score falls when a window is hidden."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import torch
from torch import Tensor

from .method import LinearMethod
from .perturbation import PerturbationOperator
from .resample import Size, averaging, smaller
from .spread import SeparableSpread


class Windows:
    """Masks: the first hides nothing, each other one hides one window.

    The windows come in random order, so that the first few already lie all over the image.
    """

    def __init__(self, window: int, stride: int, height: int, width: int, device: torch.device) -> None:
        self.size = (height, width)
        self._rows, self._columns = (_hidden(window, stride, length, device) for length in self.size)
        across = len(self._columns)
        order = torch.randperm(len(self._rows) * across, generator=torch.Generator().manual_seed(0)).to(device)
        self._row, self._column = order // across, order % across
        self.n = 1 + len(order)

    def masks(self, start: int, stop: int) -> Tensor:
        """Return masks (k, 1, H, W), 0 inside the window."""
        masks = torch.ones(stop - start, 1, *self.size, device=self._rows.device)
        first = max(start - 1, 0)
        hidden = self._rows[self._row[first : stop - 1], :, None] * self._columns[self._column[first : stop - 1], None]
        masks[len(masks) - len(hidden) :, 0] -= hidden
        return masks

    def heatmaps(self, scores: Tensor, size: Size | None) -> Tensor:
        """Turn scores (k, n) into heatmaps (k, h, w): the mean fall of the score over the windows that hid a pixel."""
        n = scores.shape[1] - 1
        row, column = self._row[:n], self._column[:n]
        falls = scores.new_zeros(len(scores), len(self._rows), len(self._columns))
        falls[:, row, column] = scores[:, :1] - scores[:, 1:]
        hid = scores.new_zeros(len(self._rows), len(self._columns))
        hid[row, column] = 1
        maps = self._rows.T @ falls @ self._columns / (self._rows.T @ hid @ self._columns).clamp(min=1)
        tall, wide = smaller(size, self.size)
        rows, columns = averaging(self.size[0], tall, maps.device), averaging(self.size[1], wide, maps.device)
        return maps if (tall, wide) == self.size else rows @ maps @ columns.T

    def spread(self, n: int) -> SeparableSpread | None:
        """Return the map from falls to heatmaps; None until all windows have been hidden.

        Until then, a pixel's divisor depends on which of its windows have been hidden.
        """
        return SeparableSpread((len(self._rows), len(self._columns)), self.size, self._factors) if n == self.n else None

    def _factors(self, size: Size) -> tuple[Tensor, Tensor]:
        factors = [windows.T / windows.sum(0)[:, None] for windows in (self._rows, self._columns)]
        rows, columns = (
            factor if len(factor) == small else averaging(len(factor), small, factor.device) @ factor
            for factor, small in zip(factors, size, strict=True)
        )
        return rows, columns

    def coefficients(self, representations: Tensor) -> Tensor:
        """Turn the representations (n, d) under all masks into the falls of each window (windows, d), row by row."""
        falls = torch.empty_like(representations[1:])
        falls[self._row * len(self._columns) + self._column] = representations[:1] - representations[1:]
        return falls

    def errors(self, scores: Tensor, size: Size | None) -> Tensor | None:
        """Return None: the windows are no sample of more."""
        return None


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
