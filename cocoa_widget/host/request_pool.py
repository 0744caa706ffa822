"""Requests that are answered on threads: each once at a time, until it is cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

PoolName = Literal["answers", "thumbnails"]

# Thumbnails are made one request after the other. Influence takes milliseconds, and need not wait for curves, which
# take a second.
THREADS: dict[PoolName, int] = {"answers": 2, "thumbnails": 1}
"""Threads of each pool."""


class RequestPool:
    """The requests that are being answered, and the threads that answer them; these exist while a view does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards all that follows
        self._pending: dict[str, bool] = {}  # requests that are not answered yet, and whether they were cancelled
        self._pools: dict[PoolName, ThreadPoolExecutor] = {}
        self._retired: list[ThreadPoolExecutor] = []
        self._closed = False

    def submit(self, name: PoolName, request: str, answer: Callable[[], None]) -> None:
        """Call `answer` on a thread of the pool `name`, unless the request is being answered or is cancelled by then.

        `answer` must not raise: nothing would report it.
        """

        def run() -> None:
            try:
                if not self.is_cancelled(request):
                    answer()
            finally:
                with self._lock:
                    self._pending.pop(request, None)

        with self._lock:
            if self._closed or request in self._pending:
                return  # the page repeats a request when its answer seems to be lost
            if name not in self._pools:
                self._pools[name] = ThreadPoolExecutor(THREADS[name], thread_name_prefix=f"cocoa-{name}")
            self._pending[request] = False
            self._pools[name].submit(run)

    def is_cancelled(self, request: str) -> bool:
        """Return whether nothing waits for the answer to a request any more."""
        with self._lock:
            return self._closed or self._pending.get(request, False)

    def cancel(self, request: str) -> None:
        """Cancel a request, if it is being answered."""
        with self._lock:
            if request in self._pending:
                self._pending[request] = True

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        with self._lock:
            return self._closed

    def rest(self) -> None:
        """End the threads once they have answered what was submitted; the next request starts them again."""
        with self._lock:
            pools, self._pools = [*self._pools.values()], {}
        for pool in pools:
            pool.shutdown(wait=False)

    def close(self) -> None:
        """Answer nothing more; returns at once, and what is being answered ends by itself."""
        with self._lock:
            self._closed = True
            self._retired, self._pools = [*self._pools.values()], {}
            retired = self._retired
        for pool in retired:
            pool.shutdown(wait=False, cancel_futures=True)

    def join(self) -> None:
        """Wait until the threads have ended, after `close`."""
        with self._lock:
            retired = self._retired
        for pool in retired:
            pool.shutdown()
