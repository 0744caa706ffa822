"""What the engine reports, and the listener that receives it."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..attribution import Size
from ..insight import Stability
from .page_spread import Term
from .question import ATTRIBUTION, Question

log = logging.getLogger(__name__)


def array(values: Tensor) -> NDArray[np.float32]:
    """Return a tensor as listeners take it."""
    found: NDArray[np.float32] = values.float().cpu().numpy()
    return found


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
    pixelwise : bool
        Whether its values may differ from each pixel to the next; see `Method.pixelwise`.
    """

    image: str
    method: str
    preview: bool
    values: NDArray[np.float32]
    score: float
    progress: float
    gap: float | None = None
    layer: str = ATTRIBUTION
    pixelwise: bool = False


@dataclass(frozen=True)
class Product:
    """The products of one image's operator with representations.

    Attributes
    ----------
    image : str
    method : str
        Name of the method that the operator is of.
    preview : bool
        Whether it is CAM's, in place of the method that was asked for.
    progress : float
        How far the operator's preparation is, 0 to 1.
    replaces : bool
        Whether all earlier products of the image no longer hold.
    values : ndarray
        (1 + m, k + 1): see `cocoa_widget.live.products`.
    guide : ndarray or None
        (height, width, 3), uint8: the guide of the filter at the end of its spread, where one is reported.
    """

    image: str
    method: str
    preview: bool
    progress: float
    replaces: bool
    values: NDArray[np.float32]
    guide: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class SharedSpread:
    """The spread of several images' operators, which differ in their guides alone.

    Attributes
    ----------
    size : (int, int)
        Height and width of the heatmaps.
    terms : list of Term
        What is summed; each takes the numbers after those of the terms before it.
    filter : (int, float) or None
        Radius and epsilon of the guided filter after the sum; None without one.
    """

    size: Size
    terms: list[Term]
    filter: tuple[int, float] | None


@dataclass(frozen=True)
class Products:
    """Products of several images' operators with the same members.

    Attributes
    ----------
    space : int
        Counts up when representations or operators change their meaning; no products of an earlier one hold.
    question : Question
        With the settings that the products depend on.
    members : list of str
        Images and texts.
    spread : SharedSpread or None
        From the sums of products to heatmaps; None where the images' spreads have been reported before.
    items : list of Product
    dropped : list of str
        Images whose products no longer need to be kept.
    """

    space: int
    question: Question
    members: list[str]
    spread: SharedSpread | None
    items: list[Product]
    dropped: list[str]


@dataclass(frozen=True)
class Update:
    """The heatmaps of one moment, without those that can be computed from the products reported so far.

    Attributes
    ----------
    version : int
        Number of the question that they answer.
    space : int
        The newest space of products; no products of an earlier one hold.
    heatmaps : list of Heatmap
    failed, waiting : list of str
        Members of the bins that could not be encoded, and those that are not encoded yet: heatmaps do without them.
    nothing : str or None
        The reason why there are no heatmaps to expect.
    """

    version: int
    space: int
    heatmaps: list[Heatmap]
    failed: list[str]
    waiting: list[str]
    nothing: str | None = None


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
    alike : float or None
        Mean cosine of pairs of the gallery's images where it is so high that scores hardly differ.
    """

    label: str | None
    done: int
    total: int
    ready: int
    explicands: int
    memory: int
    budget: int
    alike: float | None


class Listener(Protocol):
    """What the engine reports to; called from the engine's threads."""

    def products(self, products: Products) -> None:
        """Take what heatmaps can be computed from."""
        ...

    def heatmaps(self, update: Update) -> None:
        """Take new heatmaps."""
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

    def products(self, products: Products) -> None:
        """Pass products on."""
        self._call(self._listener.products, products)

    def heatmaps(self, update: Update) -> None:
        """Pass new heatmaps on."""
        self._call(self._listener.heatmaps, update)

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
