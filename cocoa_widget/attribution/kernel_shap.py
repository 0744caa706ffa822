"""KernelSHAP: Shapley values of superpixels by a regression."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import torch
from torch import Tensor

from .design import SummedDesign, exact
from .method import LinearMethod
from .perturbation import PerturbationOperator
from .spread import SeparableSpread, Spread, SuperpixelSpread, even

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
        # Rows of the sums: those of random coalitions, then the answers to no player and to all.
        rows = torch.zeros(n, players + 2)
        rows[2:, :players] = self.present[2:]
        rows[0, players] = rows[1, players + 1] = 1
        self.rows = rows.to(device, exact(device))
        self._solutions: dict[int, Tensor] = {}

    def solution(self, n: int) -> Tensor:
        """Return the matrix (players, players + 2) from the sums over n scores to Shapley values.

        Least squares on the gain of each coalition over the empty one, under the constraint that the values of all
        players sum to the gain of the full one. With fewer coalitions than players it is the solution of least norm.
        """
        if n not in self._solutions:
            if len(self._solutions) > 64:
                self._solutions.clear()
            present = self.rows[2:n, :-2].cpu().double()  # not every device has doubles
            players = present.shape[1]
            inverse = torch.linalg.pinv(present.T @ present, hermitian=True, rtol=1e-9)
            ones = present.new_ones(players)
            # What the gains of the coalitions and of the full one are in terms of the sums.
            gains = torch.eye(players, players + 2).double()
            gains[:, players] = -present.sum(0)
            free = inverse @ gains
            full = gains.new_zeros(players + 2)
            full[players:] = torch.tensor([-1.0, 1.0])
            pull = inverse @ ones
            owed = full - ones @ free
            reach = ones @ pull
            # Before the first coalition, all players have equal shares.
            step = pull / reach if float(reach) > 1e-12 else ones / players
            self._solutions[n] = (free + step[:, None] * owed).to(self.rows)
        return self._solutions[n]


@lru_cache(maxsize=16)
def _coalitions(players: int, n: int, seed: int, device: torch.device) -> Coalitions:
    return Coalitions(players, n, seed, device)


class SuperpixelDesign(SummedDesign):
    """The masks of one explicand's coalitions, and its heatmap of Shapley values."""

    def __init__(self, coalitions: Coalitions, labels: Tensor, spread: Spread) -> None:
        self._coalitions, self._labels, self.spread = coalitions, labels, spread
        self.n, self.width = coalitions.rows.shape
        self.k = spread.k

    def masks(self, start: int, stop: int) -> Tensor:
        """Return masks (k, 1, H, W), 1 on the superpixels of the coalition."""
        return self._coalitions.present[start:stop][:, self._labels][:, None]

    def add(self, sums: Tensor, start: int, answers: Tensor) -> Tensor:
        """Return the sums with more answers: those of each player's coalitions, of the empty and of the full one."""
        return torch.addmm(sums, self._coalitions.rows[start : start + len(answers)].T, answers)

    def solve(self, sums: Tensor, n: int) -> Tensor:
        """Return the matrix (players, d) of Shapley values; 0 before the first coalition."""
        return self._coalitions.solution(n) @ sums if self.holds(n) else sums.new_zeros(self.k, sums.shape[1])

    def holds(self, n: int) -> bool:
        """Return whether a coalition is known beside the empty and the full one."""
        return n >= 3


@lru_cache(maxsize=16)
def _grid(cells: int, height: int, width: int, device: torch.device) -> tuple[Tensor, SeparableSpread]:
    """Return a grid of cells as labels (H, W), and its spread."""
    # An image may have fewer pixels than the grid has cells.
    rows, columns = (_dense(torch.arange(length, device=device) * cells // length) for length in (height, width))
    across = int(columns[-1]) + 1
    return rows[:, None] * across + columns, even(rows, columns)


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
        return self._superpixels(explicand)[0]

    def _superpixels(self, explicand: Tensor) -> tuple[Tensor, Spread]:
        """Return the superpixels of an explicand as labels (H, W), and their spread."""
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
        return dense, SuperpixelSpread(dense)

    def start(self, explicand: Tensor, baseline: Tensor) -> PerturbationOperator:
        labels, spread = self._superpixels(explicand)
        coalitions = _coalitions(spread.k, self.n_samples, self.seed, explicand.device)
        return PerturbationOperator(SuperpixelDesign(coalitions, labels, spread), explicand, baseline, first_heatmap=66)
