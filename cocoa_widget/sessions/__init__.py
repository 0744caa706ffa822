"""What the user has arranged: the bins, and the history of their changes, without traits."""

from .bins import BINS, BinName, Bins, Place, Side, describe, move, put, replace
from .history import History
from .members import as_members, spelt

__all__ = [
    "BINS",
    "BinName",
    "Bins",
    "History",
    "Place",
    "Side",
    "as_members",
    "describe",
    "move",
    "put",
    "replace",
    "spelt",
]
