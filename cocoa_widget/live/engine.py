"""The engine: ask a question, set what is on screen, wait for an answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import torch

from ..encoders import Encoder
from ..images import ImageSet
from ..texts import prompt_of, text_id
from .ending import end_with_interpreter
from .inspector import Inspector
from .lane import Lane
from .listening import Heatmap, Listener, SafeListener
from .members import MemberIndex
from .operators import OperatorStore
from .painter import Painter
from .plan import Plan
from .progress import ProgressReporter
from .question import ATTRIBUTION, Question, missing_layer
from .search import Found, search
from .state import State, View
from .worker import Worker


class LaneEnded(RuntimeError):
    """The preparation was ended by an exception that is not an error of one image, such as a `SystemExit`."""


class LiveEngine:
    """Keep heatmaps in step with a changing question.

    There are two lanes, each a thread. The painter answers a changed question at once from what is ready. The worker
    runs the encoder in short slices, and what it has after each of them is painted. Both lanes only ever look at the
    newest question. A lane's thread ends when it has no work and there is no view, and starts again when it is needed.

    Parameters
    ----------
    images : ImageSet
    encoder : Encoder
    question : Question
        The first question.
    listener : Listener
        Receives heatmaps, progress and errors, from the engine's threads. What it raises is logged.
    memory_budget : int
        Bytes that operators may hold.
    """

    def __init__(
        self,
        images: ImageSet,
        encoder: Encoder,
        question: Question,
        listener: Listener,
        memory_budget: int,
    ) -> None:
        self._state = State(question, OperatorStore(memory_budget), shares_processor=encoder.device.type == "cpu")
        self._listener = listener = SafeListener(listener)
        self._images, self._encoder = images, encoder
        self._index = MemberIndex(images, encoder)
        self._painter = Painter(self._state, self._index, encoder, listener)
        self._plan = Plan(self._state, images, self._index, encoder)
        self._progress = ProgressReporter(self._state, images, self._index, listener)
        worker = Worker(self._plan, self._progress, self._state, images, self._index, encoder, listener)
        self.inspector = Inspector(self._state, images, self._index, encoder)
        self._state.lanes = [
            Lane("cocoa-painter", self._state, self._painter.step, self._report, self._painter.working),
            Lane("cocoa-worker", self._state, worker.step, self._report, worker.working),
        ]
        end_with_interpreter(self)
        with self._state.changed:
            self._state.stir()

    def _report(self, ended: BaseException) -> None:
        self._listener.error(_ended(ended))
        with suppress(Exception):  # it asks the method's operators, and one of them may be what is broken
            self._progress.report(None)

    @property
    def version(self) -> int:
        """Number of the present question."""
        with self._state.changed:
            return self._state.version

    def ask(self, question: Question) -> None:
        """Replace the question; return at once."""
        state = self._state
        with state.changed:
            old = state.question
            if question == old:
                return
            state.question = question
            state.stale = True
            state.unsent.update(set(question.explicands).difference(old.explicands))
            state.ended = None
            if replace(question, layer=old.layer) == old:
                state.stir()
                return  # another look at the same answer
            state.version += 1
            # What failed is tried again when it is put into another place, or prepared in another way.
            same = (question.recipe, question.template) == (old.recipe, old.template)
            places = zip(_places(question), _places(old) if same else ((), (), ()), strict=True)
            renewed = {member for now, before in places for member in {*now}.difference(before)}
            state.unexplained.clear()  # another question is another try
            members = {member for place in _places(question) for member in place}
            state.renewed = {member: version for member, version in state.renewed.items() if member in members}
            for member in renewed:
                state.failures.pop(member, None)
                state.renewed[member] = state.version
            state.stir()

    def watch(self, name: str, view: View, *, renew: bool = False) -> None:
        """Set what the view `name` shows now; the heatmaps that it has not shown before are reported.

        With `renew`, the view has nothing of what was reported so far.
        """
        state = self._state
        with state.changed:
            old = state.views.get(name)
            explicands = state.question.explicands
            had = set() if old is None or renew else old.heatmaps(explicands)
            state.unsent.update(view.heatmaps(explicands) - had)
            state.views[name] = view
            state.heard[name] = time.monotonic()
            state.abandoned = False
            if view.cells_of is not None and (old is None or old.cells_of != view.cells_of):
                state.cells_unsent.add(view.cells_of)
            ended = state.ended if old is None else None
            if old is None or renew or (old.explicands, old.gallery) != (view.explicands, view.gallery):
                state.stale = True
            else:
                state.dirty.update(set(view.visible) - set(old.visible))
                state.dirty.update(set(view.seen or ()) - set(old.seen or ()))
            state.stir()
        if ended is not None:
            self._report(ended)

    def hear(self, name: str) -> bool:
        """Note that a view has sent something; return whether the view is known."""
        with self._state.changed:
            if name not in self._state.views:
                return False
            self._state.heard[name] = time.monotonic()
            return True

    def rest(self, seconds: float) -> None:
        """Prepare nothing for some seconds, unless on a GPU: a drag on the page needs the processor."""
        with self._state.changed:
            if self._state.shares_processor:
                self._state.quiet_until = time.monotonic() + seconds

    def leave(self, name: str) -> None:
        """Forget a view; after the last one nothing more is prepared, and the threads end."""
        with self._state.changed:
            self._state.leave(name)
            self._state.changed.notify_all()

    def wait(self, timeout: float | None = None) -> None:
        """Block until the explicands' heatmaps are complete.

        Raises
        ------
        TimeoutError
            They are not complete within `timeout` seconds.
        Exception
            The error that kept an explicand, or a member of the bins, from being prepared.
        LaneEnded
            The preparation has ended; another question starts it again.
        """
        state = self._state
        with self._waiting():
            self._wait_for(
                lambda: not (state.stale or state.dirty or state.painting) and self._plan.idle(state.members()),
                timeout,
            )
            for image in state.members():
                if error := state.failure_of(image):
                    raise error.with_traceback(None)

    def heatmap(self, image: str, timeout: float | None = None, layer: str = ATTRIBUTION) -> Heatmap | None:
        """Block until the heatmap of `image` is complete, and return it; None if there is nothing to explain."""
        state = self._state
        end = None if timeout is None else time.monotonic() + timeout
        with self._pinned(image):
            while True:
                with self._waiting():
                    left = None if end is None else max(0.0, end - time.monotonic())
                    self._wait_for(lambda: self._is_prepared(image), left)
                    if error := state.failure_of(image):
                        raise error.with_traceback(None)
                    for members in (state.question.corpus, state.question.foil):
                        if members and not state.alive(members):
                            raise state.failures[members[0]].with_traceback(None)
                    question, version = replace(state.question, layer=layer), state.version
                    if missing := missing_layer(question, state.smallest(question)):
                        raise ValueError(missing)
                # Without the lock, which every message of the page needs: a layer can take a while.
                found = self._painter.heatmaps(question, version, {image: None})
                if found and not found[0].preview and found[0].progress == 1:
                    return found[0]
                with state.changed:  # nothing to explain, unless question or weights have changed meanwhile
                    if version == state.version and self._is_prepared(image):
                        if error := state.failure_of(image):
                            raise error.with_traceback(None)
                        return None

    def left_out(self) -> dict[str, str]:
        """Return the members of the bins that could not be encoded, which heatmaps do without, and the reasons."""
        with self._state.changed:
            question, failures = self._state.question, self._state.failures
            return {
                member: str(failures[member]) for member in (*question.corpus, *question.foil) if member in failures
            }

    def _is_prepared(self, image: str) -> bool:
        """Return whether the heatmap of `image` has all that it needs; hold `state.changed`."""
        question = self._state.question
        return self._plan.idle([image, *question.corpus, *question.foil])

    @contextmanager
    def _pinned(self, image: str) -> Iterator[None]:
        """Prepare `image` as if it were an explicand, and keep what was prepared."""
        state = self._state
        with state.changed:
            asked = state.asked
            if image not in asked:
                state.failures.pop(image, None)
                state.unexplained.pop(image, None)
            asked[image] = asked.get(image, 0) + 1
        try:
            yield
        finally:
            with state.changed:
                asked[image] -= 1
                if not asked[image]:
                    del asked[image]

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """Hold the state's lock, and count as a caller who wants results."""
        state = self._state
        with state.changed:
            state.waiters += 1
            state.stir()
            try:
                yield
            finally:
                state.waiters -= 1

    def _wait_for(self, done: Callable[[], bool], timeout: float | None) -> None:
        state = self._state
        if not state.changed.wait_for(lambda: state.closed or state.ended is not None or done(), timeout):
            raise TimeoutError(f"The heatmaps were not complete within {timeout} s.")
        if state.closed:
            raise RuntimeError("The widget was closed.")
        if state.ended is not None:
            raise LaneEnded(_ended(state.ended)) from state.ended

    def search(self, prompt: str) -> Found:
        """Rank the images that have been encoded by their similarity to a prompt; blocks while it is encoded."""
        with self._state.changed:
            template = self._state.question.template
        return search(prompt_of(text_id(prompt)), template, self._images, self._index, self._encoder)

    def likeness(self) -> float | None:
        """Return the mean cosine of pairs among known images of the gallery; None while fewer than 20 are known."""
        with torch.inference_mode():
            return self._index.likeness(self._encoder.representations)

    def close(self) -> None:
        """End both lanes and free what they hold; return at once, while a pass that is under way ends by itself."""
        with self._state.changed:
            self._state.closed = True
            self._state.runs = {}
            self._state.changed.notify_all()
        self._state.store.close()

    def join(self) -> None:
        """Wait until the threads of a closed engine have ended."""
        for lane in self._state.lanes:
            lane.join()


def _places(question: Question) -> tuple[tuple[str, ...], ...]:
    """Return what is in the corpus, in the foil and among the explicands."""
    return question.corpus, question.foil, question.explicands


def _ended(error: BaseException) -> str:
    return (
        f"The preparation has ended: {type(error).__name__}: {error}. It starts again with the next change of the bins"
        " or the method."
    )
