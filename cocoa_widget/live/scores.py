"""From a question's ids to scores, as far as representations are known."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from torch import Tensor

from ..direction import TARGETS, NothingToExplain, directions
from ..encoders import Encoder, Representations
from ..images import ImageSet, UnreadableImage
from ..reliability import Members
from ..score import LinearScore, Score, score_of
from .state import Question


class Known(NamedTuple):
    """Images that can be explained, their representations (n, d) and the score of each."""

    ids: list[str]
    vectors: Tensor
    scores: list[Score]


def is_known(image: str, images: ImageSet, table: Representations) -> bool:
    """Tell whether an image's representation is in the table; a file that has vanished has none."""
    try:
        return images.key(image) in table
    except UnreadableImage:
        return False


def known_scores(
    question: Question, ids: Sequence[str], failed: Collection[str], images: ImageSet, encoder: Encoder
) -> Known | None:
    """Make the scores of images from representations that the encoder's table holds; runs no encoder.

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
    Known or None
        None while a member of a bin is not known yet, or where nothing is left to explain by.
    """
    table = encoder.representations
    bins = _keys(question, failed, images, table)
    known = [image for image in ids if is_known(image, images, table)]
    if bins is None or not known:
        return None
    vectors = table.get([images.key(image) for image in known])
    try:
        if question.similarity == "gaussian":
            members = [table.get(keys) if keys else None for keys in bins]
            found = score_of(
                question.target, question.similarity, corpus=members[0], foil=members[1], explicands=vectors
            )
            return Known(known, vectors, found)
        # Their means alone: as cheap for a thousand members as for one.
        means = [table.mean(keys, unit=question.similarity == "cosine") if keys else None for keys in bins]
        w = directions(question.target, question.similarity, corpus=means[0], foil=means[1], explicands=vectors)
        return Known(known, vectors, [LinearScore(row[None], question.similarity) for row in w])
    except NothingToExplain:
        return None  # bins are empty, or every member has failed: the page says which


def known_members(
    question: Question, failed: Collection[str], images: ImageSet, encoder: Encoder
) -> tuple[tuple[list[str], list[str]], Members] | None:
    """Return the ids and representations of the bins' members that the question uses; None while one is not known."""
    table = encoder.representations
    bins = _keys(question, failed, images, table)
    if bins is None:
        return None
    used = TARGETS[question.target]
    ids = [
        [image for image in members if image not in failed] if uses else []
        for uses, members in ((used.corpus, question.corpus), (used.foil, question.foil))
    ]
    return (ids[0], ids[1]), Members(*(table.get(keys) if keys else None for keys in bins))


def _keys(
    question: Question, failed: Collection[str], images: ImageSet, table: Representations
) -> tuple[list[str], list[str]] | None:
    """List the keys of the bins' members that the target looks at; None while one is not known."""
    target = TARGETS[question.target]
    found = []
    for used, members in ((target.corpus, question.corpus), (target.foil, question.foil)):
        alive = [image for image in members if image not in failed] if used else []
        if not all(is_known(image, images, table) for image in alive):
            return None
        found.append([images.key(image) for image in alive])
    return found[0], found[1]
