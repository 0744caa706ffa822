"""From a question's ids to scores, as far as representations are known."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from torch import Tensor

from ..contrast import TARGETS, LinearScore, NothingToExplain, Score, directions, score_of
from ..encoders import Encoder
from ..insight import Members
from .members import Library
from .state import Question


class Known(NamedTuple):
    """Images that can be explained, their representations (n, d) and the score of each."""

    ids: list[str]
    vectors: Tensor
    scores: list[Score]


def known_scores(
    question: Question, ids: Sequence[str], failed: Collection[str], library: Library, encoder: Encoder
) -> Known | None:
    """Make the scores of images from representations that the encoder's table holds; runs no encoder.

    Parameters
    ----------
    question : Question
    ids : sequence of str
        Images to explain.
    failed : collection of str
        Images and texts that could not be encoded; bins do without them.
    library : Library
    encoder : Encoder

    Returns
    -------
    Known or None
        None while a member of a bin is not known yet, or where nothing is left to explain by.
    """
    table = encoder.representations
    missing = {*library.missing(ids, question.template, table)}
    known = [image for image in ids if image not in missing]
    keys = library.keys(known, question.template, table)
    if not keys:
        return None
    vectors, cosine = table.get(keys), question.similarity == "cosine"
    try:
        if question.similarity == "gaussian" or question.centred:
            found = known_members(question, failed, library, encoder)
            if found is None:
                return None
            members = found[1]
            scores = score_of(
                question.target, question.similarity, corpus=members.corpus, foil=members.foil, explicands=vectors
            )
            return Known(known, vectors, scores)
        bins = [library.keys(members, question.template, table) for members in _alive(question, failed)]
        if None in bins:
            return None
        # Their means alone: as cheap for a thousand members as for one.
        means = [table.mean(keys, unit=cosine) if keys else None for keys in bins]
        w = directions(question.target, question.similarity, corpus=means[0], foil=means[1], explicands=vectors)
        return Known(known, vectors, [LinearScore(row[None], question.similarity) for row in w])
    except NothingToExplain:
        return None  # bins are empty, or every member has failed: the page says which


def known_members(
    question: Question, failed: Collection[str], library: Library, encoder: Encoder
) -> tuple[tuple[list[str], list[str]], Members] | None:
    """Return the ids and representations of the bins' members that the question uses; None while one is not known."""
    table = encoder.representations
    ids = _alive(question, failed)
    found = []
    for members in ids:
        vectors = library.vectors(members, question, table) if members else None
        if members and vectors is None:
            return None
        found.append(vectors)
    return ids, Members(*found)


def _alive(question: Question, failed: Collection[str]) -> tuple[list[str], list[str]]:
    """List the members of the bins that the target looks at."""
    target = TARGETS[question.target]
    corpus, foil = (
        [member for member in members if member not in failed] if used else []
        for used, members in ((target.corpus, question.corpus), (target.foil, question.foil))
    )
    return corpus, foil
