"""Methods that hide parts of an explicand, encode what is left, and make a heatmap of the scores."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from ..contrast import Score
from ..encoders import Encoded
from .method import LinearMethod, Operator
from .resample import Size, shrink
from .spread import Spread


class Design(Protocol):
    """Masks, and how the scores under them become a heatmap; the same for every explicand of one size."""

    n: int
    """Number of masks."""

    def masks(self, start: int, stop: int) -> Tensor:
        """Return masks (k, 1, H, W) in 0..1, 1 where the explicand is kept and 0 where the baseline takes its place."""
        ...

    def heatmaps(self, scores: Tensor, size: Size | None) -> Tensor:
        """Turn the scores (k, n) under the first n masks into heatmaps (k, h, w), linearly."""
        ...

    def errors(self, scores: Tensor, size: Size | None) -> Tensor | None:
        """Return the heatmaps' standard errors (k, h, w); None where the masks are not random."""
        ...

    def spread(self, n: int) -> Spread | None:
        """Return the spread of `coefficients` of the first n masks; None where there is none."""
        ...

    def coefficients(self, representations: Tensor) -> Tensor:
        """Turn the representations (n, d) under the first n masks into coefficients (k, d), linearly."""
        ...


class PerturbationOperator(Operator):
    """Representations (N × d) of one explicand under the masks of a design, as unit vectors and norms."""

    def __init__(self, design: Design, explicand: Tensor, baseline: Tensor, first_heatmap: int = 1) -> None:
        self._design = design
        self._inputs: tuple[Tensor, Tensor] | None = (
            baseline[None].contiguous(memory_format=torch.channels_last),
            (explicand - baseline)[None].contiguous(memory_format=torch.channels_last),
        )
        self._unit = torch.empty(0, 0)
        self._norm = torch.empty(0)
        self.total = design.n
        self.first_heatmap = first_heatmap

    @property
    def nbytes(self) -> int:
        tensors = [self._unit, self._norm, *(self._inputs or ())]
        return sum(t.numel() * t.element_size() for t in tensors)

    def inputs(self, count: int) -> Tensor:
        if self._inputs is None:
            raise RuntimeError("This operator is complete: it has no inputs left.")
        baseline, difference = self._inputs
        masks = self._design.masks(self.done, min(self.done + count, self.total))
        return torch.addcmul(baseline, masks, difference)

    def accept(self, encoded: Encoded) -> None:
        vectors = encoded.representations
        if self.done == 0:
            self._unit = vectors.new_empty(self.total, vectors.shape[1])
            self._norm = vectors.new_empty(self.total)
        stop = self.done + len(vectors)
        self._unit[self.done : stop] = F.normalize(vectors, dim=1)
        self._norm[self.done : stop] = vectors.norm(dim=1)
        self.done = stop
        if self.complete:
            self._inputs = None

    def apply(self, score: Score, size: Size | None = None) -> Tensor:
        return self._design.heatmaps(self._scores(score), size)

    def error(self, score: Score, size: Size | None = None) -> Tensor | None:
        return self._design.errors(self._scores(score), size)

    @property
    def spread(self) -> Spread | None:
        return self._design.spread(self.done)

    def coefficients_for(self, similarity: str) -> Tensor | None:
        if self.spread is None:
            return None
        vectors = self._unit[: self.done]
        return self._design.coefficients(vectors if similarity == "cosine" else vectors * self._norm[: self.done, None])

    def _scores(self, score: Score) -> Tensor:
        return score.of(self._unit[: self.done], self._norm[: self.done])


class PerturbationMethod(LinearMethod):
    """A method that is defined by two functions: its masks, and how the scores under them become a heatmap.

    Batches, progress and live updates need no further code, and any encoder, score and baseline can be used.

    Examples
    --------
    The score of each quarter of the image alone; a subclass with settings is a frozen dataclass:

    >>> class Quarters(PerturbationMethod):
    ...     name, label, hint = "quarters", "Quarters", "Each quarter alone"
    ...
    ...     def masks(self, height, width):
    ...         masks = torch.zeros(4, height, width)
    ...         for i, mask in enumerate(masks):
    ...             top, left = i // 2 * height // 2, i % 2 * width // 2
    ...             mask[top : top + height // 2, left : left + width // 2] = 1
    ...         return masks
    ...
    ...     def combine(self, scores, masks):
    ...         return torch.einsum("kn,nhw->khw", scores, masks)
    """

    @abstractmethod
    def masks(self, height: int, width: int) -> Tensor:
        """Return masks (N, height, width) in 0..1: 1 where the explicand is kept, 0 where the baseline shows."""

    @abstractmethod
    def combine(self, scores: Tensor, masks: Tensor) -> Tensor:
        """Turn the scores (k, n) under the first n masks (n, H, W) into heatmaps (k, H, W), linearly."""

    def start(self, explicand: Tensor, baseline: Tensor) -> PerturbationOperator:
        masks = torch.as_tensor(self.masks(*explicand.shape[-2:])).to(explicand)
        return PerturbationOperator(_OwnDesign(self, masks), explicand, baseline)


class _OwnDesign:
    """The design of a `PerturbationMethod`, whose masks are kept."""

    def __init__(self, method: PerturbationMethod, masks: Tensor) -> None:
        if masks.ndim != 3 or len(masks) == 0:
            raise ValueError(f"{method.label}'s masks must have the shape (N, H, W), not {tuple(masks.shape)}.")
        self._method, self._masks, self.n = method, masks, len(masks)

    def masks(self, start: int, stop: int) -> Tensor:
        return self._masks[start:stop, None]

    def heatmaps(self, scores: Tensor, size: Size | None) -> Tensor:
        return shrink(self._method.combine(scores, self._masks[: scores.shape[1]]), size)

    def errors(self, scores: Tensor, size: Size | None) -> Tensor | None:
        return None

    def spread(self, n: int) -> Spread | None:
        return None

    def coefficients(self, representations: Tensor) -> Tensor:
        return representations
