"""What the page was sent, so that nothing is sent to it twice."""

from __future__ import annotations

import weakref
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from ..attribution import Operator
from .page_spread import PageSpread

KEPT_BYTES = 64 << 20
"""Products that the page keeps; those of images that were seen least recently go first."""
KEPT_MEMBERS = 1024
"""Members of which the page keeps products with one image, before it starts anew with those that are at hand."""
SHARPER = 2.5
"""Ratio of numbers of passes from which on all products of an image are sent again."""
EARLY_BYTES = 100_000
"""Most bytes of one image's products that are sent before its operator is complete, beyond those that are needed."""
FILTER_COST = 16
"""Heatmaps that the page computes in the time that it takes for a filtered one."""
FLOAT = 4
"""Bytes of a number."""


class Offer(NamedTuple):
    """An operator of an image, from which products can be made.

    Attributes
    ----------
    operator : Operator
    spread : PageSpread
        The operator's.
    preview : bool
        Whether it stands in for that of the method.
    """

    operator: Operator
    spread: PageSpread
    preview: bool

    @property
    def numbers(self) -> int:
        """How many numbers one product has."""
        return self.spread.k + 1


class Due(NamedTuple):
    """What is to be sent of one image.

    Attributes
    ----------
    members : tuple of str
        Those whose products are to be sent.
    replaces : bool
        Whether these replace all earlier ones.
    spread : bool
        Whether the page lacks the spread.
    """

    members: tuple[str, ...]
    replaces: bool
    spread: bool


@dataclass(frozen=True)
class Edition:
    """The products of one image that were sent: from one operator after one number of passes.

    Attributes
    ----------
    operator : weakref of Operator
    preview : bool
        Whether the operator stood in for that of the method.
    done : int
        Passes that the operator had taken.
    complete : bool
        Whether these were all.
    members : frozenset of str
    spread : PageSpread
        The operator's.
    """

    operator: weakref.ref[Operator]
    preview: bool
    done: int
    complete: bool
    members: frozenset[str]
    spread: PageSpread

    @property
    def nbytes(self) -> int:
        """Memory that the page needs for the products, with that of the image's own representation, and the spread."""
        return FLOAT * (self.spread.k + 1) * (1 + len(self.members)) + self.spread.nbytes

    def is_of(self, offer: Offer) -> bool:
        """Return whether further products of `offer` can be added up with these."""
        operator = offer.operator
        # An operator may be complete without a further pass, by doing without those that were left.
        return self.operator() is operator and (self.done, self.complete) == (operator.done, operator.complete)

    def is_dull(self, offer: Offer) -> bool:
        """Return whether `offer` is so much sharper that all products are worth sending again."""
        if self.preview != offer.preview:
            return self.preview
        return not self.complete and (offer.operator.complete or offer.operator.done >= SHARPER * self.done)


class Sent:
    """The products that the page was sent, by image.

    Attributes
    ----------
    space : int
        Number of the meaning that products have; counts up when it changes.
    """

    def __init__(self) -> None:
        self.space = 0
        self._meaning: object = None
        self._editions: dict[str, Edition] = {}  # those that were on screen last come last
        self._on_screen: Collection[str] = ()
        self._dropped: list[str] = []
        self._cells: frozenset[str] = frozenset()

    def enter(self, meaning: object) -> None:
        """Forget everything if products have another meaning from now on."""
        if meaning != self._meaning:
            self._meaning = meaning
            self._editions.clear()
            self._dropped.clear()
            self.space += 1

    def forget(self, images: Collection[str]) -> None:
        """Forget what was sent of some images."""
        for image in images:
            self._editions.pop(image, None)

    def keep(self, images: Collection[str], on_screen: Collection[str] = ()) -> None:
        """Forget all images but some, as the page does, and note which of them are on screen."""
        kept = [image for image in self._editions if image in images]
        kept.sort(key=lambda image: image in on_screen)
        self._editions = {image: self._editions[image] for image in kept}
        self._on_screen = on_screen

    def take_dropped(self) -> list[str]:
        """Return the images that were dropped to make room since the last call."""
        dropped, self._dropped = self._dropped, []
        return dropped

    def keep_cells(self, cells: frozenset[str]) -> None:
        """Forget that products with other cells than these were sent, as the page does."""
        if gone := self._cells - cells:
            self._editions = {i: replace(each, members=each.members - gone) for i, each in self._editions.items()}
        self._cells = cells

    def due(self, image: str, offer: Offer, members: Sequence[str], needed: Collection[str]) -> Due | None:
        """Return what is to be sent of an image; None for nothing.

        Products of different states of an operator do not add up. So while it sharpens, further members wait until all
        products are sent again, unless they are needed at once. Large products are sent of the needed members alone
        until the operator is complete: all of them would be sent several times.

        Parameters
        ----------
        image : str
        offer : Offer
        members : sequence of str
            Members whose products the page should have.
        needed : collection of str
            Those of them on which the present answer depends.
        """
        if not offer.operator.complete and FLOAT * offer.numbers * len(members) > EARLY_BYTES:
            members = [member for member in members if member in needed]
        edition = self._editions.get(image)
        if edition is None:
            return self._fitting(image, offer, Due(tuple(members), True, True))
        spread = not edition.spread.is_same(offer.spread)
        missing = tuple(member for member in members if member not in edition.members)
        if edition.is_of(offer):
            if not missing:
                return None
            anew = len(edition.members) + len(missing) > KEPT_MEMBERS
            return self._fitting(image, offer, Due(tuple(members) if anew else missing, anew, spread))
        urgent = bool(missing) and (offer.operator.complete or not set(missing).isdisjoint(needed))
        renewed = urgent or edition.is_dull(offer)
        return self._fitting(image, offer, Due(tuple(members), True, spread)) if renewed else None

    def _fitting(self, image: str, offer: Offer, due: Due) -> Due | None:
        """Return `due` if the page has room for it; for an image on screen, others are dropped that are not."""
        held = sum(edition.nbytes for each, edition in self._editions.items() if not (due.replaces and each == image))
        added = FLOAT * offer.numbers * (len(due.members) + due.replaces) + due.replaces * offer.spread.nbytes
        excess = held + added - KEPT_BYTES
        unseen = [each for each in self._editions if each not in self._on_screen] if image in self._on_screen else []
        while excess > 0 and unseen:
            oldest = unseen.pop(0)
            excess -= self._editions.pop(oldest).nbytes
            self._dropped.append(oldest)
        return due if excess <= 0 else None

    def add(self, image: str, offer: Offer, done: int, due: Due) -> None:
        """Note what was sent of an image, from its operator after `done` passes."""
        before = frozenset() if due.replaces else self._editions[image].members
        complete = done >= offer.operator.total
        operator, members = weakref.ref(offer.operator), before.union(due.members)
        self._editions[image] = Edition(operator, offer.preview, done, complete, members, offer.spread)

    def covers(self, image: str, members: Collection[str]) -> bool:
        """Return whether the page has the products of an image with all of some members."""
        edition = self._editions.get(image)
        return edition is not None and edition.members.issuperset(members)

    def maps(self, image: str) -> int:
        """Return as how many unfiltered heatmaps one of an image counts, of which the page has products."""
        return 1 if self._editions[image].spread.guide is None else FILTER_COST

    def is_preview(self, image: str) -> bool:
        """Return whether what the page has of an image is a preview; also where it has nothing."""
        edition = self._editions.get(image)
        return edition is None or edition.preview
