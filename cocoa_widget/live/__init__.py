"""The live loop: what to compute next, and what to report of it. It does not depend on the widget."""

from .cells import CELL_PREFIX
from .ending import end_with_interpreter
from .engine import LiveEngine
from .inspector import Influences
from .listening import Heatmap, Listener, Product, Products, Progress, SharedSpread, Update
from .page_spread import SeparableTerm, SparseTerm
from .progress import ALIKE
from .question import ATTRIBUTION, LAYERS, Question
from .state import View

__all__ = [
    "ALIKE",
    "ATTRIBUTION",
    "CELL_PREFIX",
    "LAYERS",
    "Heatmap",
    "Influences",
    "Listener",
    "LiveEngine",
    "Product",
    "Products",
    "Progress",
    "Question",
    "SeparableTerm",
    "SharedSpread",
    "SparseTerm",
    "Update",
    "View",
    "end_with_interpreter",
]
