"""Stability: how much an answer changes when the bins are drawn again, by a bootstrap over their members."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..attribution import Operator, Size
from ..contrast import TARGETS, GaussianScore, LinearScore, Score, directions, score_of

ENOUGH = 20
"""Members of a bin from which on the results of Lin et al. (ICLR 2023) hardly change; fewer are reported as few."""
RESAMPLES = 200
"""Number of times that bins are resampled by default."""
CHUNK = 128
"""Members whose heatmaps are computed in one matrix product."""


class Members(NamedTuple):
    """The representations (m, d) of the bins' members; None for an empty bin."""

    corpus: Tensor | None
    foil: Tensor | None

    def used_by(self, target: str) -> Members:
        """Return the members without the bin that `target` does not use."""
        return Members(*TARGETS[target].used(self.corpus, self.foil))

    @property
    def smallest(self) -> int:
        """Size of the smallest bin that is not empty; 0 without any."""
        return min((len(members) for members in self if members is not None), default=0)


@dataclass(frozen=True)
class Stability:
    """How much an answer changes when the bins are drawn again.

    Attributes
    ----------
    low, high : float
        Ends of the central 95 % of the score over resampled bins.
    correlation : float or None
        Median correlation, −1 to 1, of resampled bins' heatmaps with the answer's; None without an operator.
    deviation : ndarray or None
        (h, w), standard deviation of the heatmap over draws of the bins, in its unit: over all draws for linear scores,
        over the resampled bins for others. None without an operator.
    """

    low: float
    high: float
    correlation: float | None = None
    deviation: NDArray[np.float32] | None = None


def resample(
    target: str, similarity: str, members: Members, own: Tensor, resamples: int = RESAMPLES, seed: int = 0
) -> Score | None:
    """Return the scores of one explicand under resampled bins.

    A bin of m members is resampled by m − 1 draws with replacement, which makes the bootstrap's variance unbiased for
    small bins (McCarthy & Snowden, 1985).

    Parameters
    ----------
    target, similarity : str
        As for `score_of`.
    members : Members
    own : Tensor
        (d,), the explicand's representation.
    resamples : int
        Number of times that the bins are resampled.
    seed : int
        Same seed, same draws.

    Returns
    -------
    Score or None
        k = `resamples`; None where a used bin has a single member, whose variation is unknown.
    """
    members = members.used_by(target)
    if members.smallest == 1:
        return None
    generator = torch.Generator().manual_seed(seed)
    weights = Members(*(None if m is None else _draws(len(m), resamples, generator).to(m) for m in members))
    if similarity == "gaussian":
        score = score_of(target, similarity, corpus=members.corpus, foil=members.foil, explicands=own[None])[0]
        assert isinstance(score, GaussianScore)
        return GaussianScore(score.corpus, score.foil, weights.corpus, weights.foil)

    def means(vectors: Tensor | None, weight: Tensor | None) -> Tensor | None:
        if vectors is None or weight is None:
            return None
        return weight @ (F.normalize(vectors, dim=1) if similarity == "cosine" else vectors)

    corpus, foil = map(means, members, weights)
    w = directions(target, similarity, corpus=corpus, foil=foil, explicands=own[None])
    return LinearScore(w.expand(resamples, -1), similarity)


def _draws(members: int, resamples: int, generator: torch.Generator) -> Tensor:
    """Return how often each member is drawn (resamples, members), as shares."""
    drawn = torch.randint(members, (resamples, members - 1), generator=generator)
    counts = torch.zeros(resamples, members).scatter_add_(1, drawn, torch.ones(resamples, members - 1))
    return counts / (members - 1)


def stability(
    operator: Operator | None,
    score: Score,
    resampled: Score,
    members: Members,
    own: Tensor,
    size: Size | None = None,
) -> Stability:
    """Measure how stable one explicand's answer is; no encoder pass.

    Parameters
    ----------
    operator : Operator or None
        The explicand's operator; without it, only the score's interval is computed.
    score : Score
        What is explained, k = 1.
    resampled : Score
        From `resample`.
    members : Members
        Those that the target uses.
    own : Tensor
        (d,), the explicand's representation.
    size : (int, int), optional
        Height and width of `deviation`; the encoder's input size by default.

    Returns
    -------
    Stability
    """
    values = resampled(own[None])[:, 0]
    low, high = torch.quantile(values, torch.tensor([0.025, 0.975]).to(values)).tolist()
    if operator is None:
        return Stability(low, high)
    maps = operator.apply(resampled, size)
    off = deviation(operator, score, members, size) if isinstance(score, LinearScore) else maps.std(0)
    centred = F.normalize((maps - maps.mean((1, 2), keepdim=True)).flatten(1), dim=1)
    reference = operator.apply(score, size)[0]
    reference = F.normalize((reference - reference.mean()).flatten(), dim=0)
    return Stability(low, high, float((centred @ reference).median()), off.cpu().numpy())


def deviation(operator: Operator, score: LinearScore, members: Members, size: Size | None = None) -> Tensor:
    """Compute the standard deviation of a linear score's heatmap over all draws of the bins, in closed form.

    A bin's part of the heatmap is the mean of the heatmaps h_c of its m members. So its variance over draws of the bin
    is ``Σ_c (h_c − h̄)² / (m (m − 1))``, and the variances of both bins add up.

    Parameters
    ----------
    operator : Operator
    score : LinearScore
        What is explained, k = 1.
    members : Members
        Those that the target uses, at least 2 in each bin.
    size : (int, int), optional
        Height and width of the heatmap; the encoder's input size by default.

    Returns
    -------
    Tensor
        (h, w), float32.
    """
    variance = torch.zeros_like(operator.apply(score, size)[0])
    for vectors in members:
        if vectors is None:
            continue
        each = F.normalize(vectors, dim=1) if score.similarity == "cosine" else vectors
        off, m = each - each.mean(0), len(each)
        for start in range(0, m, CHUNK):
            maps = operator.apply(LinearScore(off[start : start + CHUNK], score.similarity), size)
            variance += maps.square().sum(0) / (m * (m - 1))
    return variance.sqrt()
