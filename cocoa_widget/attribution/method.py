"""What an attribution method is: it makes inputs, its caller encodes them, and it makes a heatmap of the results.

A method never runs an encoder itself. It hands out inputs and takes back what the encoder made of them, in slices of
whatever size suits the caller. So one function (`batches.advance`) batches over explicands and methods alike, results
cannot depend on the slices, a preparation can be shown half-way, and cancelling one means not to go on.

There are three kinds, and a method of your own is a subclass of one of them:

- `LinearMethod`: perturb and encode once; then any score is a matrix product (`perturbation.PerturbationMethod` does
  all of it but the masks and how scores become a heatmap).
- `GradientMethod`: differentiate the score at some inputs, for each score anew.
- `DirectMethod`: anything else, given the score as a function of inputs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor

from ..contrast import Score
from ..encoders import Encoded, Encoder, EncoderError, FeatureKind, Gradients
from .resample import Size, shrink


class Preparation(ABC):
    """Work on one explicand, `done` of `total` encoder passes of one image each."""

    total: int
    done: int = 0
    first_heatmap: int = 1
    """Passes after which a heatmap is worth looking at."""

    @property
    def complete(self) -> bool:
        """Whether no passes are left."""
        return self.done >= self.total

    @property
    def progress(self) -> float:
        """How far it is, 0 to 1."""
        return 1.0 if self.complete else self.done / self.total

    @property
    def presentable(self) -> bool:
        """Whether there is a heatmap worth looking at."""
        return self.done >= min(self.first_heatmap, self.total)


class Operator(Preparation):
    """A map from scores to heatmaps, for one explicand, linear in the direction of linear scores: ``heatmap = A w``.

    Once prepared, every question costs matrix products and no encoder pass.
    """

    features: ClassVar[FeatureKind | None] = None
    """Which feature maps `accept` wants beside the representations."""

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Memory that it holds, in bytes."""

    @abstractmethod
    def inputs(self, count: int) -> Tensor:
        """Return the next inputs to encode: (k, 3, H, W) with k ≤ `count`."""

    @abstractmethod
    def accept(self, encoded: Encoded) -> None:
        """Take what the encoder made of the inputs that were handed out last."""

    @abstractmethod
    def apply(self, score: Score, size: Size | None = None) -> Tensor:
        """Compute heatmaps from what is known so far.

        Parameters
        ----------
        score : Score
            What is explained, k numbers for each representation.
        size : (int, int), optional
            Height and width to average the heatmap down to; the encoder's input size by default.

        Returns
        -------
        Tensor
            (k, h, w), float32.
        """

    def error(self, score: Score, size: Size | None = None) -> Tensor | None:
        """Estimate the standard error of `apply`'s heatmaps (k, h, w); None for methods that draw nothing at random."""
        return None


class Run(Preparation):
    """One run of a method for one explicand and one score; another score needs another run."""

    @abstractmethod
    def heatmap(self, size: Size | None = None) -> Tensor:
        """Return the heatmap (h, w) known so far, float32."""

    @property
    def gap(self) -> float | None:
        """How much the heatmap's sum misses what it should be, in units of the score; None where nothing is owed."""
        return None


class GradientRun(Run):
    """A heatmap that is made of the score's gradients."""

    layer: str | None = None
    """Where to differentiate: at the inputs (None), or at the output of the encoder's submodule of this name."""

    @abstractmethod
    def inputs(self, count: int) -> Tensor:
        """Return the next inputs to differentiate at: (k, 3, H, W) with k ≤ `count`."""

    @abstractmethod
    def accept(self, found: Gradients) -> None:
        """Take the scores and gradients at the inputs that were handed out last."""


class Method(ABC):
    """The settings of an attribution method.

    Attributes
    ----------
    name, label, hint : str
        The name in code, on the page, and one line on what it does.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    hint: ClassVar[str]
    linear: ClassVar[bool]
    """Whether heatmaps are linear in the direction, so that `start` makes an `Operator`."""
    refusal: ClassVar[type[EncoderError]] = EncoderError
    """What is raised for an encoder that lacks what the method needs."""

    def obstacle(self, encoder: Encoder) -> str | None:
        """Say why this encoder cannot be explained by this method; None if it can."""
        return None


class LinearMethod(Method):
    """A method whose heatmaps are linear in the direction."""

    linear = True

    @abstractmethod
    def start(self, explicand: Tensor, baseline: Tensor) -> Operator:
        """Begin an operator for an explicand (3, H, W) and what replaces its removed parts (3, H, W)."""


class GradientMethod(Method):
    """A method that differentiates the score, so each score costs passes."""

    linear = False

    def obstacle(self, encoder: Encoder) -> str | None:
        """Name encoders that have no gradients."""
        return None if encoder.differentiable else f"{encoder.name} is a function without gradients"

    @abstractmethod
    def start(self, explicand: Tensor, baseline: Tensor) -> GradientRun:
        """Begin a run for an explicand (3, H, W) and its baseline (3, H, W)."""


class DirectMethod(Method):
    """A method that is given the score as a function, runs as long as it likes, and returns a heatmap."""

    linear = False

    @abstractmethod
    def explain(self, score: Callable[[Tensor], Tensor], explicand: Tensor, baseline: Tensor) -> Tensor:
        """Explain one explicand.

        Parameters
        ----------
        score : callable
            Maps preprocessed inputs (B, 3, H, W) to scores (B,), and can be differentiated if the encoder can. It is a
            `torch.nn.Module`, whose `encoder` is the copy of the encoder's module that runs. Put hooks on its parts, as
            in ``score.encoder.layer4``; those of your own module see no pass.
        explicand, baseline : Tensor
            (3, H, W).

        Returns
        -------
        Tensor
            (H, W).
        """

    def start(self, explicand: Tensor, baseline: Tensor) -> DirectRun:
        """Begin: one step, as long as it takes."""
        return DirectRun(self, explicand, baseline)


class DirectRun(Run):
    """What a `DirectMethod` found for one explicand and one score."""

    total = 1

    def __init__(self, method: DirectMethod, explicand: Tensor, baseline: Tensor) -> None:
        self._method, self._explicand, self._baseline = method, explicand, baseline
        self._found = torch.empty(0)

    def explain(self, score: Callable[[Tensor], Tensor]) -> None:
        """Have the method explain the explicand."""
        explicand, baseline = self._explicand.clone(), self._baseline.clone()
        found = torch.as_tensor(self._method.explain(score, explicand, baseline)).detach().float()
        if found.shape != explicand.shape[-2:]:
            raise ValueError(
                f"{self._method.label} returned a heatmap of the shape {tuple(found.shape)} instead of"
                f" {tuple(explicand.shape[-2:])}."
            )
        self._found = found
        self.done = 1

    def heatmap(self, size: Size | None = None) -> Tensor:
        return shrink(self._found, size)
