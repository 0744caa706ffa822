"""What stands behind a score: how stable it is, and the contribution of each member."""

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
