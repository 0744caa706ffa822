"""Sending the page what it computes heatmaps from: first what the question needs, then what other bins would need."""

from __future__ import annotations

import weakref
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..attribution import LinearMethod, SeparableSpread, Size
from ..contrast import TARGETS
from ..encoders import Encoder, Representations
from .listening import Listener, Product, Products, array
from .members import MemberIndex
from .operators import PREVIEW
from .products import coefficients_now, products
from .question import ATTRIBUTION, Question
from .sent import FLOAT, Due, Offer, Sent
from .sizes import fitting
from .state import State

AT_HAND = 256
"""Largest number of members whose products the page is sent: the bins' first."""
SIDE = 112
"""Longer side, in pixels, of the heatmaps that the page computes; it enlarges them itself."""
PART_BYTES = 900_000
"""Largest size of the products in one message: some hosts lose messages of more than 1 MB."""


class Part(NamedTuple):
    """What goes into one message: images whose operators have the same spread, and the same members for all of them.

    Attributes
    ----------
    members : tuple of str
    cells : (int, int)
        Number of rows and columns of the spread's cells.
    rows, columns : Tensor
        (height, cells[0]) and (width, cells[1]): the spread's factors.
    items : dict of str to (Offer, Due)
        By image; nothing is due with other members.
    """

    members: tuple[str, ...]
    cells: Size
    rows: Tensor
    columns: Tensor
    items: dict[str, tuple[Offer, Due]]

    def takes(self, offer: Offer, due: Due) -> bool:
        """Return whether what is due of another image can go with this part."""
        if due.members != self.members or offer.spread.cells != self.cells:
            return False
        rows, columns = _factors(offer.spread)
        return torch.equal(rows, self.rows) and torch.equal(columns, self.columns)


class ProductSender:
    """Sends the page what it needs to compute heatmaps for any bins of the members at hand.

    At hand are the members of both bins, the explicands, and the gallery images on screen, as far as they are encoded.
    Only the painter's thread may use it.
    """

    def __init__(self, state: State, index: MemberIndex, encoder: Encoder, listener: Listener) -> None:
        self._state, self._index, self._encoder, self._listener = state, index, encoder, listener
        self._sent = Sent()

    @property
    def space(self) -> int:
        """Number of the meaning that products have now."""
        return self._sent.space

    def forget(self, images: Collection[str]) -> None:
        """Forget what was sent of images, because a view may not have it."""
        self._sent.forget(images)

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
        with self._state.changed:
            others = [] if needed else [*question.explicands, *self._state.visible()]
        return self._send_part(question, images, _unique(_binned(question), others))

    def computable(self, question: Question, images: Iterable[str], absent: Collection[str]) -> dict[str, bool]:
        """Return those of `images` whose heatmaps the page computes, and whether it computes a preview.

        Heatmaps do without the members that are `absent`. A preview counts only while there is nothing better.
        """
        used = {member for members in question.used for member in members if member not in absent}
        if not _has_products(question) or not (used or TARGETS[question.target].own):
            return {}
        store, recipe = self._state.store, question.recipe
        found = {image: self._sent.is_preview(image) for image in images if self._sent.covers(image, used)}
        return {i: preview for i, preview in found.items() if not (preview and store.presentable(i, recipe))}

    def _send_part(self, question: Question, images: Collection[str], members: Sequence[str]) -> bool:
        """Send one message of products of `images` with `members`; return whether anything was due."""
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
            part = self._next_part(question, own, [*keys])
            if part is None:
                return False
            message, passes = self._computed(question, part, own, keys, table)
        if not moment.lasts:
            return False
        for done, (image, (offer, due)) in zip(passes, part.items.items(), strict=True):
            self._sent.add(image, offer, done, due)
        self._listener.products(message)
        return True

    def _next_part(self, question: Question, images: Iterable[str], members: Sequence[str]) -> Part | None:
        """Return as much of what is due as fits into one message; None for nothing."""
        part, room, needed = None, 1, {*question.corpus, *question.foil}
        for image in images:
            offer = self._offer(question, image)
            due = None if offer is None else self._sent.due(image, offer, members, needed)
            if offer is None or due is None:
                continue
            products_in_part = PART_BYTES // (FLOAT * offer.numbers)
            due = due._replace(members=due.members[: max(1, products_in_part - 1)])
            if part is None:
                part = Part(due.members, offer.spread.cells, *_factors(offer.spread), {image: (offer, due)})
                room = products_in_part // (1 + len(due.members))
            elif part.takes(offer, due):
                part.items[image] = offer, due
            if len(part.items) >= room:
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
        spread = operator.spread
        return Offer(operator, spread, preview) if isinstance(spread, SeparableSpread) else None

    def _computed(
        self,
        question: Question,
        part: Part,
        own: Mapping[str, str],
        keys: Mapping[str, str],
        table: Representations,
    ) -> tuple[Products, list[int]]:
        """Compute the products of a part, from the keys of images and members; return also each operator's passes."""
        vectors = table.get([own[image] for image in part.items])
        if question.similarity == "cosine":
            vectors = F.normalize(vectors, dim=1)
        members = self._index.compared({member: keys[member] for member in part.members}, question, table)
        now = [coefficients_now(offer.operator, question.similarity) for offer, _ in part.items.values()]
        passes = [done for _, done in now]
        values = products(torch.stack([coefficients for coefficients, _ in now]), vectors, members)
        items = [
            Product(
                image=image,
                method=(PREVIEW[0] if offer.preview else question.method).name,
                preview=offer.preview,
                progress=0.0 if offer.preview else min(1.0, done / offer.operator.total),
                replaces=due.replaces,
                values=array(each),
            )
            for (image, (offer, due)), done, each in zip(part.items.items(), passes, values, strict=True)
        ]
        rows, columns = array(part.rows), array(part.columns)
        dropped, sent = self._sent.take_dropped(), list(part.members)
        return Products(self._sent.space, question, sent, part.cells, rows, columns, items, dropped), passes


def _factors(spread: SeparableSpread) -> tuple[Tensor, Tensor]:
    return spread.factors(fitting(SIDE, spread.full))


def _has_products(question: Question) -> bool:
    """Return whether a question's heatmaps are sums of products, and of no more than the page is sent."""
    linear = isinstance(question.method, LinearMethod) and question.similarity != "gaussian"
    return linear and question.layer == ATTRIBUTION and sum(map(len, question.used)) <= AT_HAND


def _binned(question: Question) -> list[str]:
    """List the members of both bins, those that the target uses first."""
    return _unique(*question.used, question.corpus, question.foil)


def _unique(*groups: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(member for group in groups for member in group))
