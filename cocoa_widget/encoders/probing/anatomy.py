"""Where the parts of a module are that methods look at: found once, when first asked for, by running it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

from torch import Tensor, nn

from ..copying import ModuleCopy
from .attention import Blocks, find_blocks
from .pooling import find_last_map, find_pooling
from .tokens import TokenGrid, find_tokens


class Anatomy:
    """The names of a module's parts that give feature maps and patch tokens.

    Parameters
    ----------
    copy : ModuleCopy
        Of the module; hooks on it do not reach the module itself.
    run : callable
        Runs a module once and returns its output.
    select : callable
        Returns the part of that output that is the representation.
    """

    def __init__(self, copy: ModuleCopy, run: Callable[[nn.Module], Any], select: Callable[[Any], Tensor]) -> None:
        self._copy, self._module, self._select = copy, copy.module, select
        self._run: Callable[[], Any] = partial(run, copy.module)

    def about(self, copy: ModuleCopy) -> bool:
        """Return whether this holds for another copy of the module: it has the same parts and settings."""
        return copy is self._copy or copy.same_as(self._copy)

    @cached_property
    def pooling(self) -> str | None:
        """Name of the submodule that pools the final feature map; "" if `module` returns the map; None without one."""
        return find_pooling(self._module, lambda: self._select(self._run()))

    @cached_property
    def tokens(self) -> TokenGrid | None:
        """Where the patch tokens of a vision transformer are."""
        return find_tokens(self._module, lambda: self._select(self._run()))

    @cached_property
    def blocks(self) -> Blocks | None:
        """The last blocks of a vision transformer that has patch tokens."""
        return None if self.tokens is None else find_blocks(self._module, self._run)

    @cached_property
    def last_map(self) -> str | None:
        """Name of the last submodule that returns a feature map; "" for `module` itself, None without any."""
        return find_last_map(self._module, self._run)
