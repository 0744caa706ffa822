"""KernelSHAP: Shapley values of superpixels by a regression."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import torch
from torch import Tensor

from .method import LinearMethod
from .perturbation import PerturbationOperator
from .resample import Size
from .spread import SuperpixelSpread

Superpixels = int | Callable[[Tensor], Tensor]
"""Cells along each side of a grid, or a function from an explicand (3, H, W) to an integer label map (H, W)."""


class Coalitions:
    """Coalitions of `players` superpixels: none, all, then random ones, each followed by its complement.

    Their sizes are drawn with the probabilities of the Shapley kernel, so that the regression needs no weights.

    Attributes
    ----------
    present : Tensor
        (n, players), 1 where a superpixel is in the coalition.
    """

    def __init__(self, players: int, n: int, seed: int, device: torch.device) -> None:
        generator = torch.Generator().manual_seed(seed)
        sizes = torch.arange(1, players, dtype=torch.float64)
        kernel = 1 / (sizes * (players - sizes))
        pairs = (n - 1) // 2
        drawn = 1 + torch.multinomial(kernel, pairs, replacement=True, generator=generator)
        rank = torch.rand(pairs, players, generator=generator).argsort(1).argsort(1)
        half = (rank < drawn[:, None]).float()
        ends = torch.stack([torch.zeros(players), torch.ones(players)])
        self.present = torch.cat([ends, torch.stack([half, 1 - half], 1).flatten(0, 1)])[:n].to(device)
        self._solutions: dict[int, Tensor] = {}

    def solution(self, n: int) -> Tensor:
        """Return the matrix (players, n) from the first n scores to Shapley values; one solve for all scores.

        Least squares on the gain of each coalition over the empty one, under the constraint that the values of all
        players sum to the gain of the full one. With fewer coalitions than players it is the solution of least norm.
        """
        if n not in self._solutions:
            if len(self._solutions) > 64:
                self._solutions.clear()
            present = self.present[2:n].cpu().double()  # not every device has doubles
            inverse = torch.linalg.pinv(present.T @ present, hermitian=True, rtol=1e-9)
            ones = present.new_ones(present.shape[1])
            # The gain of each coalition and, last, of the full one, in terms of the scores.
            gains = torch.cat([present.new_zeros(n - 2, 2), torch.eye(n - 2).to(present)], 1)
            gains[:, 0] = -1
            free = inverse @ present.T @ gains
            full = gains.new_zeros(n)
            full[0], full[1] = -1, 1
            pull = inverse @ ones
            owed = full - ones @ free
            reach = ones @ pull
            # Before the first coalition, all players have equal shares.
            step = pull / reach if float(reach) > 1e-12 else ones / len(ones)
            self._solutions[n] = (free + step[:, None] * owed).float().to(self.present.device)
        return self._solutions[n]


@lru_cache(maxsize=16)
def _coalitions(players: int, n: int, seed: int, device: torch.device) -> Coalitions:
    return Coalitions(players, n, seed, device)


class SuperpixelDesign:
    """The masks of one explicand's coalitions, and its heatmap of Shapley values."""

    def __init__(self, coalitions: Coalitions, labels: Tensor) -> None:
        self._coalitions, self._labels = coalitions, labels
        self._spread = SuperpixelSpread(labels)
        self.n = len(coalitions.present)

    def masks(self, start: int, stop: int) -> Tensor:
        """Return masks (k, 1, H, W), 1 on the superpixels of the coalition."""
        return self._coalitions.present[start:stop][:, self._labels][:, None]

    def heatmaps(self, scores: Tensor, size: Size | None) -> Tensor:
        """Turn scores (k, n) into heatmaps (k, h, w): each Shapley value, spread evenly over its superpixel."""
        if scores.shape[1] < 3:
            return scores.new_zeros(len(scores), *self._labels.shape)
        return self._spread.maps(scores @ self._coalitions.solution(scores.shape[1]).T, size)

    def spread(self, n: int) -> SuperpixelSpread | None:
        """Return the map from Shapley values to heatmaps; None before the first coalition."""
        return self._spread if n >= 3 else None

    def coefficients(self, representations: Tensor) -> Tensor:
        """Turn the representations (n, d) under the first n coalitions into the matrix (players, d) of their values."""
        return self._coalitions.solution(len(representations)) @ representations

    def errors(self, scores: Tensor, size: Size | None) -> Tensor | None:
        """Return None: standard errors are not estimated."""
        return None


@lru_cache(maxsize=16)
def _grid(cells: int, height: int, width: int, device: torch.device) -> Tensor:
    rows, columns = (torch.arange(length, device=device) * cells // length for length in (height, width))
    labels = rows[:, None] * cells + columns
    return _dense(labels)  # an image may have fewer pixels than the grid has cells


def _dense(labels: Tensor) -> Tensor:
    """Renumber labels as 0, 1, 2 … without gaps."""
    found: Tensor = torch.unique(labels, return_inverse=True)[1]
    return found


@dataclass(frozen=True)
class KernelSHAP(LinearMethod):
    """KernelSHAP (Lundberg & Lee, NeurIPS 2017) on superpixels, as an operator.

    Coalitions come in pairs of complements (Covert & Lee, AISTATS 2021). A superpixel's Shapley value is spread evenly
    over its pixels: the heatmap's sum is gamma of the explicand less gamma of its baseline.

    Parameters
    ----------
    superpixels : int or callable
        Cells along each side of a grid; or a function from an explicand (3, H, W) to an integer label map (H, W),
        such as a segmentation.
    n_samples : int
        Number of coalitions, each one encoder pass.
    seed : int
        Same seed, same coalitions.
    follow_edges : bool
        Whether heatmaps end with a guided filter; see `LinearMethod`.
    """

    superpixels: Superpixels = 8
    n_samples: int = 1024
    seed: int = 0
    follow_edges: bool = False

    name: ClassVar[str] = "kernel_shap"
    label: ClassVar[str] = "KernelSHAP"
    hint: ClassVar[str] = "Shapley values of a grid's cells; works with every encoder, and sharpens as it goes"

    def __post_init__(self) -> None:
        if isinstance(self.superpixels, int) and self.superpixels < 2:
            raise ValueError(f"KernelSHAP needs at least 2 superpixels a side, not {self.superpixels}.")
        if self.n_samples < 4:
            raise ValueError(f"KernelSHAP needs n_samples of at least 4, not {self.n_samples}.")

    def labels(self, explicand: Tensor) -> Tensor:
        """Return the superpixels of an explicand (3, H, W) as labels 0 … players − 1: (H, W), int64."""
        height, width = explicand.shape[-2:]
        if isinstance(self.superpixels, int):
            return _grid(self.superpixels, height, width, explicand.device)
        labels = torch.as_tensor(self.superpixels(explicand), device=explicand.device)
        if labels.shape != (height, width) or labels.is_floating_point():
            raise ValueError(
                f"superpixels must return an integer label map ({height}, {width}), not {labels.dtype} of the shape"
                f" {tuple(labels.shape)}."
            )
        dense = _dense(labels)
        if int(dense.max()) < 1:
            raise ValueError("superpixels gave the same label to every pixel: KernelSHAP needs at least 2 superpixels.")
        return dense

    def start(self, explicand: Tensor, baseline: Tensor) -> PerturbationOperator:
        labels = self.labels(explicand)
        players = int(labels.max()) + 1
        coalitions = _coalitions(players, self.n_samples, self.seed, explicand.device)
        return PerturbationOperator(SuperpixelDesign(coalitions, labels), explicand, baseline, first_heatmap=66)
