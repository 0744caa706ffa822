"""The slow lane's next job, chosen from the shared state. Nothing runs here."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import Enum

from ..attribution import LinearMethod
from ..encoders import Encoder, Representations
from ..images import ImageSet
from ..texts import AS_TYPED, is_text
from .members import MemberIndex
from .operators import PREVIEW, Recipe
from .question import Question
from .state import State

SOON_ENCODED = 256
"""A gallery of fewer images is encoded before the text tower is made ready."""


class Task(Enum):
    """The kind of a job; the value is what the page shows meanwhile."""

    ENCODE_IMAGES = "Encoding images"
    ENCODE_TEXTS = "Encoding texts"
    READY_TEXTS = "Getting ready for texts"
    PREPARE = "Preparing"


@dataclass(frozen=True)
class Job:
    """One slice of work.

    Attributes
    ----------
    task : Task
    question : Question
        The one that was asked when the job was chosen: its method, baseline and template are used.
    version : int
        Number of that question.
    members : tuple of str
        Images or texts to encode, the one image to prepare, or nothing.
    ahead : tuple of str
        Images that are likely to be encoded next, to decode meanwhile.
    mapped : frozenset of str
        Images whose CAM map is wanted, so that their pixels are needed even where their representation is known.
    """

    task: Task
    question: Question
    version: int
    members: tuple[str, ...] = ()
    ahead: tuple[str, ...] = ()
    mapped: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        """Description for the page."""
        return f"Preparing {self.question.method.label}" if self.task is Task.PREPARE else self.task.value

    @property
    def encodes(self) -> bool:
        """Whether the job is about representations, which outlive its question."""
        return self.task in (Task.ENCODE_IMAGES, Task.ENCODE_TEXTS)


class Plan:
    """Choose the slow lane's next job: what is wanted most, decided again after every slice.

    So nothing needs to be cancelled: what is no longer wanted is not chosen again. Hold `State.changed` for everything
    here, attributes included.

    Attributes
    ----------
    pools : bool
        Whether the encoder has a feature map for CAM; taken for true until the encoder has been asked.
    texts_ready : bool
        Whether the text tower can be used without further preparation.
    full_for : tuple or None
        Recipe and gallery images for which operators have exceeded the budget, so that they are not tried again.
    """

    def __init__(self, state: State, images: ImageSet, index: MemberIndex, encoder: Encoder) -> None:
        self._state, self._images, self._index, self._encoder = state, images, index, encoder
        self.pools = True
        self.texts_ready = encoder.text is None
        self.full_for: tuple[Recipe, list[str]] | None = None
        self._encoded_up_to: tuple[Representations | None, int] = None, 0  # table, position in the gallery

    def idle(self, members: Collection[str]) -> bool:
        """Return whether nothing is left to do for images and texts."""
        state = self._state
        if self._encoder.representations is not state.table:
            return False  # the weights have changed, and what was prepared with the old ones is still there
        if self._unknown(state.alive([*members, *self._index.references(state.question)])):
            return False
        wanted = [state.preparation(image) for image in state.explainable() if image in members]
        return all(preparation is not None and preparation.complete for preparation in wanted)

    def next(self) -> Job | None:
        """Choose the next job; `State.table` must be the encoder's present table."""
        return next(self._jobs(), None)

    def _jobs(self) -> Iterator[Job]:
        """Make the jobs that could be done now, the most wanted first; only the first is ever taken."""
        state, question = self._state, self._state.question
        if unknown := self._unknown(state.alive([*state.members(), *self._index.references(question)])):
            yield self._encoding(unknown)
        preparations = [(image, state.preparation(image)) for image in state.explainable()]
        coarse = [image for image, p in preparations if p is None or not p.presentable]
        if coarse and len(coarse) == len(preparations):
            yield self._preparing(coarse[0])  # one heatmap before anything else
        if unknown := self._unknown(state.alive(state.visible())):
            yield self._encoding(unknown)
        if coarse:
            yield self._preparing(coarse[0])
        if rough := [(image, p) for image, p in preparations if p is not None and not p.complete]:
            # What a cell waits for first; else all in step, the least advanced first.
            yield self._preparing(min(rough, key=lambda item: (item[0] not in state.asked, item[1].progress))[0])
        if isinstance(question.method, LinearMethod):
            gallery = [] if self.full_for == (question.recipe, state.in_gallery()) else state.in_gallery()
            for image in state.alive(gallery):
                preparation = state.preparation(image)
                if (preparation is None or not preparation.complete) and image not in state.unexplained:
                    yield self._preparing(image)
        rest = self._rest() if state.views else []
        # A small gallery first, which is at hand then; a large one would keep the first text waiting for minutes.
        if rest and len(self._table) < SOON_ENCODED:
            yield self._encoding(rest)
        if not self.texts_ready and state.views:
            yield self._job(Task.READY_TEXTS)
        if rest:
            yield self._encoding(rest)

    # ---- jobs ----------------------------------------------------------------------------------------------------

    def _job(self, task: Task, members: Collection[str] = (), ahead: Collection[str] = ()) -> Job:
        state = self._state
        return Job(task, state.question, state.version, tuple(members), tuple(ahead), frozenset(self._mapped()))

    def _preparing(self, image: str) -> Job:
        return self._job(Task.PREPARE, [image])

    def _encoding(self, members: list[str]) -> Job:
        if not is_text(members[0]):
            return self._job(Task.ENCODE_IMAGES, members, self._following({*members}))
        return self._job(Task.ENCODE_TEXTS, members) if self.texts_ready else self._job(Task.READY_TEXTS)

    # ---- what is missing -----------------------------------------------------------------------------------------

    @property
    def _table(self) -> Representations:
        assert self._state.table is not None
        return self._state.table

    def _mapped(self) -> set[str]:
        """Return the images whose CAM map is wanted."""
        # Only what is pinned: maps that do not fit the budget would be made again and again.
        return {*self._state.explained(), *self._state.in_gallery()} if self.pools else set()

    def _unknown(self, members: list[str]) -> list[str]:
        """List the next members that lack a representation, or the CAM map that comes with it: images, else texts."""
        state, mapped, members = self._state, self._mapped(), list(dict.fromkeys(members))
        missing = {*self._index.missing(members, state.question.template, self._table)}
        images = [
            i
            for i in members
            if (i in missing and not is_text(i)) or (i in mapped and state.store.peek(i, PREVIEW) is None)
        ]
        texts = [] if images else [member for member in members if member in missing]
        return (images or texts)[: self._encoder.batch_size]

    def _following(self, ids: set[str]) -> list[str]:
        """Guess which images come after some that are encoded now."""
        state = self._state
        wanted = [i for i in state.alive([*state.members(), *state.visible()]) if i not in ids and not is_text(i)]
        found = self._unknown(wanted)
        if found or not state.views:
            return found
        return [image for image in self._rest(2) if image not in ids][: self._encoder.batch_size]

    def _rest(self, batches: int = 1) -> list[str]:
        """List the next images, in the gallery's order, that have no representation."""
        failed, ids, size = self._state.failures, self._images.ids, self._encoder.batch_size
        table = self._table
        at = self._encoded_up_to[1] if self._encoded_up_to[0] is table else 0
        found: list[str] = []
        while at < len(ids) and len(found) < batches * size:
            some = [image for image in ids[at : at + size] if image not in failed]
            found += self._index.missing(some, AS_TYPED, table)
            at += size
            if not found:
                self._encoded_up_to = table, at  # so that a large gallery is not searched from the start each time
        return found[: batches * size]
