"""What the user has arranged: the bins, operations on them and the history of their changes, without traits."""

from .bins import BINS, BinName, Bins, Place, Side, describe, move, put, replace
from .history import History, Steps
from .members import as_members, spelt
from .operations import Operation, apply

__all__ = [
    "BINS",
    "BinName",
    "Bins",
    "History",
    "Operation",
    "Place",
    "Side",
    "Steps",
    "apply",
    "as_members",
    "describe",
    "move",
    "put",
    "replace",
    "spelt",
]
