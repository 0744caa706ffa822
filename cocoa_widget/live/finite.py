"""Setting aside the images whose heatmaps are not finite, so that the others go on."""

from __future__ import annotations

from collections.abc import Collection

from ..attribution import Method
from ..texts import named
from .listening import Listener
from .state import State


def set_aside(state: State, listener: Listener, method: Method, images: Collection[str]) -> None:
    """Set images aside whose heatmaps are not finite, until the next question, and report them once."""
    error = ValueError(
        f"{method.label} gives numbers that are not finite (NaN or infinity). Check the method, and the encoder's"
        " output on masked images, or choose another method."
    )
    with state.changed:
        new = [image for image in images if image not in state.unexplained]
        state.unexplained.update(dict.fromkeys(new, error))
        state.changed.notify_all()
    if new:
        listener.error(f"{named(new)}: {error}")
