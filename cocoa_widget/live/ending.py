"""End all threads before the interpreter ends.

A thread that is inside PyTorch while the interpreter is torn down aborts the process ("terminate called without an
active exception"). So what has threads is closed and joined first; that takes as long as the pass that is under way.
"""

from __future__ import annotations

import atexit
import os
import threading
import weakref

# Its own ending comes after ours, since endings run in the reverse order of their registration: executors take work
# until ours has run.
import concurrent.futures.thread  # noqa: F401  isort: skip
from typing import Protocol


class Ending(Protocol):
    """What has threads."""

    def close(self) -> None:
        """Tell the threads to end; return at once."""
        ...

    def join(self) -> None:
        """Wait until they have ended."""
        ...


_open: weakref.WeakSet[Ending] = weakref.WeakSet()


def end_with_interpreter(owner: Ending) -> None:
    """Close and join `owner` when the interpreter ends, if it still exists."""
    _open.add(owner)


def _end_all() -> None:
    owners = list(_open)
    for owner in owners:
        owner.close()
    for owner in owners:
        owner.join()


if hasattr(os, "register_at_fork"):
    # A forked process has the owners but not their threads, and perhaps a lock that one of these held.
    os.register_at_fork(after_in_child=_open.clear)

# `atexit` comes after the executors' threads were joined, and jobs of the engine would then fail for want of them.
getattr(threading, "_register_atexit", atexit.register)(_end_all)
