"""Prepared operators, within a budget of memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection

from ..attribution import CAM, Baseline, Method, Operator

Recipe = tuple[Method, Baseline | None]
"""Method and baseline; no baseline for a method that removes nothing."""
Key = tuple[str, Recipe]
"""Image id and recipe."""

PREVIEW: Recipe = (CAM(), None)
"""CAM's maps come with encoding an image. They are shown until a method's first heatmap, and CAM needs no others."""


class OperatorStore:
    """Operators by image and recipe; the least recently used are dropped when they exceed `budget` bytes."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._operators: OrderedDict[Key, Operator] = OrderedDict()
        self._lock = threading.Lock()
        self._closed = False

    def get(self, image: str, recipe: Recipe, similarity: str = "cosine") -> Operator | None:
        """Return an operator that supports a similarity, and count it as used."""
        with self._lock:
            key = self._key(image, recipe)
            if key in self._operators:
                self._operators.move_to_end(key)
            return self._supporting(key, similarity)

    def peek(self, image: str, recipe: Recipe, similarity: str = "cosine") -> Operator | None:
        """Return an operator that supports a similarity, without counting it as used."""
        with self._lock:
            return self._supporting(self._key(image, recipe), similarity)

    def _supporting(self, key: Key, similarity: str) -> Operator | None:
        operator = self._operators.get(key)
        return operator if operator is not None and operator.supports(similarity) else None

    def presentable(self, image: str, recipe: Recipe, similarity: str = "cosine") -> Operator | None:
        """Return an operator whose heatmaps are worth looking at, without counting it as used."""
        operator = self.peek(image, recipe, similarity)
        return operator if operator is not None and operator.presentable else None

    def _key(self, image: str, recipe: Recipe) -> Key:
        key = image, recipe
        return (image, PREVIEW) if recipe[0] == PREVIEW[0] and key not in self._operators else key

    def put(self, image: str, recipe: Recipe, operator: Operator) -> None:
        """Keep an operator, unless the store is closed."""
        with self._lock:
            if not self._closed:
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

    def trim(self, pinned: Collection[Key], similarity: str = "cosine") -> bool:
        """Keep the budget: drop what only the Gaussian similarity needs, then the least recently used operators.

        Those that are `pinned` stay, with all that `similarity` needs. Returns whether the budget is kept.
        """
        with self._lock:
            held = sum(operator.nbytes for operator in self._operators.values())
            for key, operator in self._operators.items():
                if held <= self.budget:
                    break
                if similarity != "gaussian" or key not in pinned:
                    self._operators[key] = smaller = operator.without_answers()
                    held -= operator.nbytes - smaller.nbytes
            for key in [k for k in self._operators if k not in pinned]:
                if held <= self.budget:
                    break
                held -= self._operators.pop(key).nbytes
            return held <= self.budget

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._operators.clear()

    def close(self) -> None:
        """Drop everything, and keep nothing from now on."""
        with self._lock:
            self._closed = True
            self._operators.clear()
