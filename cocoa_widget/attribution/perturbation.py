"""Methods that hide parts of an explicand, encode what is left, and make a heatmap of the scores."""

from __future__ import annotations

from abc import abstractmethod
from copy import copy

import torch
from torch import Tensor

from ..contrast import LinearScore, Score
from ..encoders import Encoded
from .answers import Answers
from .coefficients import MOST, Coefficients
from .design import Design, SummedDesign
from .method import LinearMethod, Operator
from .resample import Size, shrink
from .spread import Spread
from .stored import StoredOperator


class PerturbationOperator(Operator):
    """What one explicand's representations under the masks of a design come down to.

    That is a small matrix of coefficients where the design has them, and the answers themselves where it has not; in
    the end these are coefficients, too, if they are few. Both are kept if `keep_answers` was called: scores that are
    not linear need the answers.
    """

    def __init__(self, design: Design, explicand: Tensor, baseline: Tensor, first_heatmap: int = 1) -> None:
        self._design = design
        self._inputs: tuple[Tensor, Tensor] | None = (
            baseline[None].contiguous(memory_format=torch.channels_last),
            (explicand - baseline)[None].contiguous(memory_format=torch.channels_last),
        )
        self._coefficients: Coefficients | None = None
        self._answers: Answers | None = None
        if isinstance(design, SummedDesign) and design.k <= MOST:
            self._coefficients = Coefficients(design)
        else:
            self._answers = Answers(design)
        self.total = design.n
        self.first_heatmap = first_heatmap

    @property
    def nbytes(self) -> int:
        held = [*(self._inputs or ()), *(part for part in (self._coefficients, self._answers) if part is not None)]
        return sum(part.nbytes for part in held)

    def supports(self, similarity: str) -> bool:
        return self._answers is not None or similarity != "gaussian"

    def keep_answers(self) -> None:
        if self.done:
            raise RuntimeError("The first answers are gone: answers can be kept only from the first pass on.")
        self._answers = self._answers or Answers(self._design)

    def without_answers(self) -> PerturbationOperator:
        if self._coefficients is None or self._answers is None or not self.complete:
            return self
        other = copy(self)
        other._answers = None
        return other

    def inputs(self, count: int) -> Tensor:
        if self._inputs is None:
            raise RuntimeError("This operator is complete: it has no inputs left.")
        baseline, difference = self._inputs
        masks = self._design.masks(self.done, min(self.done + count, self.total))
        return torch.addcmul(baseline, masks, difference)

    def accept(self, encoded: Encoded) -> None:
        vectors = encoded.representations
        for part in (self._answers, self._coefficients):
            if part is not None:
                part.add(vectors)
        self.done += len(vectors)
        if self.complete:
            self._inputs = None

    def apply(self, score: Score, size: Size | None = None) -> Tensor:
        if self._coefficients is not None and isinstance(score, LinearScore):
            return self._coefficients.heatmaps(score, size)
        return self._kept().heatmaps(score, size)

    def error(self, score: Score, size: Size | None = None) -> Tensor | None:
        if self._coefficients is not None and isinstance(score, LinearScore):
            return self._coefficients.errors(score, size)
        return self._kept().errors(score, size)

    def _kept(self) -> Answers:
        if self._answers is None:
            raise ValueError(
                "The answers of this operator were not kept, which scores that are not linear need: prepare the"
                " explicands with similarity='gaussian'."
            )
        return self._answers

    @property
    def spread(self) -> Spread | None:
        if self._coefficients is not None:
            return self._coefficients.spread
        # What a design makes of the first scores need not be what it makes of the same scores and zeros.
        return self._design.score_spread if self.complete and self.total <= MOST else None

    def coefficients_for(self, similarity: str) -> Tensor | None:
        if self._coefficients is not None:
            return self._coefficients.matrix(similarity)
        return None if self.spread is None else self._kept().matrix(similarity)

    def stored(self) -> StoredOperator | None:
        kept = None if self._coefficients is None else self._coefficients.kept
        if kept is None or not isinstance(self._design, SummedDesign):
            return None
        return StoredOperator(kept, self._design.spread, self._design.error_model(self.total))

    def values(self, score: LinearScore) -> Tensor | None:
        if self.spread is None:
            return None
        return self._kept().scores(score) if self._coefficients is None else self._coefficients.values(score)


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
        """Turn the scores (k, n) under the first n masks (n, H, W) into heatmaps (k, H, W).

        Where this is linear in the scores, which is tried once with random ones, up to 1,024 scores are an operator's
        coefficients, and the page computes the heatmaps itself if their map is small enough.
        """

    def start(self, explicand: Tensor, baseline: Tensor) -> PerturbationOperator:
        masks = torch.as_tensor(self.masks(*explicand.shape[-2:])).to(explicand)
        return PerturbationOperator(_OwnDesign(self, masks), explicand, baseline)


class _OwnDesign(Design):
    """The design of a `PerturbationMethod`, whose masks are kept."""

    def __init__(self, method: PerturbationMethod, masks: Tensor) -> None:
        if masks.ndim != 3 or len(masks) == 0:
            raise ValueError(f"{method.label}'s masks must have the shape (N, H, W), not {tuple(masks.shape)}.")
        self._method, self._masks, self.n = method, masks, len(masks)

    def masks(self, start: int, stop: int) -> Tensor:
        return self._masks[start:stop, None]

    def heatmaps(self, scores: Tensor, size: Size | None) -> Tensor:
        return shrink(self._method.combine(scores, self._masks[: scores.shape[1]]), size)
