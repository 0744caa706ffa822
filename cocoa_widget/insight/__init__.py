"""How an answer depends on the bins' members: its stability, and the influence of each member."""

from .influence import Influence, influence
from .stability import ENOUGH, Members, Stability, resample, stability

__all__ = [
    "ENOUGH",
    "Influence",
    "Members",
    "Stability",
    "influence",
    "resample",
    "stability",
]
