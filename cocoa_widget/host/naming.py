"""Default names of widgets, under which a page finds what it kept when the cell that made a widget is run again."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any, NamedTuple


class Execution(NamedTuple):
    """The run of a cell: which cell, and a message id that differs from run to run."""

    cell: str
    message: str


class Namer:
    """Names of widgets by notebook, cell, and order in the cell.

    A cell that is run again gives its widgets the names that they had. Where the cell is unknown, widgets are counted
    in the whole process, which gives the same names when a notebook is run from the top.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment
        self._lock = threading.Lock()
        self._latest: Execution | None = None
        self._in_execution = self._in_process = 0

    def name(self, execution: Execution | None) -> str:
        """Return the name of the next widget; `execution` is the run of the cell that makes it, None where unknown."""
        # A path that is not UTF-8 could not be sent to the page.
        notebook = self._environment.get("JPY_SESSION_NAME", "").encode(errors="replace").decode()
        with self._lock:
            if execution is None:
                self._in_process += 1
                return f"{notebook}#{self._in_process}"
            self._in_execution = self._in_execution + 1 if execution == self._latest else 1
            self._latest = execution
            return f"{notebook}#{execution.cell}#{self._in_execution}"


def execution_in(request: Mapping[str, Any] | None) -> Execution | None:
    """Return the run of a cell that an `execute_request` message asks for; None where it names no cell."""
    cell = ((request or {}).get("metadata") or {}).get("cellId")
    if not isinstance(cell, str) or not cell:
        return None
    return Execution(cell, str((request or {}).get("header", {}).get("msg_id", "")))


def _current_request() -> Mapping[str, Any] | None:
    """Return the message that the kernel is handling; None outside of a kernel."""
    from IPython.core.getipython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    get_parent = getattr(kernel, "get_parent", None)  # ipykernel's; other kernels need not have it
    return get_parent() if callable(get_parent) else None


_namer = Namer()


def default_name() -> str:
    """Return the default name of the widget that is being made."""
    return _namer.name(execution_in(_current_request()))
