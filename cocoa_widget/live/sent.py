"""What the page was sent, so that nothing is sent to it twice."""

from __future__ import annotations

import weakref
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..attribution import Operator, SeparableSpread

KEPT_BYTES = 64 << 20
"""Products that the page keeps; those of images that were seen least recently go first."""
KEPT_MEMBERS = 1024
"""Members of which the page keeps products with one image, before it starts anew with those that are at hand."""
SHARPER = 2.5
"""Ratio of numbers of passes from which on all products of an image are sent again."""
FLOAT = 4
"""Bytes of a number."""


class Offer(NamedTuple):
    """An operator of an image, from which products can be made.

    Attributes
    ----------
    operator : Operator
    spread : SeparableSpread
        The operator's.
    preview : bool
        Whether it stands in for that of the method.
    """

    operator: Operator
    spread: SeparableSpread
    preview: bool

    @property
    def numbers(self) -> int:
        """How many numbers one product has."""
        return self.spread.k + 1


class Due(NamedTuple):
    """Members whose products with one image are to be sent, and whether these replace all earlier ones."""

    members: tuple[str, ...]
    replaces: bool


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
    numbers : int
        How many numbers one product has.
    """

    operator: weakref.ref[Operator]
    preview: bool
    done: int
    complete: bool
    members: frozenset[str]
    numbers: int

    @property
    def nbytes(self) -> int:
        """Size of the products, with that of the image's own representation."""
        return FLOAT * self.numbers * (1 + len(self.members))

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

    def due(self, image: str, offer: Offer, members: Sequence[str], needed: Collection[str]) -> Due | None:
        """Return what is to be sent of an image; None for nothing.

        Products of different states of an operator do not add up. So while it sharpens, further members wait until all
        products are sent again, unless they are needed at once.

        Parameters
        ----------
        image : str
        offer : Offer
        members : sequence of str
            Members whose products the page should have.
        needed : collection of str
            Those of them on which the present answer depends.
        """
        edition = self._editions.get(image)
        if edition is None:
            return self._fitting(image, offer, Due(tuple(members), True))
        missing = tuple(member for member in members if member not in edition.members)
        if edition.is_of(offer):
            if not missing:
                return None
            anew = len(edition.members) + len(missing) > KEPT_MEMBERS
            return self._fitting(image, offer, Due(tuple(members) if anew else missing, anew))
        urgent = bool(missing) and (offer.operator.complete or not set(missing).isdisjoint(needed))
        return self._fitting(image, offer, Due(tuple(members), True)) if urgent or edition.is_dull(offer) else None

    def _fitting(self, image: str, offer: Offer, due: Due) -> Due | None:
        """Return `due` if the page has room for it; for an image on screen, others are dropped that are not."""
        held = sum(edition.nbytes for each, edition in self._editions.items() if not (due.replaces and each == image))
        excess = held + FLOAT * offer.numbers * (len(due.members) + due.replaces) - KEPT_BYTES
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
        self._editions[image] = Edition(operator, offer.preview, done, complete, members, offer.numbers)

    def covers(self, image: str, members: Collection[str]) -> bool:
        """Return whether the page has the products of an image with all of some members."""
        edition = self._editions.get(image)
        return edition is not None and edition.members.issuperset(members)

    def is_preview(self, image: str) -> bool:
        """Return whether what the page has of an image is a preview; also where it has nothing."""
        edition = self._editions.get(image)
        return edition is None or edition.preview
