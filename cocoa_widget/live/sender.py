"""Sending the page what it computes heatmaps from: first what the question needs, then what other bins would need."""

from __future__ import annotations

import weakref
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from ..attribution import LinearMethod
from ..contrast import TARGETS
from ..encoders import Encoder, Representations
from .cells import CellIndex
from .listening import Listener, Product, Products, SharedSpread, array
from .members import MemberIndex
from .operators import PREVIEW
from .page_spread import PageSpread, Term
from .products import coefficients_now, products
from .question import ATTRIBUTION, STABILITY, Question
from .sent import FLOAT, Due, Offer, Sent
from .state import State

AT_HAND = 256
"""Largest number of members whose products the page is sent: the bins' first."""
MOST_MAPS = 64
"""Most heatmaps from which the page computes a deviation; a filtered one counts as `FILTER_COST` (see `sent`)."""
PART_BYTES = 900_000
"""Largest size of the products in one message: some hosts lose messages of more than 1 MB."""


@dataclass
class Part:
    """What goes into one message: images whose operators have the same spread, and the same members for all of them.

    Attributes
    ----------
    members : tuple of str
    spread : PageSpread
        The same for all images, but for the guide.
    terms : list of Term or None
        Those of the spread; None where the page has the spreads of all images.
    most : int
        Most members in the message.
    room : int
        Bytes that are left in it.
    items : dict of str to (Offer, Due)
        By image; nothing is due with other members.
    """

    members: tuple[str, ...]
    spread: PageSpread
    terms: list[Term] | None
    most: int
    room: int
    items: dict[str, tuple[Offer, Due]] = field(default_factory=dict)

    @classmethod
    def begun(cls, offer: Offer, due: Due) -> Part:
        """Return a message without images yet, as large as one image with what is due of it asks for."""
        terms = offer.spread.terms() if due.spread else None
        room = PART_BYTES - sum(array.nbytes for term in terms or () for array in term.arrays)
        most = max(1, (room - _guide_bytes(offer, due)) // (FLOAT * offer.numbers) - 1)
        return cls(due.members[:most], offer.spread, terms, most, room)

    def takes(self, image: str, offer: Offer, due: Due) -> bool:
        """Add an image with what is due of it, if it can go with this message."""
        due = due._replace(members=due.members[: self.most])
        alike = due.members == self.members and due.spread == (self.terms is not None)
        needed = FLOAT * offer.numbers * (1 + len(due.members)) + _guide_bytes(offer, due)
        if not (alike and offer.spread.is_like(self.spread)) or (self.items and needed > self.room):
            return False
        self.items[image] = offer, due
        self.room -= needed
        return True


class ProductSender:
    """Sends the page what it needs to compute heatmaps for any bins of the members at hand.

    At hand are the members of both bins, the explicands, and the gallery images on screen, as far as they are encoded.
    While the user points at places of an image, so are its cells. Only the painter's thread may use it.
    """

    def __init__(self, state: State, index: MemberIndex, encoder: Encoder, listener: Listener) -> None:
        self._state, self._index, self._encoder, self._listener = state, index, encoder, listener
        self._sent, self._cells = Sent(), CellIndex(state.store)

    @property
    def space(self) -> int:
        """Number of the meaning that products have now."""
        return self._sent.space

    def forget(self, images: Collection[str]) -> None:
        """Forget what was sent of images, because a view may not have it."""
        self._sent.forget(images)

    def forget_cells(self, images: Collection[str]) -> None:
        """Forget that products with the cells of images were sent, because a view may not have them."""
        self._cells.forget(images)
        self._sent.keep_cells(self._cells.ids)

    def keep(self, images: Collection[str], on_screen: Collection[str]) -> None:
        """Forget what was sent of images other than these, of which some are on screen."""
        self._sent.keep(images, on_screen)

    def send(self, question: Question, images: Collection[str], *, needed: bool) -> None:
        """Send the products of `images`, until the question changes: then what is left is sent with the next one.

        With `needed`, only products with the members of the bins, on which the answer to `question` depends.
        """
        while self.send_part(question, images, needed=needed):
            with self._state.changed:
                if self._state.stale or self._state.closed:
                    return

    def send_part(self, question: Question, images: Collection[str], *, needed: bool = False) -> bool:
        """Send one message of what is due; return whether there was something to send."""
        binned = _binned(question)
        if needed:
            return self._send_part(question, images, binned)
        with self._state.changed:
            others, pointed = [*question.explicands, *self._state.visible()], self._state.pointed()
        self._cells.follow(question, pointed)
        self._sent.keep_cells(self._cells.ids)
        # Cells come before the others: the user points at them now.
        cells = self._cells.members
        if cells and self._send_part(question, images, binned, cells):
            return True
        return self._send_part(question, images, _unique(binned, others))

    def computable(self, question: Question, images: Iterable[str], absent: Collection[str]) -> dict[str, bool]:
        """Return those of `images` whose heatmaps the page computes, and whether it computes a preview.

        Heatmaps do without the members that are `absent`. A preview counts only while there is nothing better. The
        deviation over draws of the bins takes a heatmap of each member, so the page computes it for few members only,
        and it is unknown where a bin has a single one.
        """
        bins = [[member for member in members if member not in absent] for members in question.used]
        used = {member for members in bins for member in members}
        if not _has_products(question) or not (used or TARGETS[question.target].own):
            return {}
        store, recipe, sent = self._state.store, question.recipe, self._sent
        found = {image: sent.is_preview(image) for image in images if sent.covers(image, used)}
        if question.layer == STABILITY:
            maps = 0 if any(len(members) == 1 for members in bins) else MOST_MAPS
            return {i: preview for i, preview in found.items() if not preview and sent.maps(i) * len(used) <= maps}
        return {i: preview for i, preview in found.items() if not (preview and store.presentable(i, recipe))}

    def _send_part(
        self, question: Question, images: Collection[str], members: Sequence[str], cells: Sequence[str] = ()
    ) -> bool:
        """Send one message of products of `images` with `members` and `cells`; return whether anything was due."""
        state, moment = self._state, self._encoder.moment()
        table = moment.representations
        with state.changed:
            changed = table is not state.table
            failed = set(state.failures)
            alive = [image for image in state.alive(images) if image not in state.unexplained]
        centre = self._index.centre(question, failed, table)
        settings = question.recipe, question.similarity, question.template, question.centred
        self._sent.enter((*settings, centre, weakref.ref(table)))
        if changed or not _has_products(question):
            return False  # if the weights have changed, what was prepared with the old ones answers nothing
        at_hand = [] if centre is None else [member for member in members if member not in failed]
        keys = self._index.found(at_hand[:AT_HAND], question.template, table)
        own = self._index.found(alive, question.template, table)
        with torch.inference_mode():
            needed = {*question.corpus, *question.foil, *cells}
            part = self._next_part(question, own, [*keys, *cells], needed)
            if part is None:
                return False
            message, passes = self._computed(question, part, own, keys, table)
        if not moment.lasts or not message.items:
            return False
        for image, done in passes.items():
            offer, due = part.items[image]
            self._sent.add(image, offer, done, due)
        self._listener.products(message)
        return True

    def _next_part(
        self, question: Question, images: Iterable[str], members: Sequence[str], needed: Collection[str]
    ) -> Part | None:
        """Return as much of what is due as fits into one message; None for nothing."""
        part = None
        for image in images:
            offer = self._offer(question, image)
            due = None if offer is None else self._sent.due(image, offer, members, needed)
            if offer is None or due is None:
                continue
            part = part or Part.begun(offer, due)
            part.takes(image, offer, due)
            if part.room < FLOAT * offer.numbers:
                break
        return part

    def _offer(self, question: Question, image: str) -> Offer | None:
        """Return the operator that answers for an image now, if the page can compute what it does."""
        store = self._state.store
        operator, preview = store.get(image, question.recipe), False
        if operator is None or not operator.presentable:
            operator, preview = store.get(image, PREVIEW), True
        if operator is None or not operator.presentable:
            return None
        spread = None if operator.spread is None else PageSpread.of(operator.spread)
        return None if spread is None else Offer(operator, spread, preview)

    def _computed(
        self,
        question: Question,
        part: Part,
        own: Mapping[str, str],
        keys: Mapping[str, str],
        table: Representations,
    ) -> tuple[Products, dict[str, int]]:
        """Compute the products of a part, from the keys of images and members; return also each operator's passes.

        Images are left out whose operator has taken a pass meanwhile that changed its spread: they are due again.
        """
        now = {image: coefficients_now(offer.operator, question.similarity) for image, (offer, _) in part.items.items()}
        now = {image: found for image, found in now.items() if len(found[0]) == part.spread.k}
        passes, items = {image: done for image, (_, done) in now.items()}, []
        if now:
            vectors = table.get([own[image] for image in now])
            if question.similarity == "cosine":
                vectors = F.normalize(vectors, dim=1)
            known = {member: keys[member] for member in part.members if member in keys}
            compared = dict(zip(known, self._index.compared(known, question, table), strict=True))
            each = self._cells.vectors() | compared
            members = torch.stack([each[member] for member in part.members]) if part.members else vectors[:0]
            values = products(torch.stack([coefficients for coefficients, _ in now.values()]), vectors, members)
            items = [
                _product(question, image, *part.items[image], passes[image], array(each))
                for image, each in zip(now, values, strict=True)
            ]
        spread = None if part.terms is None else SharedSpread(part.spread.size, part.terms, part.spread.settings)
        dropped, sent = self._sent.take_dropped(), list(part.members)
        return Products(self._sent.space, question, sent, spread, items, dropped), passes


def _product(question: Question, image: str, offer: Offer, due: Due, done: int, values: NDArray[np.float32]) -> Product:
    return Product(
        image=image,
        method=(PREVIEW[0] if offer.preview else question.method).name,
        preview=offer.preview,
        progress=0.0 if offer.preview else min(1.0, done / offer.operator.total),
        replaces=due.replaces,
        values=values,
        guide=offer.spread.picture if due.spread else None,
    )


def _guide_bytes(offer: Offer, due: Due) -> int:
    guide = offer.spread.guide if due.spread else None
    return 0 if guide is None else guide.pixels.numel()


def _has_products(question: Question) -> bool:
    """Return whether a question's heatmaps are sums of products, and of no more than the page is sent."""
    linear = isinstance(question.method, LinearMethod) and question.similarity != "gaussian"
    return linear and question.layer in (ATTRIBUTION, STABILITY) and sum(map(len, question.used)) <= AT_HAND


def _binned(question: Question) -> list[str]:
    """List the members of both bins, those that the target uses first."""
    return _unique(*question.used, question.corpus, question.foil)


def _unique(*groups: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(member for group in groups for member in group))
