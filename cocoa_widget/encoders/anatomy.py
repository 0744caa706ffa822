"""Where an encoder keeps what methods look at: found once, when first asked for, by running it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from torch import Tensor, nn

from .pooling import find_last_map, find_pooling
from .tokens import PatchTokens, find_tokens


class Anatomy:
    """What the parts of a module are for.

    Parameters
    ----------
    module : torch.nn.Module
    run : callable
        Runs the module once and returns its output.
    select : callable
        Returns the part of that output that is the representation.
    """

    def __init__(self, module: nn.Module, run: Callable[[], Any], select: Callable[[Any], Tensor]) -> None:
        self._module, self._run, self._select = module, run, select

    @cached_property
    def pooling(self) -> str | None:
        """Name of the submodule that pools the final feature map; "" if `module` returns the map; None without one."""
        return find_pooling(self._module, lambda: self._select(self._run()))

    @cached_property
    def tokens(self) -> PatchTokens | None:
        """Where the patch tokens of a vision transformer are."""
        return find_tokens(self._module, lambda: self._select(self._run()))

    @cached_property
    def last_map(self) -> str | None:
        """Name of the last submodule that returns a feature map; "" for `module` itself, None without any."""
        return find_last_map(self._module, self._run)
