"""Attribution methods: what all of them share.

A method does not run the encoder. It hands out inputs, its caller encodes them, and it makes a heatmap of the results.
The caller chooses how many inputs it takes at a time, and results do not depend on that. So inputs of several
explicands can go into one batch (`batches.advance`), a heatmap can be shown before the last pass, and to cancel is to
ask for no more inputs.

There are three kinds, and a method of your own is a subclass of one of them:

- `LinearMethod` encodes inputs once; afterwards the heatmap of any score is a matrix product. A subclass of
  `perturbation.PerturbationMethod` defines only its masks, and how scores become a heatmap.
- `GradientMethod` differentiates the score at its inputs, again for each score.
- `DirectMethod` gets the score as a function of inputs, and runs the encoder by calling it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from ..contrast import LinearScore, Score
from ..encoders import Encoded, Encoder, EncoderError, FeatureKind, Gradients
from .resample import Size, shrink
from .spread import Spread

if TYPE_CHECKING:
    from .stored import StoredOperator


class Preparation(ABC):
    """Work on one explicand that takes encoder passes.

    Attributes
    ----------
    total, done : int
        Passes of one image each: in all, and so far.
    first_heatmap : int
        Passes after which a heatmap is worth showing.
    weight : int
        Passes that each of the next inputs counts as: more than one for enlarged inputs.
    """

    total: int
    done: int = 0
    first_heatmap: int = 1
    weight: int = 1

    @property
    def complete(self) -> bool:
        """Whether no passes are left."""
        return self.done >= self.total

    @property
    def progress(self) -> float:
        """The share of the passes that is done, 0 to 1."""
        return 1.0 if self.complete else self.done / self.total

    @property
    def presentable(self) -> bool:
        """Whether there is a heatmap worth showing."""
        return self.done >= min(self.first_heatmap, self.total)


class Operator(Preparation):
    """A map from scores to heatmaps for one explicand, linear in the direction of linear scores: ``heatmap = A w``.

    Once it is complete, the heatmap of any score costs matrix products and no encoder pass.
    """

    features: FeatureKind | None = None
    """The kind of feature maps that `accept` needs beside the representations, or None."""

    @property
    def shortfall(self) -> str | None:
        """Why heatmaps stay coarser than the method's settings ask for; None where they do not."""
        return None

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Memory that the operator holds, in bytes."""

    @abstractmethod
    def inputs(self, count: int) -> Tensor:
        """Return the next inputs to encode: (k, 3, H, W) with k ≤ `count`, and k ≥ 1 where inputs are left."""

    @abstractmethod
    def accept(self, encoded: Encoded) -> None:
        """Take the encoder's results for the inputs that were handed out last."""

    def do_without(self, reason: Exception) -> bool:
        """Give up the inputs that were handed out last, which the encoder cannot take; return whether that is possible.

        Then there may be fewer passes than before, and `shortfall` says so.
        """
        return False

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

    @property
    def spread(self) -> Spread | None:
        """The map from ``coefficients @ w`` to the heatmap of the direction w; None where there is no such map."""
        return None

    @property
    def grid(self) -> Size | None:
        """Rows and columns of places, one for each row of the coefficients; None where these are not of places."""
        return None

    def supports(self, similarity: str) -> bool:
        """Return whether `apply` takes scores of a similarity; False where that needs answers which were not kept."""
        return True

    def keep_answers(self) -> None:
        """Keep all that scores which are not linear need, such as Gaussian ones; called before the first pass."""
        return

    def without_answers(self) -> Operator:
        """Return the operator without what only scores that are not linear need, or itself if that cannot be spared."""
        return self

    def coefficients_for(self, similarity: str) -> Tensor | None:
        """Return the matrix (k, d) of what is known so far, float32; None for an operator without one.

        Parameters
        ----------
        similarity : {"cosine", "dot"}
            The one whose directions the matrix is multiplied with.
        """
        return None

    @property
    def coefficients(self) -> Tensor | None:
        """`coefficients_for` the cosine: ``spread.maps(coefficients @ w)`` is the heatmap of the direction w."""
        return self.coefficients_for("cosine")

    def values(self, score: LinearScore) -> Tensor | None:
        """Return ``coefficients @ w`` for j directions: (j, k), which `spread` maps; None without coefficients."""
        matrix = self.coefficients_for(score.similarity)
        return None if matrix is None else score.directions @ matrix.T

    def stored(self) -> StoredOperator | None:
        """Return the operator apart from its method, to be saved; None before the last pass or without coefficients."""
        return None

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
        """What the heatmap's sum lacks for completeness, in units of the score; None if the method is not complete."""
        return None


