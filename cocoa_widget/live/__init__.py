"""The live loop: what to compute next, and what to show of it. Knows no widget."""

from .engine import LiveEngine
from .state import ATTRIBUTION, LAYERS, Listener, Picture, Progress, Question, Sureness, View

__all__ = ["ATTRIBUTION", "LAYERS", "Listener", "LiveEngine", "Picture", "Progress", "Question", "Sureness", "View"]
