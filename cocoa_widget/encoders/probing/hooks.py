"""Hooks that record what passes through a module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


@contextmanager
def watching(register: Callable[[Any], Any], take: Callable[..., Tensor]) -> Iterator[list[Tensor]]:
    """Collect what a hook sees while the block runs."""
    seen: list[Tensor] = []
    handle = register(lambda *args: seen.append(take(*args)))
    try:
        yield seen
    finally:
        handle.remove()


def watchable(module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yield names and submodules that take hooks; those of TorchScript do not, as they run outside of Python."""
    return ((name, each) for name, each in module.named_modules() if not isinstance(each, torch.jit.ScriptModule))
