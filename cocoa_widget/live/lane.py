"""The engine's threads: each exists while there may be work for it, and the exception that ends one is kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .state import State

Report = Callable[[BaseException], None]
Context = Callable[[], AbstractContextManager[object]]


class Lane:
    """One thread of the engine, started by `State.stir` when there may be work.

    Parameters
    ----------
    name : str
        Name of the thread.
    state : State
    step : callable
        Waits for work and does a piece of it; returns False when the thread should end.
    report : callable
        Takes the exception that ended the thread.
    context : callable, optional
        Makes the context manager in which the thread runs.
    """

    def __init__(
        self, name: str, state: State, step: Callable[[], bool], report: Report, context: Context = nullcontext
    ) -> None:
        self._name, self._state, self._step, self._report, self._context = name, state, step, report, context
        self._thread: threading.Thread | None = None
        self._ending: set[threading.Thread] = set()  # started and perhaps still ending: the context is left last
        self._stirred = False

    def stir(self) -> None:
        """Start the thread unless it runs; hold `state.changed`."""
        self._stirred = True
        if self._thread is None:
            self._ending = {thread for thread in self._ending if thread.is_alive()}
            thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            thread.start()  # which fails where there are too many threads
            self._thread = thread
            self._ending.add(thread)

    def join(self) -> None:
        """Wait until all threads that were started have ended, except the calling one."""
        with self._state.changed:
            threads = self._ending - {threading.current_thread()}
        for thread in threads:
            thread.join()

    def _run(self) -> None:
        ended, version = None, self._version()
        try:
            with self._context():
                while self._goes_on():
                    while self._step():
                        version = self._version()
        except BaseException as error:  # also an encoder's SystemExit: callers that wait for this thread must see it
            ended = error.with_traceback(None)
        with self._state.changed:
            if self._thread is threading.current_thread():  # and not its successor already
                self._thread = None
            if ended is not None and not self._state.closed:
                if version == self._state.version:
                    self._state.ended = ended
                    self._state.changed.notify_all()
                else:
                    self._state.stir()  # a newer question has come, and is another try
        if ended is not None:
            self._report(ended)

    def _version(self) -> int:
        with self._state.changed:
            return self._state.version

    def _goes_on(self) -> bool:
        """Return whether the thread was stirred since its last step, which may have missed what stirred it."""
        with self._state.changed:
            stirred, self._stirred = self._stirred, False
            if not stirred or self._state.closed:
                self._thread = None  # under the lock: the next stir starts another one
                return False
            return True
