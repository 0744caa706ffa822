"""What a user does to the bins, as data that kernel and page apply alike; the same as the page's ``operations.ts``.

An operation says what to change and not what the bins are then, so it can be applied to bins that code or another view
has changed meanwhile.
"""

from __future__ import annotations

from typing import Literal, TypedDict

from . import bins as of_bins
from .bins import BinName, Bins, Place


class Move(TypedDict):
    """A move of images or texts; ``"gallery"`` as the place means out of `origin`, or out of all bins from there."""

    kind: Literal["move"]
    ids: list[str]
    origin: Place
    to: Place


class Clear(TypedDict):
    """The removal of all members of a bin."""

    kind: Literal["clear"]
    bin: BinName


class Swap(TypedDict):
    """The exchange of corpus and foil."""

    kind: Literal["swap"]


class SetBins(TypedDict):
    """The replacement of all bins, by which an earlier session is restored."""

    kind: Literal["set"]
    corpus: list[str]
    foil: list[str]
    explicands: list[str]


class Undo(TypedDict):
    """One step in the history of the bins, named by its id, so that no other step is taken back in its place."""

    kind: Literal["undo", "redo"]
    step: str


Change = Move | Clear | Swap | SetBins
Operation = Change | Undo


def apply(bins: Bins, operation: Change) -> Bins:
    """Return `bins` after an operation.

    Raises
    ------
    ValueError
        The operation puts an image into both corpus and foil.
    """
    match operation["kind"]:
        case "move":
            return of_bins.move(bins, operation["ids"], operation["to"], operation["origin"])
        case "clear":
            return of_bins.replace(bins, {operation["bin"]: ()})
        case "swap":
            return Bins(bins.foil, bins.corpus, bins.explicands)
        case "set":
            return of_bins.replace(bins, {name: operation[name] for name in of_bins.BINS})