class GradientRun(Run):
    """A run that makes its heatmap of the score's gradients."""

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
        The name in code, the name on the page, and one line on what the method does.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    hint: ClassVar[str]
    pixelwise: ClassVar[bool] = False
    """Whether values may differ from each pixel to the next, so that the page smooths heatmaps for display."""
    estimates_error: ClassVar[bool] = False
    """Whether `Operator.error` gives the standard error of its heatmaps."""
    refusal: ClassVar[type[EncoderError]] = EncoderError
    """The error for an encoder that lacks what the method needs."""

    def obstacle(self, encoder: Encoder) -> str | None:
        """Return why this method cannot explain an encoder; None if it can."""
        return None


class LinearMethod(Method):
    """A method whose heatmaps are linear in the direction.

    Attributes
    ----------
    follow_edges : bool
        Whether heatmaps end with a guided filter (see `guided_filter`), which gives them the explicand's edges.
    """

    follow_edges: bool = False

    @abstractmethod
    def start(self, explicand: Tensor, baseline: Tensor) -> Operator:
        """Return a new operator for an explicand (3, H, W) and its baseline (3, H, W)."""

    def start_with(self, encoder: Encoder, explicand: Tensor, baseline: Tensor) -> Operator:
        """Return a new operator for an encoder: `start`, unless the method has several ways and chooses by encoder."""
        return self.start(explicand, baseline)


class GradientMethod(Method):
    """A method that differentiates the score, so that each score costs passes."""

    def obstacle(self, encoder: Encoder) -> str | None:
        """Return why an encoder has no gradients; None if it has."""
        return None if encoder.differentiable else f"{encoder.name} is a function without gradients"

    @abstractmethod
    def start(self, explicand: Tensor, baseline: Tensor) -> GradientRun:
        """Return a new run for an explicand (3, H, W) and its baseline (3, H, W)."""


class DirectMethod(Method):
    """A method that gets the score as a function and returns a heatmap, in one step."""

    @abstractmethod
    def explain(self, score: Callable[[Tensor], Tensor], explicand: Tensor, baseline: Tensor) -> Tensor:
        """Explain one explicand.

        Parameters
        ----------
        score : callable
            Maps preprocessed inputs (B, 3, H, W) to scores (B,), and can be differentiated if the encoder can. It is a
            `torch.nn.Module`, whose `encoder` is the copy of the encoder's module that runs. Put hooks on its parts, as
            in ``score.encoder.layer4``; the parts of your own module see no pass.
        explicand, baseline : Tensor
            (3, H, W).

        Returns
        -------
        Tensor
            (H, W).
        """

    def start(self, explicand: Tensor, baseline: Tensor) -> DirectRun:
        """Return a new run for an explicand (3, H, W) and its baseline (3, H, W)."""
        return DirectRun(self, explicand, baseline)


class DirectRun(Run):
    """A run of a `DirectMethod`: a single step, in which the method calls the score as often as it needs."""

    total = 1

    def __init__(self, method: DirectMethod, explicand: Tensor, baseline: Tensor) -> None:
        self._method, self._explicand, self._baseline = method, explicand, baseline
        self._found = torch.empty(0)

    def explain(self, score: Callable[[Tensor], Tensor]) -> None:
        """Let the method explain the explicand."""
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
