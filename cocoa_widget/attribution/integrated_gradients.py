"""Integrated gradients: the gradient, integrated along the line from a baseline to the explicand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from ..encoders import Gradients
from .method import GradientMethod, GradientRun
from .resample import Size, shrink


@lru_cache(maxsize=16)
def _quadrature(steps: int, rule: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return positions in 0..1 and weights: both ends, then the rule's nodes.

    The ends have weight 0; their scores give the completeness gap. The nodes are in van der Corput order: the first few
    already cover the whole line, and give a coarse heatmap.
    """
    if rule == "midpoint":
        nodes, weights = (2 * np.arange(steps) + 1) / steps - 1, np.full(steps, 2 / steps)
    else:
        nodes, weights = np.polynomial.legendre.leggauss(steps)
    bits = max(1, (steps - 1).bit_length())
    order = [j for i in range(2**bits) if (j := int(f"{i:0{bits}b}"[::-1], 2)) < steps]
    positions = [0.0, 1.0, *((nodes[order] + 1) / 2).tolist()]
    return tuple(positions), (0.0, 0.0, *(weights[order] / 2).tolist())


class IntegratedGradientsRun(GradientRun):
    """The running weighted sum of gradients for one explicand and one direction."""

    first_heatmap = 2 + 6

    def __init__(self, method: IntegratedGradients, explicand: Tensor, baseline: Tensor) -> None:
        self._positions, self._weights = _quadrature(method.steps, method.rule)
        self._baseline, self._difference = baseline, explicand - baseline
        self._sum = torch.zeros_like(explicand)
        self._weight = 0.0
        self._ends: list[float] = []
        self.total = len(self._positions)

    def inputs(self, count: int) -> Tensor:
        positions = self._sum.new_tensor(self._positions[self.done : self.done + count])
        return torch.addcmul(self._baseline, positions[:, None, None, None], self._difference)

    def accept(self, found: Gradients) -> None:
        values, gradients = found.values, found.gradients
        stop = self.done + len(values)
        if self.done < 2:
            self._ends += values[: 2 - self.done].tolist()
        weights = gradients.new_tensor(self._weights[self.done : stop])
        self._sum += torch.einsum("k,kchw->chw", weights, gradients)
        self._weight += float(weights.sum())
        self.done = stop

    def heatmap(self, size: Size | None = None) -> Tensor:
        # Until the last node, the sum is scaled as if the missing nodes were like the others.
        return shrink((self._difference * self._sum).sum(0) / max(self._weight, 1e-12), size)

    @property
    def gap(self) -> float | None:
        if len(self._ends) < 2:
            return None
        return self._ends[1] - self._ends[0] - float(self.heatmap().sum())


@dataclass(frozen=True)
class IntegratedGradients(GradientMethod):
    """Integrated gradients (Sundararajan et al., ICML 2017).

    Channels are summed, so that the heatmap's sum is gamma of the explicand less gamma of its baseline; the
    rest is reported as the gap.

    Parameters
    ----------
    steps : int
        Nodes of the quadrature, each one forward and backward pass.
    rule : {"gauss_legendre", "midpoint"}
        The quadrature: Gauss–Legendre is far more exact for smooth encoders; the midpoint rule has equal steps.
    """

    steps: int = 50
    rule: Literal["gauss_legendre", "midpoint"] = "gauss_legendre"

    name: ClassVar[str] = "integrated_gradients"
    label: ClassVar[str] = "Integrated gradients"
    hint: ClassVar[str] = "Pixel by pixel; every change of the bins takes new passes"
    pixelwise: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"IntegratedGradients needs at least 1 step, not {self.steps}.")
        if self.rule not in ("gauss_legendre", "midpoint"):
            raise ValueError(f"Unknown rule {self.rule!r}: choose 'gauss_legendre' or 'midpoint'.")

    def start(self, explicand: Tensor, baseline: Tensor) -> IntegratedGradientsRun:
        return IntegratedGradientsRun(self, explicand, baseline)
