"""A listener's failures must not reach the engine's threads."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any

from .state import Listener, Picture, Progress, Sureness

log = logging.getLogger(__name__)


class SafeListener:
    """Pass everything on to a listener, and log what it raises.

    Parameters
    ----------
    listener : Listener
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def heatmaps(self, version: int, pictures: list[Picture], nothing: str | None) -> None:
        """Pass new pictures on."""
        self._call(self._listener.heatmaps, version, pictures, nothing)

    def reliability(self, version: int, items: list[Sureness], smallest: int) -> None:
        """Pass on how sure the answers are."""
        self._call(self._listener.reliability, version, items, smallest)

    def progress(self, progress: Progress) -> None:
        """Pass the state of the preparation on."""
        self._call(self._listener.progress, progress)

    def error(self, message: str) -> None:
        """Pass an error on."""
        self._call(self._listener.error, message)

    def rest(self) -> None:
        """Pass on that the last view is gone."""
        self._call(self._listener.rest)

    def _call(self, method: Callable[..., None], *arguments: Any) -> None:
        try:
            method(*arguments)
        except Exception:
            # As text: a log that keeps the exception would keep the engine.
            log.error("What listens to the engine failed in %s.\n%s", method.__name__, traceback.format_exc())
