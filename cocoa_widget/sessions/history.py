"""Undo and redo of the bins' changes, by page and by code alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .bins import BINS, BinName, Bins, describe, replace

Placed = tuple[tuple[int, str], ...]
"""Ids with their positions in a bin."""


class _Edit(NamedTuple):
    """A change of one bin: `removed` with their positions before, `added` with their positions after."""

    removed: Placed
    added: Placed

    @property
    def inverse(self) -> _Edit:
        return _Edit(self.added, self.removed)

    def apply(self, members: tuple[str, ...]) -> tuple[str, ...]:
        gone = {position for position, _ in self.removed}
        kept = [member for position, member in enumerate(members) if position not in gone]
        # In order of position, so that each insertion leaves those after it where they belong.
        added, rest = dict(self.added), iter(kept)
        return tuple(added[i] if i in added else next(rest) for i in range(len(kept) + len(added)))


class _Step(NamedTuple):
    """A change of the bins: its label, and one edit for each bin that it changed."""

    label: str
    edits: dict[BinName, _Edit]

    def back(self, bins: Bins) -> Bins:
        return replace(bins, {name: edit.inverse.apply(bins[name]) for name, edit in self.edits.items()})

    def forth(self, bins: Bins) -> Bins:
        return replace(bins, {name: edit.apply(bins[name]) for name, edit in self.edits.items()})


class History:
    """The changes of the bins, and how many of them are done.

    It keeps what each change has removed and added, not whole bins: 200 changes of one image each in a bin of 50,000
    take 200 ids.

    Parameters
    ----------
    bins : Bins
        The first state.
    """

    LIMIT = 200

    def __init__(self, bins: Bins) -> None:
        self._bins = bins
        self._steps: list[_Step] = []
        self._done = 0

    def record(self, bins: Bins) -> bool:
        """Record a change and drop what was undone before it; return False if the bins are the present ones."""
        if bins == self._bins:
            return False
        edits = {name: _edit(self._bins[name], bins[name]) for name in BINS if self._bins[name] != bins[name]}
        step = _Step(describe(self._bins, bins), edits)
        self._steps = [*self._steps[: self._done], step][-self.LIMIT :]
        self._done, self._bins = len(self._steps), bins
        return True

    def undo(self) -> Bins | None:
        """Go back by one change and return the bins before it; None at the first state."""
        if self._done == 0:
            return None
        self._done -= 1
        self._bins = self._steps[self._done].back(self._bins)
        return self._bins

    def redo(self) -> Bins | None:
        """Go forward by one change that was undone and return the bins after it; None at the last state."""
        if self._done == len(self._steps):
            return None
        self._bins = self._steps[self._done].forth(self._bins)
        self._done += 1
        return self._bins

    @property
    def undo_label(self) -> str | None:
        """The change that `undo` takes back, in words; None at the first state."""
        return self._steps[self._done - 1].label if self._done else None

    @property
    def redo_label(self) -> str | None:
        """The change that `redo` makes again, in words; None at the last state."""
        return self._steps[self._done].label if self._done < len(self._steps) else None


def _edit(old: tuple[str, ...], new: tuple[str, ...]) -> _Edit:
    before, after = set(old), set(new)
    if [i for i in old if i in after] != [i for i in new if i in before]:  # another order: everything moves
        return _Edit(_placed(old), _placed(new))
    return _Edit(_placed(old, after), _placed(new, before))


def _placed(members: Iterable[str], without: set[str] | None = None) -> Placed:
    return tuple((i, member) for i, member in enumerate(members) if without is None or member not in without)
