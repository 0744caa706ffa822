"""The bins as one immutable value, and pure functions from bins to bins; the page has the same in its ``bins.ts``.

Widget, engine and page pass whole values of `Bins` around. In each value an image is in at most one of corpus and foil,
so no thread ever sees it in both.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from ..texts import is_text, named, shown

Side = Literal["corpus", "foil"]
"""The bins that a score contrasts."""
BinName = Literal["corpus", "foil", "explicands"]
Place = Literal["corpus", "foil", "explicands", "gallery"]
"""Where images can be moved to; moving to the gallery means out of all bins."""

BINS: tuple[BinName, ...] = ("corpus", "foil", "explicands")
OTHER: Mapping[str, Side] = {"corpus": "foil", "foil": "corpus"}
"""The bin that excludes a bin: no image is in both."""


@dataclass(frozen=True, slots=True)
class Bins:
    """Ids of the members of each bin, in order, each id once in a bin.

    Raises
    ------
    ValueError
        An id is twice in one bin, or in both corpus and foil.
    """

    corpus: tuple[str, ...] = ()
    foil: tuple[str, ...] = ()
    explicands: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in BINS:
            if len(set(self[name])) < len(self[name]):
                raise ValueError(f"{name} names an image twice.")
        if both := set(self.corpus).intersection(self.foil):
            ids = [member for member in self.corpus if member in both]
            raise ValueError(f"{named(ids)} cannot be in both corpus and foil.")

    def __getitem__(self, name: BinName) -> tuple[str, ...]:
        """Return the members of a bin by its name."""
        members: tuple[str, ...] = getattr(self, name)
        return members


def replace(bins: Bins, members: Mapping[BinName, Iterable[str]]) -> Bins:
    """Return `bins` with other members in some of them; an id that is listed twice keeps its first place."""
    return dataclasses.replace(bins, **{name: tuple(dict.fromkeys(ids)) for name, ids in members.items()})


def move(bins: Bins, ids: Iterable[str], to: Place, origin: Place = "gallery") -> Bins:
    """Return `bins` after a move.

    Parameters
    ----------
    bins : Bins
    ids : iterable of str
        Images or texts. Those that join the corpus leave the foil, and the other way around; being an explicand is
        independent of both. Texts cannot be explicands, and stay where they are.
    to : {"corpus", "foil", "explicands", "gallery"}
        ``"gallery"`` takes them out of `origin`.
    origin : {"corpus", "foil", "explicands", "gallery"}
        Where they come from; ``"gallery"`` stands for all bins.
    """
    moved = tuple(i for i in dict.fromkeys(ids) if to != "explicands" or not is_text(i))
    leaving = set(moved)
    left: tuple[BinName, ...] = (OTHER[to],) if to in OTHER else ()
    if to == "gallery":
        left = BINS if origin == "gallery" else (origin,)
    changed = {name: tuple(i for i in bins[name] if i not in leaving) for name in left}
    if to != "gallery":
        changed[to] = tuple(dict.fromkeys([*bins[to], *moved]))
    return dataclasses.replace(bins, **changed)


def put(bins: Bins, ids: Iterable[str], to: Side) -> tuple[Bins, list[str]]:
    """Return `bins` after texts were put into a bin, and those of `ids` that are in it now.

    A single text moves out of the other bin. Of several, those in the other bin stay there, so that one list can mean
    "all but the corpus".
    """
    several = list(dict.fromkeys(ids))
    if len(several) > 1:
        taken = set(bins[OTHER[to]])
        several = [i for i in several if i not in taken]
    return move(bins, several, to), several


def describe(old: Bins, new: Bins) -> str:
    """Return in words how `new` differs from `old`."""
    if old.corpus and old.foil and new.corpus == old.foil and new.foil == old.corpus:
        return "Swap corpus and foil"
    parts = []
    for name in BINS:
        before, after = set(old[name]), set(new[name])
        if added := after - before:
            parts.append(f"add {_count(added)} to {name}")
        elif before and not after:
            parts.append(f"clear {name}")
        elif removed := before - after:
            parts.append(f"remove {_count(removed)} from {name}")
    # An addition to one bin implies the removal from the other.
    adding = [part for part in parts if part.startswith("add")]
    text = ", ".join(adding or parts) or "reorder"
    return text[0].upper() + text[1:]


def _count(ids: set[str]) -> str:
    if len(ids) == 1:
        return shown(next(iter(ids)))
    texts = sum(map(is_text, ids))
    return f"{len(ids)} {'texts' if texts == len(ids) else 'images and texts' if texts else 'images'}"
