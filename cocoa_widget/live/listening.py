"""What the engine reports, and the listener that receives it."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..insight import Stability
from .question import ATTRIBUTION

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Heatmap:
    """The heatmap of one image as it is known now.

    Attributes
    ----------
    image : str
    method : str
        Name of the method that it was made with.
    preview : bool
        Whether CAM stands in for the method that was asked for.
    values : ndarray
        (h, w).
    score : float
        What it explains.
    progress : float
        How far its preparation is, 0 to 1.
    gap : float or None
        How much the heatmap's sum misses what it should be; None for methods that promise no sum.
    layer : str
        What it shows, one of `LAYERS`.
    """

    image: str
    method: str
    preview: bool
    values: NDArray[np.float32]
    score: float
    progress: float
    gap: float | None = None
    layer: str = ATTRIBUTION


@dataclass(frozen=True)
class Progress:
    """How far the preparation is.

    Attributes
    ----------
    label : str or None
        What is done now; None when there is nothing to do.
    done, total : int
        How much of it: encoder passes, images or texts.
    ready, explicands : int
        Explicands whose heatmap is complete, and all of them.
    memory, budget : int
        Bytes that operators hold, and may hold.
    """

    label: str | None
    done: int
    total: int
    ready: int
    explicands: int
    memory: int
    budget: int


class Listener(Protocol):
    """What the engine reports to; called from the engine's threads."""

    def heatmaps(self, version: int, heatmaps: list[Heatmap], nothing: str | None) -> None:
        """Take new heatmaps; `nothing` says why there are none to expect."""
        ...

    def stability(self, version: int, found: dict[str, Stability | None], smallest: int) -> None:
        """Take how stable the answers are, by image; None where a bin is too small to tell.

        `smallest` is the size of the smallest bin that is used, 0 if none is.
        """
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
    """Pass everything on to a listener, and log what it raises: its failures must not reach the engine's threads.

    Parameters
    ----------
    listener : Listener
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def heatmaps(self, version: int, heatmaps: list[Heatmap], nothing: str | None) -> None:
        """Pass new heatmaps on."""
        self._call(self._listener.heatmaps, version, heatmaps, nothing)

    def stability(self, version: int, found: dict[str, Stability | None], smallest: int) -> None:
        """Pass on how stable the answers are."""
        self._call(self._listener.stability, version, found, smallest)

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
            # As text, since a logged exception object would keep the engine alive.
            log.error("What listens to the engine failed in %s.\n%s", method.__name__, traceback.format_exc())
