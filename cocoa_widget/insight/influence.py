"""Influence: the contribution of each bin member to a score and to a heatmap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..attribution import Operator, Size
from ..contrast import LinearScore, Score
from .stability import CHUNK, Members

OUTLYING = 3.5
"""Modified z-score from which on a value counts as an outlier (Iglewicz & Hoaglin, 1993)."""
UNLIKE = 0.1
"""Least difference between an outlier's mean cosine and the median one, however alike the other members are."""


@dataclass(frozen=True)
class Influence:
    """The contribution of each member of one bin to one explicand's answer.

    Attributes
    ----------
    shares : ndarray
        (m,), each member's part of the score, negative for members of the foil that are like the explicand. The shares
        of both bins, and the explicand's own where the target has it, sum to gamma.
    changes : ndarray or None
        (m,), relative change of the heatmap without the member: the norm of the difference by the norm of the heatmap.
        None for methods without an operator.
    outliers : ndarray
        (m,), bool: members that are much less like the others than these are like each other; none in bins of fewer
        than 4.
    """

    shares: NDArray[np.float32]
    changes: NDArray[np.float32] | None
    outliers: NDArray[np.bool_]


def influence(
    operator: Operator | None,
    score: Score,
    members: Members,
    target: str,
    own: Tensor,
    size: Size | None = (28, 28),
) -> tuple[Influence | None, Influence | None]:
    """Split one explicand's answer over corpus and foil, by linearity and without an encoder pass.

    Parameters
    ----------
    operator : Operator or None
        The explicand's operator; without it, `changes` is None.
    score : Score
        The linear score that is explained, k = 1.
    members : Members
    target : str
        As for `score_of`.
    own : Tensor
        (d,), the explicand's representation.
    size : (int, int), optional
        Height and width at which heatmaps are compared; the encoder's input size if None.

    Returns
    -------
    tuple of Influence or None
        For corpus and foil; None for a bin that is empty or not used.

    Raises
    ------
    ValueError
        The score is not linear.
    """
    if not isinstance(score, LinearScore):
        raise ValueError(
            "The Gaussian similarity is not a sum over images, so it cannot be split among them: choose the cosine or"
            " the dot product."
        )
    unit = score.similarity == "cosine"
    mine = F.normalize(own, dim=0) if unit else own
    whole = None if operator is None else float(operator.apply(score, size).norm())
    found: list[Influence | None] = []
    for vectors, sign in zip(members.used_by(target), (1, -1), strict=True):
        if vectors is None:
            found.append(None)
            continue
        compared = F.normalize(vectors, dim=1) if unit else vectors
        shares = sign * (compared @ mine) / len(compared)
        changes = None
        if operator is not None and whole is not None:
            rest = (compared.mean(0) - compared) / (len(compared) - 1) if len(compared) > 1 else -compared
            chunks = [sign * rest[start : start + CHUNK] for start in range(0, len(rest), CHUNK)]
            norms = [operator.apply(LinearScore(c, score.similarity), size).flatten(1).norm(dim=1) for c in chunks]
            changes = (torch.cat(norms) / max(whole, 1e-12)).cpu().numpy()
        found.append(Influence(shares.cpu().numpy(), changes, outliers(vectors)))
    return found[0], found[1]


def outliers(members: Tensor) -> NDArray[np.bool_]:
    """Find the members (m, d) of a bin that are much less like the others than these are like each other.

    They are found by the modified z-score of each member's mean cosine with the others.
    """
    m = len(members)
    if m < 4:
        return np.zeros(m, dtype=bool)
    unit = F.normalize(members, dim=1).cpu()
    likeness = ((unit @ unit.sum(0)) - (unit * unit).sum(1)).double() / (m - 1)
    below = likeness.median() - likeness
    deviation = below.abs().median()
    # Where more than half are alike, the median deviation is zero: the mean deviation takes its place.
    scale = deviation / 0.6745 if float(deviation) > 1e-6 else below.abs().mean() * 1.2533
    return (below > (OUTLYING * scale).clamp(min=UNLIKE)).cpu().numpy()
