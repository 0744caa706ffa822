"""What both lanes share: the question, who watches, and what is known so far."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..attribution import Baseline, Method, Run
from ..contrast import TARGETS
from ..encoders import Representations
from ..texts import AS_TYPED
from .lane import Lane
from .operators import OperatorStore

ATTRIBUTION = "attribution"
LAYERS: dict[str, tuple[str, str]] = {
    ATTRIBUTION: ("Attribution", "What makes the image like the corpus and unlike the foil"),
    "error": ("Standard error", "How far the heatmap may be off because masks are random (RISE)"),
    "stability": ("Spread over resampled bins", "How far the heatmap may be off because bins hold just these images"),
}
"""What a heatmap can show: label and hint by name."""


VIEW_SECONDS = 600.0
"""A view that has sent nothing for so long is taken for gone: a page that crashed cannot say goodbye."""
LINGER_SECONDS = 1.0
"""How long a thread without work waits for more when no view is there."""


@dataclass(frozen=True)
class Question:
    """What is to be explained, and how; ids of images, and in corpus and foil of texts, throughout."""

    corpus: tuple[str, ...]
    foil: tuple[str, ...]
    explicands: tuple[str, ...]
    method: Method
    target: str
    similarity: str
    baseline: Baseline
    layer: str = ATTRIBUTION
    template: str = AS_TYPED
    centred: bool = False

    @property
    def recipe(self) -> tuple[Method, Baseline]:
        """What an operator depends on beside its image."""
        return self.method, self.baseline


@dataclass(frozen=True)
class View:
    """What one display of the widget shows; sizes are a heatmap's longer side in pixels, 0 for none."""

    explicands: int = 0
    gallery: int = 0
    visible: tuple[str, ...] = ()


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


@dataclass
class State:
    """Everything that both lanes read and write; hold `changed` while touching it."""

    question: Question
    store: OperatorStore
    shares_processor: bool  # the encoder runs where server and browser may run, too
    changed: threading.Condition = field(default_factory=threading.Condition)
    version: int = 0
    lanes: list[Lane] = field(default_factory=list)
    table: Representations | None = None  # of the weights that `store` and `runs` were prepared with
    ended: BaseException | None = None  # what ended a lane; the next question starts it again
    views: dict[str, View] = field(default_factory=dict)
    heard: dict[str, float] = field(default_factory=dict)  # (monotonic) when each view sent something last
    abandoned: bool = False  # all views have left: nobody looks, so nothing is prepared
    waiters: int = 0  # cells that wait for results, view or no view
    asked: dict[str, int] = field(default_factory=dict)  # images whose heatmap a cell waits for, and how many cells do
    runs: dict[str, tuple[int, Run]] = field(default_factory=dict)  # by image: question's version, run
    failures: dict[str, Exception] = field(default_factory=dict)  # could not be encoded; tried again when dropped again
    renewed: dict[str, int] = field(default_factory=dict)  # by member: the version in which it was put somewhere anew
    unexplained: dict[str, Exception] = field(default_factory=dict)  # could not be explained by this question
    dirty: set[str] = field(default_factory=set)  # images whose heatmap became sharper
    stale: bool = True  # all heatmaps answer an older question
    painting: bool = False
    quiet_until: float = 0.0  # (monotonic) until then the slow lane leaves the processor to the page
    closed: bool = False

    def stir(self) -> None:
        """Wake the lanes, or start them, unless their results are unwanted; hold `changed`."""
        if not self.closed and self.ended is None and not self.unwanted:
            for lane in self.lanes:
                lane.stir()
        self.changed.notify_all()

    @property
    def unwanted(self) -> bool:
        """Whether no view shows results and no caller waits for them."""
        return self.abandoned and not self.waiters

    def idle(self, seconds: float | None = None) -> bool:
        """Wait for a change, for `seconds` at most; hold `changed`.

        Returns False when a lane without work should end: no view is there, and nothing has happened for a while.
        """
        now = time.monotonic()
        for name in [name for name, then in self.heard.items() if now - then >= VIEW_SECONDS]:
            self.leave(name)
        patience = VIEW_SECONDS - (now - min(self.heard.values())) if self.views else LINGER_SECONDS
        woken = self.changed.wait(patience if seconds is None else min(seconds, patience))
        return woken or bool(self.views) or seconds is not None

    def leave(self, name: str) -> None:
        """Forget a view; hold `changed`."""
        self.heard.pop(name, None)
        if self.views.pop(name, None) is not None and not self.views:
            self.abandoned = True

    def explained(self) -> list[str]:
        """List the images whose heatmaps are wanted in full: what cells wait for, and the explicands."""
        return list(dict.fromkeys([*self.asked, *self.question.explicands]))

    def members(self) -> list[str]:
        """List all images and texts that the question names."""
        q = self.question
        return list(dict.fromkeys([*self.explained(), *q.corpus, *q.foil]))

    def visible(self) -> list[str]:
        """List the gallery images that any view has on screen."""
        return list(dict.fromkeys(i for view in self.views.values() for i in view.visible))

    def in_gallery(self) -> list[str]:
        """List the gallery images whose heatmap any view has on screen."""
        return list(dict.fromkeys(i for view in self.views.values() if view.gallery for i in view.visible))

    def alive(self, ids: Iterable[str]) -> list[str]:
        """Leave out the images that failed."""
        return [i for i in ids if i not in self.failures]

    def smallest(self) -> int:
        """Return the size of the smallest bin that the question uses; 0 if it uses none."""
        q, used = self.question, TARGETS[self.question.target]
        bins = [self.alive(ids) for uses, ids in ((used.corpus, q.corpus), (used.foil, q.foil)) if uses]
        return min((len(ids) for ids in bins if ids), default=0)

    def explainable(self) -> list[str]:
        """List the images to explain that did not fail."""
        return [i for i in self.alive(self.explained()) if i not in self.unexplained]

    def failure_of(self, image: str) -> Exception | None:
        """Return what went wrong with an image."""
        return self.failures.get(image) or self.unexplained.get(image)
