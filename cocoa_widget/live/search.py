"""Images of the gallery by their similarity to a prompt."""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F

from ..encoders import Encoder
from ..images import ImageSet
from .members import MemberIndex

MOST_FOUND = 1_000


class Found(NamedTuple):
    """Images by their similarity to a prompt, the most similar first, and the number of images compared."""

    images: list[str]
    scores: list[float]
    compared: int


def search(prompt: str, template: str, images: ImageSet, index: MemberIndex, encoder: Encoder) -> Found:
    """Rank the images that have been encoded by their similarity to a prompt.

    Encodes the prompt, and no image.
    """
    vector = F.normalize(encoder.encode_text([prompt], template=template), dim=1)
    table = encoder.representations
    keys = index.found(images.ids, template, table)
    if not keys:
        return Found([], [], 0)
    ids, rows = [*keys], table.get([*keys.values()])
    best = (F.normalize(rows, dim=1) @ vector[0]).topk(min(MOST_FOUND, len(ids)))
    return Found([ids[i] for i in best.indices.tolist()], best.values.tolist(), len(ids))
