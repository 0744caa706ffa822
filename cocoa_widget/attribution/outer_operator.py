"""Operators around others, whose passes they hand on."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from ..encoders import Encoded
from .method import Operator


class OuterOperator(Operator):
    """An operator whose passes are those of operators within."""

    @property
    @abstractmethod
    def _next(self) -> Operator:
        """The operator within whose pass is next."""

    @abstractmethod
    def _follow(self) -> None:
        """Take up how far the operators within are."""

    def inputs(self, count: int) -> Tensor:
        return self._next.inputs(count)

    def accept(self, encoded: Encoded) -> None:
        self._next.accept(encoded)
        self._follow()

    def do_without(self, reason: Exception) -> bool:
        possible = self._next.do_without(reason)
        self._follow()
        return possible
