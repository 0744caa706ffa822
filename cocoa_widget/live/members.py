"""Where the representations of images and prompts are found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..contrast import Reference, centred
from ..encoders import Encoder, Representations
from ..images import ImageSet, UnreadableImage
from ..texts import class_names, is_text, prompt_of, text_id
from .state import Question

REFERENCE_IMAGES = 64
"""So many of the gallery's images, spread over it, have the mean of all images."""
REFERENCE_TEXTS = "cifar100"
MOST_FOUND = 1_000


class Found(NamedTuple):
    """Images by how near a prompt is to them, the nearest first, and how many were compared."""

    images: list[str]
    scores: list[float]
    compared: int


class Library:
    """Members of the bins under one roof: images of the gallery, and prompts.

    Parameters
    ----------
    images : ImageSet
    encoder : Encoder
    """

    def __init__(self, images: ImageSet, encoder: Encoder) -> None:
        self._images, self._encoder = images, encoder

    def missing(self, members: Sequence[str], template: str, table: Representations) -> list[str]:
        """List the members whose representation is not in the table; a file that has vanished has none."""
        keys = self._keys(members, template)
        return [member for member, key in zip(members, keys, strict=True) if key is None or key not in table]

    def keys(self, members: Sequence[str], template: str, table: Representations) -> list[str] | None:
        """Return the keys of members in the table, or None while one of them is not there."""
        keys = self._keys(members, template)
        found = [key for key in keys if key is not None and key in table]
        return found if len(found) == len(keys) else None

    def _keys(self, members: Sequence[str], template: str) -> list[str | None]:
        prompts = [prompt_of(member) for member in members if is_text(member)]
        texts = iter(self._encoder.text_keys(prompts, template=template) if prompts else ())
        return [next(texts) if is_text(member) else self._image_key(member) for member in members]

    def _image_key(self, image: str) -> str | None:
        # Asked for under the engine's lock, so nothing is decoded for it: the decoder's threads find the others out.
        try:
            return self._images.known_key(image)
        except UnreadableImage:
            return None

    def references(self, question: Question) -> list[str]:
        """List the images and texts whose means are the modalities' centres, where the question wants them."""
        if not question.centred:
            return []
        ids = self._images.ids
        count = min(REFERENCE_IMAGES, len(ids))
        return [*(ids[i * len(ids) // count] for i in range(count)), *map(text_id, class_names(REFERENCE_TEXTS))]

    def vectors(self, members: Sequence[str], question: Question, table: Representations) -> Tensor | None:
        """Return the representations (m, d) of members as the question compares them; None while one is not known."""
        keys = self.keys(members, question.template, table)
        if keys is None:
            return None
        found = table.get(keys)
        if not question.centred:
            return found
        reference = self._reference(question, table)
        if reference is None:
            return None
        texts = torch.tensor([is_text(member) for member in members], device=found.device)
        return centred(found, texts, reference, question.similarity)

    def _reference(self, question: Question, table: Representations) -> Reference | None:
        references = self.references(question)
        images = [each for each in references if not is_text(each)]
        missing = {*self.missing(images, question.template, table)}
        # One image less, whose file has vanished, moves the mean by little.
        known = self.keys([image for image in images if image not in missing], question.template, table)
        texts = self.keys([each for each in references if is_text(each)], question.template, table)
        return Reference(table.get(known), table.get(texts)) if known and texts else None

    def search(self, prompt: str, template: str) -> Found:
        """Rank the images that have been encoded by their similarity to a prompt; encodes the prompt."""
        vector = F.normalize(self._encoder.encode_text([prompt], template=template), dim=1)
        table = self._encoder.representations
        missing = {*self.missing(self._images.ids, template, table)}
        known = [image for image in self._images.ids if image not in missing]
        if not known:
            return Found([], [], 0)
        rows = table.get([key for image in known if (key := self._image_key(image)) is not None])
        best = (F.normalize(rows, dim=1) @ vector[0]).topk(min(MOST_FOUND, len(known)))
        return Found([known[i] for i in best.indices.tolist()], best.values.tolist(), len(known))
