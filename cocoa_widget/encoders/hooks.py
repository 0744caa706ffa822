"""See what passes through a module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor


@contextmanager
def watching(register: Callable[[Any], Any], take: Callable[..., Tensor]) -> Iterator[list[Tensor]]:
    """Collect what a hook sees while the block runs."""
    seen: list[Tensor] = []
    handle = register(lambda *args: seen.append(take(*args)))
    try:
        yield seen
    finally:
        handle.remove()
