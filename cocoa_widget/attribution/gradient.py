"""Methods that average gradients at points: Saliency, Input×Gradient, SmoothGrad, GradientSHAP."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ..encoders import Gradients
from .method import GradientMethod, GradientRun
from .resample import Size, shrink


class PointRun(GradientRun):
    """The mean over a method's points of gradient × factor."""

    def __init__(self, method: PointMethod, explicand: Tensor, baseline: Tensor) -> None:
        self._method, self._explicand, self._baseline = method, explicand, baseline
        self._sum = torch.zeros_like(explicand)
        self.total = method.points
        self.first_heatmap = min(6, method.points)

    def _drawn(self, start: int, stop: int) -> tuple[Tensor, Tensor]:
        pairs = [self._method.draw(i, self._explicand, self._baseline) for i in range(start, stop)]
        return torch.stack([point for point, _ in pairs]), torch.stack([factor for _, factor in pairs])

    def inputs(self, count: int) -> Tensor:
        return self._drawn(self.done, min(self.done + count, self.total))[0]

    def accept(self, found: Gradients) -> None:
        stop = self.done + len(found.values)
        self._sum += (found.gradients * self._drawn(self.done, stop)[1]).sum(0)
        self.done = stop

    def heatmap(self, size: Size | None = None) -> Tensor:
        return shrink(self._sum.sum(0) / max(self.done, 1), size)


class PointMethod(GradientMethod):
    """A method whose heatmap is the mean over points of gradient × factor, summed over channels."""

    pixelwise: ClassVar[bool] = True
    points: int
    """Number of points, each one forward and backward pass."""

    @abstractmethod
    def draw(self, index: int, explicand: Tensor, baseline: Tensor) -> tuple[Tensor, Tensor]:
        """Return point number `index` (3, H, W), and the factor of its gradient (broadcast to 3, H, W).

        They depend on the arguments alone, so that results do not depend on batches.
        """

    def start(self, explicand: Tensor, baseline: Tensor) -> PointRun:
        return PointRun(self, explicand, baseline)


def _normal(seed: int, index: int, like: Tensor) -> tuple[Tensor, float]:
    """Return standard normal noise in the shape of `like`, and a uniform number in 0..1, of a seed and an index."""
    generator = torch.Generator().manual_seed((seed << 20) + index)
    noise = torch.randn(like.shape, generator=generator).to(like)
    return noise, float(torch.rand(1, generator=generator))


def _check(name: str, samples: int, noise: float, seed: int) -> None:
    if samples < 1:
        raise ValueError(f"{name} needs at least 1 sample, not {samples}.")
    if noise < 0:
        raise ValueError(f"{name} needs a noise of at least 0, not {noise}.")
    if seed < 0:
        raise ValueError(f"{name} needs a seed of at least 0, not {seed}.")


@dataclass(frozen=True)
class Saliency(PointMethod):
    """The gradient of the score (Simonyan et al., ICLR workshop 2014), signed and summed over channels."""

    points: ClassVar[int] = 1  # type: ignore[misc]
    name: ClassVar[str] = "saliency"
    label: ClassVar[str] = "Saliency"
    hint: ClassVar[str] = "The score's gradient: which pixels would change it most"

    def draw(self, index: int, explicand: Tensor, baseline: Tensor) -> tuple[Tensor, Tensor]:
        return explicand, torch.ones_like(explicand[:, :1, :1])


@dataclass(frozen=True)
class InputXGradient(PointMethod):
    """Input × gradient (Shrikumar et al., 2016), summed over channels; the input is the preprocessed explicand."""

    points: ClassVar[int] = 1  # type: ignore[misc]
    name: ClassVar[str] = "input_x_gradient"
    label: ClassVar[str] = "Input × gradient"
    hint: ClassVar[str] = "The gradient times the input: exact for a linear encoder and a baseline of zeros"

    def draw(self, index: int, explicand: Tensor, baseline: Tensor) -> tuple[Tensor, Tensor]:
        return explicand, explicand


@dataclass(frozen=True)
class SmoothGrad(PointMethod):
    """SmoothGrad (Smilkov et al., 2017): the mean gradient over noisy copies, summed over channels.

    Parameters
    ----------
    samples : int
        Number of noisy copies, each one forward and backward pass.
    noise : float
        Standard deviation of the noise, as a share of the explicand's range of values.
    seed : int
        Same seed, same noise.
    """

    samples: int = 25
    noise: float = 0.15
    seed: int = 0

    name: ClassVar[str] = "smoothgrad"
    label: ClassVar[str] = "SmoothGrad"
    hint: ClassVar[str] = "The gradient, averaged over noisy copies"

    def __post_init__(self) -> None:
        _check("SmoothGrad", self.samples, self.noise, self.seed)

    @property
    def points(self) -> int:  # type: ignore[override]
        """Number of noisy copies."""
        return self.samples

    def draw(self, index: int, explicand: Tensor, baseline: Tensor) -> tuple[Tensor, Tensor]:
        noise, _ = _normal(self.seed, index, explicand)
        return explicand + self.noise * _range(explicand) * noise, torch.ones_like(explicand[:, :1, :1])


@dataclass(frozen=True)
class GradientSHAP(PointMethod):
    """GradientSHAP (Lundberg & Lee, 2017; Erion et al., 2021): expected gradients between baseline and noisy explicand.

    Each sample adds noise to the explicand, picks a point between that and the explicand's own baseline, and multiplies
    the gradient there by their difference. In expectation, without noise, it is integrated gradients.

    Parameters
    ----------
    samples : int
        Number of points, each one forward and backward pass.
    noise : float
        Standard deviation of the noise, as a share of the explicand's range of values. For a normalised photograph
        0.05 is about 0.2 in units of its values, the standard deviation of the paper.
    seed : int
        Same seed, same draws.
    """

    samples: int = 50
    noise: float = 0.05
    seed: int = 0

    name: ClassVar[str] = "gradient_shap"
    label: ClassVar[str] = "GradientSHAP"
    hint: ClassVar[str] = "Gradients at random points on the way from the baseline"

    def __post_init__(self) -> None:
        _check("GradientSHAP", self.samples, self.noise, self.seed)

    @property
    def points(self) -> int:  # type: ignore[override]
        """Number of points."""
        return self.samples

    def draw(self, index: int, explicand: Tensor, baseline: Tensor) -> tuple[Tensor, Tensor]:
        noise, position = _normal(self.seed, index, explicand)
        difference = explicand + self.noise * _range(explicand) * noise - baseline
        return baseline + position * difference, difference


def _range(explicand: Tensor) -> Tensor:
    return explicand.max() - explicand.min()
