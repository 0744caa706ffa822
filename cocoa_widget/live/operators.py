"""Prepared operators, within a budget of memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection

from ..attribution import Baseline, Method, Operator

Recipe = tuple[Method, Baseline | None]
"""Method, and what replaces removed parts; None where nothing is removed."""
Key = tuple[str, Recipe]
"""Image id and recipe."""


class OperatorStore:
    """Operators by image and recipe; the least recently used go when `budget` bytes are exceeded."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._operators: OrderedDict[Key, Operator] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, image: str, recipe: Recipe) -> Operator | None:
        """Return an operator, and count it as used."""
        with self._lock:
            operator = self._operators.get((image, recipe))
            if operator is not None:
                self._operators.move_to_end((image, recipe))
            return operator

    def peek(self, image: str, recipe: Recipe) -> Operator | None:
        """Return an operator without counting it as used."""
        with self._lock:
            return self._operators.get((image, recipe))

    def put(self, image: str, recipe: Recipe, operator: Operator) -> None:
        """Keep an operator."""
        with self._lock:
            self._operators[image, recipe] = operator

    def discard(self, image: str, recipe: Recipe) -> None:
        """Forget an operator."""
        with self._lock:
            self._operators.pop((image, recipe), None)

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        with self._lock:
            return sum(operator.nbytes for operator in self._operators.values())

    def trim(self, pinned: Collection[Key]) -> bool:
        """Drop the least recently used that are not `pinned` until the budget holds; tell whether it does."""
        with self._lock:
            held = sum(operator.nbytes for operator in self._operators.values())
            for key in [k for k in self._operators if k not in pinned]:
                if held <= self.budget:
                    break
                held -= self._operators.pop(key).nbytes
            return held <= self.budget

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._operators.clear()
