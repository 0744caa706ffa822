"""End all threads before the interpreter ends.

A thread that is inside PyTorch while the interpreter is torn down aborts the process ("terminate called without an
active exception"). So whatever has threads is closed and joined first, which takes as long as the pass under way.
"""

from __future__ import annotations

import atexit
import os
import threading
import weakref

# Imported first: exit functions run in the reverse order of their registration, and executors must take work until
# the one below has run.
import concurrent.futures.thread  # noqa: F401  isort: skip
from typing import Protocol


class Ending(Protocol):
    """An object that has threads."""

    def close(self) -> None:
        """Make the threads end; returns at once."""
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
    # A forked process has copies of the owners without their threads, and perhaps of a lock that one of them held.
    os.register_at_fork(after_in_child=_open.clear)

# `atexit` functions run after the threads of executors have been joined: jobs of the engine that need one would fail.
getattr(threading, "_register_atexit", atexit.register)(_end_all)
