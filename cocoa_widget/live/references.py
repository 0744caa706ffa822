"""The images and texts whose means are the centres of their modalities, for centred members."""

from __future__ import annotations

from collections.abc import Sequence

from ..texts import class_names, text_id
from .question import Question

REFERENCE_IMAGES = 64
"""Number of images, spread over the gallery, that stand for all images."""
REFERENCE_TEXTS = "cifar100"
"""List of class names that stand for all texts."""


def references(question: Question, ids: Sequence[str]) -> list[str]:
    """List the images of a gallery, and the texts, that the question needs for centring; none unless it is centred."""
    if not question.centred:
        return []
    count = min(REFERENCE_IMAGES, len(ids))
    return [*(ids[i * len(ids) // count] for i in range(count)), *map(text_id, class_names(REFERENCE_TEXTS))]
