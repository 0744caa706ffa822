"""The live loop: what to compute next, and what to show of it. Knows no widget."""

from .engine import LiveEngine
from .state import Listener, Picture, Progress, Question, View

__all__ = ["Listener", "LiveEngine", "Picture", "Progress", "Question", "View"]
