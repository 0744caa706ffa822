"""Hooks that record what passes through a module."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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


@dataclass(eq=False)
class Call:
    """A call of a submodule: its name, and the first tensors of its arguments and of its output."""

    name: str
    given: Tensor | None
    returned: Tensor | None = None


def record(modules: Iterable[tuple[str, nn.Module]], run: Callable[[], object]) -> list[Call]:
    """Return the calls of modules, each given with its name, during a run, in the order in which they begin."""
    calls: list[Call] = []
    running: list[Call] = []

    def begin(name: str) -> Callable[..., None]:
        def hook(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            running.append(Call(name, argument(args, kwargs)))
            calls.append(running[-1])

        return hook

    def end(_: nn.Module, __: tuple[Any, ...], output: Any) -> None:
        found = first(output)
        running.pop().returned = found if isinstance(found, Tensor) else None

    handles = []
    for name, module in modules:
        handles.append(module.register_forward_pre_hook(begin(name), with_kwargs=True))
        handles.append(module.register_forward_hook(end))
    try:
        run()
    finally:
        for handle in handles:
            handle.remove()
    return calls


def argument(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
    """Return the first tensor among the arguments of a call."""
    return next((each for each in (*args, *kwargs.values()) if isinstance(each, Tensor)), None)


def first(output: Any) -> Any:
    """Return the first part of a module's output, where it returns several."""
    return output[0] if isinstance(output, tuple) and output else output


def exchange(output: Any, tensor: Tensor) -> Any:
    """Return a module's output with another first part."""
    return (tensor, *output[1:]) if isinstance(output, tuple) else tensor
