"""The images and texts whose means are the centres of their modalities, for centred members."""

from __future__ import annotations

from collections.abc import Sequence

from ..texts import class_names, text_id
from .question import Question

REFERENCE_IMAGES = 64
"""Number of images, spread over the gallery, that stand for all images."""
REFERENCE_TEXTS = "cifar100"
"""List of class names that stand for all texts."""


def references(question: Question, ids: Sequence[str], *, texts: bool) -> list[str]:
    """List the images of a gallery that the question needs for centring, and with `texts` also the texts.

    None are needed unless the question is centred.
    """
    if not question.centred:
        return []
    names = map(text_id, class_names(REFERENCE_TEXTS)) if texts else ()
    return [*spaced(ids, REFERENCE_IMAGES), *names]


def spaced(ids: Sequence[str], most: int) -> list[str]:
    """Take `most` ids at even distances, or all where there are fewer."""
    count = min(most, len(ids))
    return [ids[i * len(ids) // count] for i in range(count)]
