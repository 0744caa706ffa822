"""What the user has arranged: the bins, and the history of their changes. Knows no traits."""

from .bins import BINS, BinName, Bins, Place, describe, move, put, replace
from .history import History

__all__ = ["BINS", "BinName", "Bins", "History", "Place", "describe", "move", "put", "replace"]
