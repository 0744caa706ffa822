"""Keep the page's messages out of the main shell, where they would wait for the running cell."""

from __future__ import annotations

from typing import Any


def stay_in_subshell(comm: Any) -> None:
    """Make the kernel handle a comm's messages in the subshell that the page has sent them to.

    ipykernel 7.3 and later route each message to the subshell from which the comm has last *sent* something instead
    (``BaseComm._reply_subshell_for``), so that replies reach the loop that asked. What the engine's threads send counts
    as sent from the shell of the newest request: after a cell was run that is the main shell, and every drop then waits
    until the cell ends. This widget handles messages on any thread and asks the page nothing, so the page's own choice
    is always right (``docs/upstream.md``). A comm without that method, of another kernel or of an earlier ipykernel, is
    left as it is.
    """
    if callable(getattr(comm, "_reply_subshell_for", None)):
        comm._reply_subshell_for = _as_asked


def _as_asked(data: Any, default: str | None) -> str | None:
    return default
