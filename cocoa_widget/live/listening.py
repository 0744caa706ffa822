"""What the engine reports, and to whom."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .question import ATTRIBUTION

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Picture:
    """A heatmap (h, w) of an image as it is known now; `preview` where CAM stands in for the method."""

    image: str
    method: str
    preview: bool
    values: NDArray[np.float32]
    score: float
    progress: float
    gap: float | None = None
    layer: str = ATTRIBUTION


@dataclass(frozen=True)
class Sureness:
    """How much an image's answer would change under other bins; None for what cannot be told."""

    image: str
    low: float | None
    high: float | None
    agreement: float | None


@dataclass(frozen=True)
class Progress:
    """How far the preparation is; `label` is None when there is nothing to do."""

    label: str | None
    done: int
    total: int
    ready: int
    explicands: int
    memory: int
    budget: int


class Listener(Protocol):
    """Whoever is told; called from the engine's threads."""

    def heatmaps(self, version: int, pictures: list[Picture], nothing: str | None) -> None:
        """Take new pictures; `nothing` says why there are none to expect."""
        ...

    def reliability(self, version: int, items: list[Sureness], smallest: int) -> None:
        """Take how sure the answers are; `smallest` is the size of the smallest bin used, 0 for none."""
        ...

    def progress(self, progress: Progress) -> None:
        """Take the state of the preparation."""
        ...

    def error(self, message: str) -> None:
        """Take what went wrong."""
        ...

    def rest(self) -> None:
        """Free what only views need: the last one is gone."""
        ...


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
