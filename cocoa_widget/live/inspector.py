"""Influence and curves of one explicand, computed when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..attribution import LinearMethod, baselines_of
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
from .members import Known, MemberIndex
from .question import Question
from .state import State

CURVE_CELL = 8
"""Side, in pixels, of the cells that insertion and deletion change."""


@dataclass(frozen=True)
class Influences:
    """The score of an explicand, and the contribution of the bins' members to it.

    Attributes
    ----------
    score : float
    corpus, foil : tuple
        The ids of the members, and their influence in the same order; None for a bin that is empty or not used.
    """

    score: float
    corpus: tuple[list[str], Influence | None]
    foil: tuple[list[str], Influence | None]


class Inspector:
    """Compute influence and curves under the present question, on the caller's thread."""

    def __init__(self, state: State, images: ImageSet, index: MemberIndex, encoder: Encoder) -> None:
        self._state, self._images, self._index, self._encoder = state, images, index, encoder

    def influence(self, image: str) -> Influences:
        """Split the explicand's score and heatmap over the members of the bins; see `cocoa_widget.insight.influence`.

        Raises
        ------
        ValueError
            The explicand is still being prepared, or the similarity is not linear.
        """
        with torch.inference_mode():
            question, known = self._known(image)
            own, score = known.vectors[0], known.scores[0]
            linear = isinstance(question.method, LinearMethod)
            operator = self._state.store.presentable(image, question.recipe) if linear else None
            corpus, foil = influence(operator, score, known.members, question.target, own)
            return Influences(float(score(own[None])[0]), (known.corpus, corpus), (known.foil, foil))

    def curves(self, image: str, heatmap: Tensor, goes_on: Callable[[int, int], bool]) -> Curves | None:
        """Insert and delete the explicand's pixels in the order of a heatmap.

        Parameters
        ----------
        image : str
        heatmap : Tensor
            (H, W).
        goes_on : callable
            Called before each batch with the number of encodings done and of all; returns whether to go on.

        Returns
        -------
        Curves or None
            None if `goes_on` has returned False.

        Raises
        ------
        ValueError
            The explicand is still being prepared.
        """
        question, known = self._known(image)
        explicand = self._encoder.stack([self._images.load(image)])
        baseline = baselines_of(question.baseline, explicand)
        ablation = Ablation(explicand[0], baseline[0], heatmap.to(explicand), features=CURVE_CELL)
        while not ablation.complete:
            if not goes_on(ablation.done, ablation.total):
                return None
            ablation.accept(self._encoder.forward(ablation.inputs(self._encoder.batch_size)).representations)
        return ablation.curves(self._measures(question, known.members))

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

    def _known(self, image: str) -> tuple[Question, Known]:
        state, table = self._state, self._encoder.representations
        with state.changed:
            question, failed, current = state.question, set(state.failures), table is state.table
        known = self._index.known(question, [image], failed, table) if current else None
        if known is None:
            raise ValueError(f"{image} is not explained yet: its heatmap is still being prepared.")
        return question, known
