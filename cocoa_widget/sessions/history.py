"""Undo and redo of the bins' changes, by page and by code alike; the page has the same in its ``history.ts``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NotRequired, TypedDict

from .bins import BINS, Bins, describe, replace

Placed = list[tuple[int, str]]
"""Ids with their positions in a bin, in the order of the positions."""


class Edit(TypedDict):
    """A change of one bin: `removed` with their positions before, `added` with their positions after."""

    removed: Placed
    added: Placed


class Edits(TypedDict):
    """One edit for each bin that changes."""

    corpus: NotRequired[Edit]
    foil: NotRequired[Edit]
    explicands: NotRequired[Edit]


class Step(TypedDict):
    """A change of the bins: its id, its label, and its edits; ``None`` where they are too long for the page."""

    id: str
    label: str
    edits: Edits | None


class Steps(TypedDict):
    """The steps that can be taken back and made again, the next one last in each list."""

    undo: list[Step]
    redo: list[Step]


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
        self._steps: list[Step] = []
        self._done = self._made = 0

    def record(self, bins: Bins, step: str | None = None) -> bool:
        """Record a change and drop what was undone before it; return False if the bins are the present ones.

        Parameters
        ----------
        bins : Bins
            The state after the change.
        step : str, optional
            The id of the step; by default a new one.
        """
        if bins == self._bins:
            return False
        if step is None:
            self._made += 1
            step = f"code-{self._made}"
        made: Step = {"id": step, "label": describe(self._bins, bins), "edits": _edits(self._bins, bins)}
        self._steps = [*self._steps[: self._done], made][-self.LIMIT :]
        self._done, self._bins = len(self._steps), bins
        return True

    def undo(self, step: str | None = None) -> Bins | None:
        """Go back by one step and return the bins before it; None at the first state.

        With the id of a step, go back only if that is the step to undo, else return None.
        """
        if self._done == 0 or step not in (None, self._steps[self._done - 1]["id"]):
            return None
        self._done -= 1
        self._bins = _changed(self._bins, self._steps[self._done], back=True)
        return self._bins

    def redo(self, step: str | None = None) -> Bins | None:
        """Go forward by one step that was undone and return the bins after it; None at the last state.

        With the id of a step, go forward only if that is the step to redo, else return None.
        """
        if self._done == len(self._steps) or step not in (None, self._steps[self._done]["id"]):
            return None
        self._bins = _changed(self._bins, self._steps[self._done])
        self._done += 1
        return self._bins

    def newest(self, count: int = 20, ids: int = 250) -> Steps:
        """Return the steps next to the present state.

        Parameters
        ----------
        count : int
            Largest number of steps in each direction.
        ids : int
            Largest number of ids in the edits of each direction. Where they are more, that step and those behind it
            come without edits.
        """
        undo, redo = self._steps[: self._done][-count:], self._steps[self._done :][:count]
        return {"undo": _within(undo[::-1], ids), "redo": _within(redo, ids)}

    @property
    def undo_label(self) -> str | None:
        """The change that `undo` takes back, in words; None at the first state."""
        return self._steps[self._done - 1]["label"] if self._done else None

    @property
    def redo_label(self) -> str | None:
        """The change that `redo` makes again, in words; None at the last state."""
        return self._steps[self._done]["label"] if self._done < len(self._steps) else None


def _within(steps: list[Step], room: int) -> list[Step]:
    """Return steps from the last to the first, with edits while there is room for their ids."""
    found: list[Step] = []
    for step in steps:
        edits = step["edits"] or Edits()
        room -= sum(len(edits[name]["removed"]) + len(edits[name]["added"]) for name in BINS if name in edits)
        found.append(step if room >= 0 else {**step, "edits": None})
    return found[::-1]


def _changed(bins: Bins, step: Step, *, back: bool = False) -> Bins:
    """Return `bins` after a step, or before it."""
    edits, changed = step["edits"] or Edits(), {}
    for name in BINS:
        if name in edits:
            removed, added = edits[name]["removed"], edits[name]["added"]
            changed[name] = _edited(bins[name], *((added, removed) if back else (removed, added)))
    return replace(bins, changed)


def _edited(members: tuple[str, ...], removed: Placed, added: Placed) -> tuple[str, ...]:
    gone, new = {position for position, _ in removed}, dict(added)
    rest = iter([member for position, member in enumerate(members) if position not in gone])
    return tuple(new[i] if i in new else next(rest) for i in range(len(members) - len(gone) + len(new)))


def _edits(old: Bins, new: Bins) -> Edits:
    edits = Edits()
    for name in BINS:
        if old[name] != new[name]:
            edits[name] = _edit(old[name], new[name])
    return edits


def _edit(old: tuple[str, ...], new: tuple[str, ...]) -> Edit:
    before, after = set(old), set(new)
    if [i for i in old if i in after] != [i for i in new if i in before]:  # another order: everything moves
        return {"removed": _placed(old), "added": _placed(new)}
    return {"removed": _placed(old, after), "added": _placed(new, before)}


def _placed(members: Iterable[str], without: set[str] | None = None) -> Placed:
    return [(i, member) for i, member in enumerate(members) if without is None or member not in without]
