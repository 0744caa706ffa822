"""A pool of threads that starts when it is needed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_THREADS = min(8, (os.cpu_count() or 1) + 2)
"""Pillow decodes without the interpreter's lock; two threads more than cores cover the waiting for a disk."""

_AHEAD = 4 * _THREADS
"""Items that are submitted to the threads at a time: enough to keep them busy, few enough to stop soon."""


class Workers:
    """Run a function over many items in threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None

    def each(self, function: Callable[[_Item], _Result], items: Iterable[_Item]) -> Iterator[tuple[_Item, _Result]]:
        """Yield each item with its result, in the order in which they are done.

        Closing the iterator drops the items that have not started.
        """
        waiting = iter(items)
        running: dict[Future[_Result], _Item] = {}
        try:
            while True:
                for item in islice(waiting, _AHEAD - len(running)):
                    running[self._submit(function, item)] = item
                if not running:
                    return
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield running.pop(future), future.result()
        finally:
            for future in running:
                future.cancel()

    def close(self) -> None:
        """End the threads; the next use starts new ones."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True)

    def _submit(self, function: Callable[[_Item], _Result], item: _Item) -> Future[_Result]:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="cocoa-images")
            return self._pool.submit(function, item)
