"""From a question's ids to directions, as far as representations are known."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from torch import Tensor

from ..direction import TARGETS, NothingToExplain, directions
from ..encoders import Encoder, Representations
from ..images import ImageSet, UnreadableImage
from .state import Question


def is_known(image: str, images: ImageSet, table: Representations) -> bool:
    """Tell whether an image's representation is in the table; a file that has vanished has none."""
    try:
        return images.key(image) in table
    except UnreadableImage:
        return False


def known_directions(
    question: Question, ids: Sequence[str], failed: Collection[str], images: ImageSet, encoder: Encoder
) -> tuple[list[str], Tensor, Tensor] | None:
    """Compute the directions of images from representations that the encoder's table holds; runs no encoder.

    Parameters
    ----------
    question : Question
    ids : sequence of str
        Images to explain.
    failed : collection of str
        Images that could not be encoded; bins do without them.
    images : ImageSet
    encoder : Encoder

    Returns
    -------
    tuple of (list of str, Tensor, Tensor) or None
        Those of `ids` that are known, their representations (n, d) and their directions (n, d). None while a member of
        a bin is not known yet, or where nothing is left to explain by.
    """
    table = encoder.representations
    target = TARGETS[question.target]
    means = []
    for used, members in ((target.corpus, question.corpus), (target.foil, question.foil)):
        alive = [image for image in members if image not in failed] if used else []
        if not all(is_known(image, images, table) for image in alive):
            return None
        keys = [images.key(image) for image in alive]
        means.append(table.mean(keys, unit=question.similarity == "cosine") if keys else None)
    known = [image for image in ids if is_known(image, images, table)]
    if not known:
        return None
    vectors = table.get([images.key(image) for image in known])
    try:
        w = directions(question.target, question.similarity, corpus=means[0], foil=means[1], explicands=vectors)
    except NothingToExplain:
        return None  # bins are empty, or every member has failed: the page says which
    return known, vectors, w
