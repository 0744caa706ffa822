"""What an attribution method is: perturb, let somebody else run the encoder, and read the answer.

A method never runs an encoder itself. It hands out inputs and takes back what the encoder made of them, in slices of
whatever size suits the caller. So one loop (`run.advance`) batches over explicands and methods alike, results cannot
depend on the slices, a preparation can be shown half-way, and cancelling one means not to go on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor

from ..encoders import Encoded

Size = tuple[int, int]
"""Height and width in pixels."""


class Preparation(ABC):
    """Work on one explicand, `done` of `total` encoder passes of one image each."""

    total: int
    done: int = 0
    first_picture: int = 1
    """Passes after which a heatmap is worth looking at."""

    @property
    def complete(self) -> bool:
        """Whether no passes are left."""
        return self.done >= self.total

    @property
    def presentable(self) -> bool:
        """Whether there is a heatmap worth looking at."""
        return self.done >= min(self.first_picture, self.total)

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Memory that it holds, in bytes."""

    @abstractmethod
    def inputs(self, count: int) -> Tensor:
        """Return the next inputs to pass: (k, 3, H, W) with k ≤ `count`."""


class Operator(Preparation):
    """A linear map from directions to heatmaps, for one explicand: ``heatmap = A w``.

    Once prepared, every direction costs a matrix product and no encoder pass.
    """

    needs_features: ClassVar[bool] = False
    """Whether `accept` wants the final feature maps."""

    @abstractmethod
    def accept(self, encoded: Encoded) -> None:
        """Take what the encoder made of the inputs that were handed out last."""

    @abstractmethod
    def apply(self, directions: Tensor, similarity: str, size: Size | None = None) -> Tensor:
        """Compute heatmaps from what is known so far.

        Parameters
        ----------
        directions : Tensor
            (k, d).
        similarity : {"cosine", "dot"}
            How representations are compared.
        size : (int, int), optional
            Height and width to average the heatmap down to; the encoder's input size by default.

        Returns
        -------
        Tensor
            (k, h, w), float32.
        """


class Path(Preparation):
    """A heatmap for one explicand and one direction, from gradients; a new direction needs a new `Path`."""

    @abstractmethod
    def accept(self, values: Tensor, gradients: Tensor) -> None:
        """Take the scores (k,) and gradients (k, 3, H, W) at the inputs that were handed out last."""

    @abstractmethod
    def heatmap(self, size: Size | None = None) -> Tensor:
        """Return the heatmap (h, w) known so far, float32."""

    @property
    def gap(self) -> float | None:
        """How much the heatmap's sum misses what it should be, in units of the score; None where nothing is owed."""
        return None


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


class LinearMethod(Method):
    """A method whose heatmaps are linear in the direction."""

    linear = True

    @abstractmethod
    def start(self, explicand: Tensor, baseline: Tensor) -> Operator:
        """Begin an operator for an explicand (3, H, W) and what replaces its removed parts (3, H, W)."""


class GradientMethod(Method):
    """A method that differentiates the score, so each direction costs passes."""

    linear = False

    @abstractmethod
    def start(self, explicand: Tensor, baseline: Tensor) -> Path:
        """Begin a path for an explicand (3, H, W) and its baseline (3, H, W)."""
