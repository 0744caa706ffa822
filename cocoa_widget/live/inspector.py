"""Questions about one explicand that take a moment: which images did it, and does its heatmap hold what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..attribution import LinearMethod, baselines_of
from ..contrast import Score
from ..encoders import Encoder
from ..evaluation import (
    Ablation,
    ContrastiveCorpusSimilarity,
    CorpusMajorityProbability,
    CorpusSimilarity,
    Curves,
    ExplicandSimilarity,
    Measure,
)
from ..images import ImageSet
from ..insight import Influence, Members, influence
from .members import Library
from .scores import known_members, known_scores
from .state import Question, State

CURVE_CELL = 8
"""Side in pixels of what insertion and deletion change at once."""


@dataclass(frozen=True)
class Influences:
    """The score of an explicand, and what the members of the bins do to it; ids and findings go together."""

    score: float
    corpus: tuple[list[str], Influence | None]
    foil: tuple[list[str], Influence | None]


class Inspector:
    """Answer questions about one explicand under the present question, on the thread of whoever asks."""

    def __init__(self, state: State, images: ImageSet, library: Library, encoder: Encoder) -> None:
        self._state, self._images, self._library, self._encoder = state, images, library, encoder

    def influence(self, image: str) -> Influences:
        """Split the explicand's answer over the members of the bins; see `cocoa_widget.insight.influence`."""
        with torch.inference_mode():
            question, ids, members, own, score = self._known(image)
            operator = None
            if isinstance(question.method, LinearMethod):
                operator = self._state.store.peek(image, question.recipe)
                operator = operator if operator is not None and operator.presentable else None
            corpus, foil = influence(operator, score, members, question.target, own)
            return Influences(float(score(own[None])[0]), (ids[0], corpus), (ids[1], foil))

    def curves(self, image: str, heatmap: Tensor, goes_on: Callable[[int, int], bool]) -> Curves | None:
        """Insert and delete the explicand's pixels in the order of `heatmap` (H, W).

        `goes_on` is told encodings done and in all after each batch, and returns whether to go on; None if it did not.
        """
        question, _, members, _, _ = self._known(image)
        explicand = self._encoder.stack([self._images.load(image)])
        baseline = baselines_of(question.baseline, explicand)
        ablation = Ablation(explicand[0], baseline[0], heatmap.to(explicand), features=CURVE_CELL)
        while not ablation.complete:
            if not goes_on(ablation.done, ablation.total):
                return None
            ablation.accept(self._encoder.forward(ablation.inputs(self._encoder.batch_size)).representations)
        return ablation.curves(self._measures(question, members))

    def _measures(self, question: Question, members: Members) -> list[Measure]:
        similarity = question.similarity
        measures: list[Measure] = []
        if members.corpus is not None and members.foil is not None:
            measures.append(ContrastiveCorpusSimilarity(members.corpus, members.foil, similarity))
        if members.corpus is not None:
            measures.append(CorpusSimilarity(members.corpus, similarity))
            if self._encoder.classifier is not None:
                measures.append(CorpusMajorityProbability(self._encoder.classifier, members.corpus))
        measures.append(ExplicandSimilarity(similarity))
        return measures

    def _known(self, image: str) -> tuple[Question, tuple[list[str], list[str]], Members, Tensor, Score]:
        state = self._state
        with state.changed:
            question, failed = state.question, set(state.failures)
        known = known_scores(question, [image], failed, self._library, self._encoder)
        found = known_members(question, failed, self._library, self._encoder)
        stale = self._encoder.representations is not state.table
        if known is None or found is None or stale:
            raise ValueError(f"{image} is not explained yet: its heatmap is still being prepared.")
        ids, members = found
        return question, ids, members, known.vectors[0], known.scores[0]
