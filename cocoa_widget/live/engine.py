"""The engine's face: ask a question, say what is on screen, wait for an answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from ..encoders import Encoder
from ..images import ImageSet
from ..texts import prompt_of, text_id
from .inspector import Inspector
from .library import Found, Library
from .operators import OperatorStore
from .painter import Painter, missing_layer
from .preparer import Preparer
from .state import ATTRIBUTION, Listener, Picture, Question, State, View


class LiveEngine:
    """Keep heatmaps in step with a changing question.

    Two lanes, a thread each: the painter answers a changed question from what is ready, at once; the preparer runs the
    encoder in short slices and hands over what it has after each. The newest question wins, by being the only one that
    either lane ever looks at.

    Parameters
    ----------
    images : ImageSet
    encoder : Encoder
    question : Question
        The first one.
    listener : Listener
        Is told of heatmaps, progress and errors, from the engine's threads.
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
        self.library = Library(images, encoder)
        self._painter = Painter(self._state, self.library, encoder, listener)
        self._preparer = Preparer(self._state, images, self.library, encoder, listener)
        self.inspector = Inspector(self._state, images, self.library, encoder)
        self._painter.start()
        self._preparer.start()

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
            if replace(question, layer=old.layer) == old:
                state.changed.notify_all()
                return  # another look at the same answer
            state.version += 1
            # What failed is tried again when it is put somewhere anew, or done in another way.
            same = (question.recipe, question.template) == (old.recipe, old.template)
            before = {*old.corpus, *old.foil, *old.explicands} if same else set()
            state.unexplained.clear()  # another question is another try
            for image in {*question.corpus, *question.foil, *question.explicands} - before:
                state.failures.pop(image, None)
            state.changed.notify_all()

    def watch(self, name: str, view: View) -> None:
        """Say what the view `name` shows now; it is sent what it newly shows."""
        state = self._state
        with state.changed:
            old = state.views.get(name)
            state.views[name] = view
            state.abandoned = False
            if old is None or (old.explicands, old.gallery) != (view.explicands, view.gallery):
                state.stale = True
            elif view.gallery:
                state.dirty.update(set(view.visible) - set(old.visible))
            state.changed.notify_all()

    def rest(self, seconds: float) -> None:
        """Prepare nothing for a while, unless a GPU does it: what somebody does on the page needs the processor."""
        with self._state.changed:
            if self._state.shares_processor:
                self._state.quiet_until = time.monotonic() + seconds

    def is_watched_by(self, name: str) -> bool:
        """Whether the view `name` is among those that watch."""
        with self._state.changed:
            return name in self._state.views

    def leave(self, name: str) -> None:
        """Say that a view is gone; after the last one nothing more is prepared."""
        with self._state.changed:
            self._state.views.pop(name, None)
            self._state.abandoned = not self._state.views
            self._state.changed.notify_all()

    def wait(self, timeout: float | None = None) -> None:
        """Block until the explicands' heatmaps are complete.

        Raises
        ------
        TimeoutError
            They are not within `timeout` seconds.
        Exception
            What kept one of them, or of the bins' members, from being prepared.
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
        with self._waiting():
            if image not in state.asked:
                state.failures.pop(image, None)
                state.unexplained.pop(image, None)
            state.asked[image] = state.asked.get(image, 0) + 1
            state.changed.notify_all()
            try:
                self._wait_for(
                    lambda: self._preparer.idle([image, *state.question.corpus, *state.question.foil]), timeout
                )
                if error := state.failure_of(image):
                    raise error.with_traceback(None)
                for members in (state.question.corpus, state.question.foil):
                    if members and not state.alive(members):
                        raise state.failures[members[0]].with_traceback(None)
                # While it is pinned, and the question still the one that was waited for.
                question = replace(state.question, layer=layer)
                if missing := missing_layer(question, state.smallest()):
                    raise ValueError(missing)
                found = self._painter.pictures(question, state.version, {image: None})
            finally:
                state.asked[image] -= 1
                if not state.asked[image]:
                    del state.asked[image]
        return found[0] if found else None

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """Hold the state's lock, and count as somebody who wants results."""
        state = self._state
        with state.changed:
            state.waiters += 1
            state.changed.notify_all()
            try:
                yield
            finally:
                state.waiters -= 1

    def _wait_for(self, done: Callable[[], bool], timeout: float | None) -> None:
        state = self._state
        if not state.changed.wait_for(lambda: state.closed or done(), timeout):
            raise TimeoutError(f"The heatmaps were not complete within {timeout} s.")
        if state.closed:
            raise RuntimeError("The widget was closed.")

    def search(self, prompt: str) -> Found:
        """Rank the images that have been encoded by their similarity to a prompt; blocks while it is encoded."""
        return self.library.search(prompt_of(text_id(prompt)), self._state.question.template)

    def close(self) -> None:
        """Stop both lanes and free what they hold."""
        with self._state.changed:
            self._state.closed = True
            self._state.changed.notify_all()
        self._painter.join()
        self._preparer.join()
        self._state.store.clear()
        self._state.paths.clear()
