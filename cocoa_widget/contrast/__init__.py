"""From the members of the bins to a score: directions, scores, and centring by modality."""

from .direction import SIMILARITIES, TARGETS, NothingToExplain, check_bins, check_similarity, check_target, directions
from .modality import Reference, centre, centred
from .score import GaussianScore, LinearScore, Score, score_of

__all__ = [
    "SIMILARITIES",
    "TARGETS",
    "GaussianScore",
    "LinearScore",
    "NothingToExplain",
    "Reference",
    "Score",
    "centre",
    "centred",
    "check_bins",
    "check_similarity",
    "check_target",
    "directions",
    "score_of",
]
