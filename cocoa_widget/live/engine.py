"""The engine's face: ask a question, say what is on screen, wait for an answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from ..encoders import Encoder
from ..images import ImageSet
from ..texts import prompt_of, text_id
from .ending import end_with_interpreter
from .inspector import Inspector
from .lane import Lane
from .library import Found, Library
from .listening import SafeListener
from .operators import OperatorStore
from .painter import Painter, missing_layer
from .preparer import Preparer
from .state import ATTRIBUTION, Listener, Picture, Question, State, View


class LaneEnded(RuntimeError):
    """An exception that is no error of one image ended the preparation, such as a `SystemExit` in an encoder."""


class LiveEngine:
    """Keep heatmaps in step with a changing question.

    Two lanes, a thread each: the painter answers a changed question from what is ready, at once; the preparer runs the
    encoder in short slices and hands over what it has after each. The newest question wins, by being the only one that
    either lane ever looks at. A lane's thread ends when it has no work and no view is there, and starts again when it
    is needed.

    Parameters
    ----------
    images : ImageSet
    encoder : Encoder
    question : Question
        The first one.
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
        self.library = Library(images, encoder)
        self._painter = Painter(self._state, self.library, encoder, listener)
        self._preparer = Preparer(self._state, images, self.library, encoder, listener)
        self.inspector = Inspector(self._state, images, self.library, encoder)
        self._state.lanes = [
            Lane("cocoa-painter", self._state, self._painter.step, self._report),
            Lane("cocoa-preparer", self._state, self._preparer.step, self._report, self._preparer.working),
        ]
        end_with_interpreter(self)
        with self._state.changed:
            self._state.stir()

    def _report(self, ended: BaseException) -> None:
        self._listener.error(_ended(ended))
        with suppress(Exception):  # it counts what the encoder knows, and that may be what is broken
            self._preparer.report_progress(None)

    @property
    def version(self) -> int:
        """Number of the present question."""
        return self._state.version

    def ask(self, question: Question) -> None:
        """Replace the question; returns at once."""
        state = self._state
        with state.changed:
            old = state.question
            if question == old:
                return
            state.question = question
            state.stale = True
            state.ended = None
            if replace(question, layer=old.layer) == old:
                state.stir()
                return  # another look at the same answer
            state.version += 1
            # What failed is tried again when it is put somewhere anew, or done in another way.
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

    def watch(self, name: str, view: View) -> None:
        """Set what the view `name` shows now; it is sent what it newly shows."""
        state = self._state
        with state.changed:
            old = state.views.get(name)
            state.views[name] = view
            state.heard[name] = time.monotonic()
            state.abandoned = False
            ended = state.ended if old is None else None
            if old is None or (old.explicands, old.gallery) != (view.explicands, view.gallery):
                state.stale = True
            elif view.gallery:
                state.dirty.update(set(view.visible) - set(old.visible))
            state.stir()
        if ended is not None:
            self._report(ended)

    def hear(self, name: str) -> bool:
        """Note that a view has sent something; return whether it is among those that watch."""
        with self._state.changed:
            if name not in self._state.views:
                return False
            self._state.heard[name] = time.monotonic()
            return True

    def rest(self, seconds: float) -> None:
        """Prepare nothing for a while, unless a GPU does it: a drag on the page needs the processor."""
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
            They are not within `timeout` seconds.
        Exception
            What kept one of them, or of the bins' members, from being prepared.
        LaneEnded
            The preparation has ended; another question starts it again.
        """
        state = self._state
        with self._waiting():
            self._wait_for(
                lambda: not (state.stale or state.dirty or state.painting) and self._preparer.idle(state.members()),
                timeout,
            )
            for image in state.members():
                if error := state.failure_of(image):
                    raise error.with_traceback(None)

    def picture(self, image: str, timeout: float | None = None, layer: str = ATTRIBUTION) -> Picture | None:
        """Block until the heatmap of `image` is complete and return it; None if there is nothing to explain."""
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
                    if missing := missing_layer(question, state.smallest()):
                        raise ValueError(missing)
                # Without the lock, which every message of the page needs: a layer can take a while.
                found = self._painter.pictures(question, version, {image: None})
                if found and not found[0].preview and found[0].progress == 1:
                    return found[0]
                with state.changed:  # nothing to explain, unless question or weights have changed meanwhile
                    if version == state.version and self._is_prepared(image):
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
        return self._preparer.idle([image, *question.corpus, *question.foil])

    @contextmanager
    def _pinned(self, image: str) -> Iterator[None]:
        """Have `image` prepared as if it were an explicand, and what was prepared kept."""
        asked, state = self._state.asked, self._state
        with state.changed:
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
        return self.library.search(prompt_of(text_id(prompt)), self._state.question.template)

    def close(self) -> None:
        """End both lanes and free what they hold; returns at once, and a pass that is under way ends by itself."""
        with self._state.changed:
            self._state.closed = True
            self._state.paths = {}
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
