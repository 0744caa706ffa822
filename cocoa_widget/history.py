"""Undo and redo of the bins, whoever changed them."""

from __future__ import annotations

from typing import NamedTuple

from .texts import is_text, shown


class Bins(NamedTuple):
    """What is in each bin, by id."""

    corpus: tuple[str, ...]
    foil: tuple[str, ...]
    explicands: tuple[str, ...]


class History:
    """A line of states of the bins, and where on it we are."""

    LIMIT = 200

    def __init__(self, bins: Bins) -> None:
        self._states = [bins]
        self._at = 0

    def record(self, bins: Bins) -> bool:
        """Add a state, which forgets what was undone; tell whether it is a new one."""
        if bins == self._states[self._at]:
            return False
        self._states = [*self._states[: self._at + 1], bins][-self.LIMIT :]
        self._at = len(self._states) - 1
        return True

    def step(self, by: int) -> Bins | None:
        """Move one state back (−1) or forth (+1) and return it; None at the end of the line."""
        if not 0 <= self._at + by < len(self._states):
            return None
        self._at += by
        return self._states[self._at]

    @property
    def undo_label(self) -> str | None:
        """What going back would take back, in words."""
        return describe(self._states[self._at - 1], self._states[self._at]) if self._at > 0 else None

    @property
    def redo_label(self) -> str | None:
        """What going forth would do again, in words."""
        last = self._at + 1 == len(self._states)
        return None if last else describe(self._states[self._at], self._states[self._at + 1])


def describe(old: Bins, new: Bins) -> str:
    """Say in words how `new` differs from `old`."""
    if old.corpus and old.foil and new.corpus == old.foil and new.foil == old.corpus:
        return "Swap corpus and foil"
    parts = []
    for name in Bins._fields:
        before, after = set(getattr(old, name)), set(getattr(new, name))
        if added := after - before:
            parts.append(f"add {_count(added)} to {name}")
        elif before and not after:
            parts.append(f"clear {name}")
        elif removed := before - after:
            parts.append(f"remove {_count(removed)} from {name}")
    # What was added somewhere says enough about where it came from.
    adding = [part for part in parts if part.startswith("add")]
    text = ", ".join(adding or parts) or "reorder"
    return text[0].upper() + text[1:]


def _count(ids: set[str]) -> str:
    if len(ids) == 1:
        return shown(next(iter(ids)))
    texts = sum(map(is_text, ids))
    return f"{len(ids)} {'texts' if texts == len(ids) else 'images and texts' if texts else 'images'}"
