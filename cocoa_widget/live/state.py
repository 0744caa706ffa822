"""What both lanes share: the question, the views, and what is known so far."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..attribution import LinearMethod, Operator, Run
from ..encoders import Representations
from .lane import Lane
from .operators import OperatorStore
from .question import Question

VIEW_SECONDS = 600.0
"""A view that has sent nothing for so long is forgotten: a page that has crashed cannot take its leave."""
LINGER_SECONDS = 1.0
"""How long a thread without work waits for more when there is no view."""
LOOK_SECONDS = 2.0
"""How often a thread without work wakes while there is a view: nothing announces that an encoder's weights change."""


@dataclass(frozen=True)
class View:
    """What one display of the widget shows.

    Attributes
    ----------
    explicands, gallery : int
        Longer sides in pixels of the heatmaps there; 0 for none.
    visible : tuple of str
        Gallery images on screen.
    seen : tuple of str or None
        Explicands on screen; None for all of them.
    cells_of : str or None
        Image at whose places the user points, so that the view needs products with its cells.
    """

    explicands: int = 0
    gallery: int = 0
    visible: tuple[str, ...] = ()
    seen: tuple[str, ...] | None = None
    cells_of: str | None = None

    def heatmaps(self, explicands: Iterable[str]) -> set[str]:
        """Return the images whose heatmaps the view shows, given what is explained."""
        return {*(explicands if self.explicands else ()), *(self.visible if self.gallery else ())}


@dataclass
class State:
    """Everything that both lanes read and write.

    Hold `changed` while using any field or method, except `store`, `shares_processor` and `lanes`, which never change.
    """

    question: Question
    store: OperatorStore
    shares_processor: bool  # whether the encoder runs where server and browser may run, too
    changed: threading.Condition = field(default_factory=threading.Condition)
    lanes: list[Lane] = field(default_factory=list)
    version: int = 0  # of the question
    table: Representations | None = None  # of the weights that `store` and `runs` were prepared with
    ended: BaseException | None = None  # exception that ended a lane; the next question starts it again
    views: dict[str, View] = field(default_factory=dict)
    heard: dict[str, float] = field(default_factory=dict)  # by view: the (monotonic) time when it last sent something
    abandoned: bool = False  # all views have left, so nothing is prepared
    waiters: int = 0  # number of callers that wait for results
    asked: dict[str, int] = field(default_factory=dict)  # by image: number of callers that wait for its heatmap
    runs: dict[str, tuple[int, Run]] = field(default_factory=dict)  # by image: question's version, run
    failures: dict[str, Exception] = field(default_factory=dict)  # could not be encoded
    renewed: dict[str, int] = field(default_factory=dict)  # by member: version in which it was put into a place
    unexplained: dict[str, Exception] = field(default_factory=dict)  # could not be explained by the present question
    dirty: set[str] = field(default_factory=set)  # images whose heatmap became sharper
    unsent: set[str] = field(default_factory=set)  # images whose products a view lacks, or may have forgotten
    cells_unsent: set[str] = field(default_factory=set)  # images with whose cells a view lacks products
    stale: bool = True  # whether all heatmaps answer an older question
    painting: bool = False
    quiet_until: float = 0.0  # (monotonic) until then the slow lane leaves the processor to the page
    closed: bool = False

    def stir(self) -> None:
        """Wake the lanes, or start them, unless their results are unwanted."""
        if not self.closed and self.ended is None and not self.unwanted:
            for lane in self.lanes:
                lane.stir()
        self.changed.notify_all()

    @property
    def unwanted(self) -> bool:
        """Whether no view shows results and no caller waits for them."""
        return self.abandoned and not self.waiters

    def forget(self) -> None:
        """Drop what was prepared with other weights."""
        self.store.clear()
        self.runs = {}
        self.failures.clear()
        self.unexplained.clear()
        self.stale = True
        self.stir()

    def idle(self, seconds: float | None = None) -> bool:
        """Wait for a change, for `seconds` at most.

        Returns False when a lane without work should end: there is no view, and nothing has happened for a while.
        """
        now = time.monotonic()
        if vanished := [name for name, then in self.heard.items() if now - then >= VIEW_SECONDS]:
            for name in vanished:
                self.leave(name)
            self.changed.notify_all()
        patience = LOOK_SECONDS if self.views else LINGER_SECONDS
        woken = self.changed.wait(patience if seconds is None else min(seconds, patience))
        return woken or bool(self.views) or seconds is not None

    def leave(self, name: str) -> None:
        """Forget a view."""
        self.heard.pop(name, None)
        if self.views.pop(name, None) is not None and not self.views:
            self.abandoned = True

    def explained(self) -> list[str]:
        """List the images whose heatmaps are completed: those that callers wait for, and the explicands."""
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

    def pointed(self) -> list[str]:
        """List the images whose cells any view needs."""
        return list(dict.fromkeys(view.cells_of for view in self.views.values() if view.cells_of is not None))

    def on_screen(self, explicands: Sequence[str]) -> set[str]:
        """Return the images whose heatmaps any view has on screen, given what is explained."""
        found: set[str] = set()
        for view in self.views.values():
            if view.explicands:
                found.update(explicands if view.seen is None else view.seen)
            if view.gallery:
                found.update(view.visible)
        return found

    def alive(self, ids: Iterable[str]) -> list[str]:
        """Return `ids` without those that could not be encoded."""
        return [i for i in ids if i not in self.failures]

    def run(self, image: str, version: int) -> Run | None:
        """Return what a method that differentiates has prepared of an image for one version of the question."""
        at, run = self.runs.get(image, (-1, None))
        return run if at == version else None

    def preparation(self, image: str) -> Operator | Run | None:
        """Return what the question's method has prepared of an image so far."""
        if isinstance(self.question.method, LinearMethod):
            return self.store.peek(image, self.question.recipe, self.question.similarity)
        return self.run(image, self.version)

    def smallest(self, question: Question) -> int:
        """Return the size of the smallest bin that a question uses, failed members left out; 0 if it uses none."""
        return min((len(ids) for ids in map(self.alive, question.used) if ids), default=0)

    def explainable(self) -> list[str]:
        """List the images of `explained` that have not failed."""
        return [i for i in self.alive(self.explained()) if i not in self.unexplained]

    def failure_of(self, image: str) -> Exception | None:
        """Return the error of an image or a text, if it has failed."""
        return self.failures.get(image) or self.unexplained.get(image)
