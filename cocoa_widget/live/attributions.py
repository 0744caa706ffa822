"""Heatmaps of a linear method's operators, for all images of a question at once."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from ..attribution import Size, apply_together
from .listening import Heatmap, array
from .members import Known
from .operators import PREVIEW, OperatorStore
from .question import Question


def attributions(
    store: OperatorStore, question: Question, known: Known, sizes: Mapping[str, Size | None]
) -> list[Heatmap]:
    """Compute the heatmaps of all images that have an operator, or at least a preview.

    Parameters
    ----------
    store : OperatorStore
    question : Question
        Its method is linear.
    known : Known
    sizes : mapping
        By image: height and width; the encoder's input size if None.
    """
    found, previews = [], []
    for position, image in enumerate(known.images):
        operator = store.get(image, question.recipe, question.similarity)
        preview = operator is None or not operator.presentable
        if preview:
            operator = store.get(image, PREVIEW)
        if operator is not None and operator.presentable:
            found.append((position, image, operator, operator.progress))
            previews.append(preview)
    if not found:
        return []
    scores = [known.scores[position] for position, *_ in found]
    gammas = torch.cat([score(known.vectors[at][None])[0] for score, (at, *_) in zip(scores, found, strict=True)])
    maps = apply_together([operator for _, _, operator, _ in found], scores, [sizes[image] for _, image, *_ in found])
    return [
        Heatmap(
            image,
            PREVIEW[0].name if preview else question.method.name,
            preview,
            array(values[0]),
            gamma,
            0.0 if preview else progress,
        )
        for (_, image, _, progress), preview, values, gamma in zip(found, previews, maps, gammas.tolist(), strict=True)
    ]
