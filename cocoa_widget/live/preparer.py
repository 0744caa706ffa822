"""The slow lane: encoder passes, in short slices, the most wanted first."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from ..attribution import (
    Baseline,
    CAMOperator,
    DirectMethod,
    GradientMethod,
    LinearMethod,
    Operator,
    Run,
    advance,
    advance_run,
    baselines_of,
    check_method,
)
from ..encoders import Decoder, Encoder
from ..images import ImageSet
from ..texts import AS_TYPED, is_text, named, prompt_of
from .library import Library
from .operators import PREVIEW, Key, Recipe
from .scores import known_scores
from .slices import SliceSize
from .state import Listener, Progress, State

STATUS_SECONDS = 0.1
SHARPER = 1.25
"""How many times the passes make a heatmap visibly sharper."""
KEPT_INPUTS = 32
SOON_ENCODED = 256
ENCODING = "Encoding images"
ENCODING_TEXTS = "Encoding texts"
READYING_TEXTS = "Getting ready for texts"


class BudgetExceeded(RuntimeError):
    """The explicands' operators alone need more memory than the budget allows."""


def _without_frames(error: Exception) -> Exception:
    """Free what an exception's tracebacks hold: pictures, batches, activations."""
    link: BaseException | None = error
    seen: set[int] = set()  # an encoder that raises one exception object again and again makes a circle of it
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        link.__traceback__, link = None, link.__cause__ or link.__context__
    return error


def _lower_priority() -> None:
    """Have the system prefer everybody else to this thread: fast lane, server and browser are all waited for.

    On Linux a thread's niceness is its own, and passes on to the threads that PyTorch starts for it.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with contextlib.suppress(OSError):  # a sandbox may refuse, and a kernel may be nicer than that already
            os.setpriority(os.PRIO_PROCESS, thread, max(10, os.getpriority(os.PRIO_PROCESS, thread)))


@dataclass(frozen=True)
class Job:
    """One slice of work: `run` it for `images`; `urgent` is what the question itself needs, `version` its number."""

    label: str
    run: Callable[[], None]
    images: list[str]
    urgent: bool
    version: int


class Preparer:
    """Run the encoder for what is wanted most, decided anew after every slice.

    So nothing needs to be cancelled: what is no longer wanted is just not chosen again.
    """

    def __init__(self, state: State, images: ImageSet, library: Library, encoder: Encoder, listener: Listener) -> None:
        self._state, self._images, self._library, self._encoder = state, images, library, encoder
        self._listener = listener
        self._sizes = {"encode": SliceSize(), "gradient": SliceSize(), "text": SliceSize()}
        self._text_ready = encoder.text is None
        self._inputs: OrderedDict[tuple[str, Baseline], tuple[Tensor, Tensor]] = OrderedDict()
        self._told = 0.0
        self._last_progress: Progress | None = None
        self._encoded_up_to = 0
        self._full_for: tuple[Recipe, list[str]] | None = None  # a gallery whose operators exceed the budget
        self._reported: set[str] = set()  # what went wrong with images that no question names
        self._pools = True  # until the encoder is asked, on the worker's thread: whether it has a feature map for CAM
        self._decoder: Decoder | None = None  # while the thread runs
        self._mapped: set[str] = set()  # images whose CAM map is wanted, so that their pixels are

    def idle(self, members: Collection[str]) -> bool:
        """Tell whether nothing is left to do for images and texts; hold `state.changed`."""
        state = self._state
        if self._encoder.representations is not state.table:
            return False  # the weights have changed, and what was prepared with the old ones is still there
        if self._unknown(state.alive([*members, *self._library.references(state.question)])):
            return False
        wanted = [self._preparation(image) for image in state.explainable() if image in members]
        return all(preparation is not None and preparation.complete for preparation in wanted)

    # ---- the loop ------------------------------------------------------------------------------------------------

    @contextmanager
    def working(self) -> Iterator[None]:
        """Be the context in which the lane's thread runs."""
        _lower_priority()
        try:
            self._pools = self._encoder.pooling is not None
        except Exception:
            self._pools = False  # the first pass over a real image will report what is wrong
        with self._encoder.decoder(self._images, self._needless) as decoder:
            self._decoder = decoder
            yield
        with self._state.changed:
            gone = self._state.unwanted
        if gone:
            self._listener.rest()

    def step(self) -> bool:
        """Wait for something to prepare, and run a slice of it; return whether there may be more (see `Lane`)."""
        state = self._state
        with state.changed:
            self._give_way()
            job = None
            while not state.closed:
                job = None if state.unwanted else self._next()
                if job is not None:
                    break
                self.report_progress(None)
                state.changed.notify_all()
                if not state.idle():
                    return False
            if state.closed or job is None:
                return False
        self.report_progress(job.label)
        moment = self._encoder.moment()
        try:
            job.run()
        except Exception as error:
            self._fail(job, error)
        with state.changed:
            if moment.representations is not state.table or not moment.lasts:
                self._forget()  # the slice saw two states of the weights, or one that has gone
            state.changed.notify_all()
        return True

    def _give_way(self) -> None:
        """Let the fast lane go first, and its pictures reach the page; hold `state.changed`."""
        state = self._state
        while not state.closed:
            state.changed.wait_for(lambda: state.closed or not (state.stale or state.painting), timeout=1)
            rest = state.quiet_until - time.monotonic()
            if rest <= 0:
                return
            state.changed.wait(rest)

    def _next(self) -> Job | None:
        """Choose the next slice; hold `state.changed`."""
        table = self._encoder.representations
        if table is not self._state.table:
            # The encoder's weights have changed: what was prepared with the old ones answers nothing any more.
            self._forget()
            self._state.table, self._encoded_up_to = table, 0
        return next(self._wanted(), None)

    def _forget(self) -> None:
        """Drop what was prepared with other weights; hold `state.changed`."""
        state = self._state
        state.store.clear()
        state.runs = {}
        state.failures.clear()
        state.unexplained.clear()
        state.stale = True
        state.stir()

    def _wanted(self) -> Iterator[Job]:
        state, question = self._state, self._state.question
        explained = state.explainable()
        if unknown := self._unknown(state.alive([*state.members(), *self._library.references(question)])):
            yield self._encoding(unknown, urgent=True)
        preparations = [(image, self._preparation(image)) for image in explained]
        coarse = [image for image, p in preparations if p is None or not p.presentable]
        if coarse and len(coarse) == len(preparations):
            yield self._slice(coarse[0])  # one picture before anything else
        if unknown := self._unknown(state.alive(state.visible())):
            yield self._encoding(unknown, urgent=False)
        if coarse:
            yield self._slice(coarse[0])
        if rough := [(image, p) for image, p in preparations if p is not None and not p.complete]:
            # What a cell waits for first; else all in step, the least advanced first.
            yield self._slice(min(rough, key=lambda item: (item[0] not in state.asked, item[1].progress))[0])
        if isinstance(question.method, LinearMethod):
            gallery = [] if self._full_for == (question.recipe, state.in_gallery()) else state.in_gallery()
            for image in state.alive(gallery):
                preparation = self._preparation(image)
                if (preparation is None or not preparation.complete) and image not in state.unexplained:
                    yield self._slice(image, urgent=False)
        rest = self._rest() if state.views else []
        # A small gallery first, which is at hand then; a large one would keep the first text waiting for minutes.
        if rest and len(self._encoder.representations) < SOON_ENCODED:
            yield self._encoding(rest, urgent=False)
        if not self._text_ready and state.views:
            yield Job(READYING_TEXTS, self._ready_texts, [], False, state.version)
        if rest:
            yield self._encoding(rest, urgent=False)

    # ---- what is known -------------------------------------------------------------------------------------------

    def _unknown(self, members: list[str]) -> list[str]:
        """List the next members that lack a representation, or the CAM map that comes with it: images, else texts."""
        table, state, template = self._encoder.representations, self._state, self._state.question.template
        missing = {*self._library.missing(members, template, table)}
        # Only what is pinned is asked for its map, or maps that do not fit the budget would be made for ever.
        mapped = {*state.explained(), *state.in_gallery()} if self._pools else set()
        images = [
            i
            for i in members
            if (i in missing and not is_text(i)) or (i in mapped and state.store.peek(i, PREVIEW) is None)
        ]
        texts = [] if images else [member for member in members if member in missing]
        return (images or texts)[: self._encoder.batch_size]

    def _following(self, ids: set[str]) -> list[str]:
        """Guess which images come after some that are encoded now; hold `state.changed`."""
        state = self._state
        wanted = [i for i in state.alive([*state.members(), *state.visible()]) if i not in ids and not is_text(i)]
        found = self._unknown(wanted)
        if found or not state.views:
            return found
        return [image for image in self._rest(2) if image not in ids][: self._encoder.batch_size]

    def _rest(self, batches: int = 1) -> list[str]:
        """List the next images, in the gallery's order, that have no representation."""
        table, failed, ids = self._encoder.representations, self._state.failures, self._images.ids
        found: list[str] = []
        at = self._encoded_up_to
        while at < len(ids) and len(found) < batches * self._encoder.batch_size:
            some = [image for image in ids[at : at + self._encoder.batch_size] if image not in failed]
            found += self._library.missing(some, AS_TYPED, table)
            at += self._encoder.batch_size
            if not found:
                self._encoded_up_to = at  # so that a large gallery is not looked through from the start each time
        return found[: batches * self._encoder.batch_size]

    def _preparation(self, image: str) -> Operator | Run | None:
        question = self._state.question
        if isinstance(question.method, LinearMethod):
            return self._state.store.peek(image, question.recipe)
        version, run = self._state.runs.get(image, (-1, None))
        return run if version == self._state.version else None

    # ---- slices --------------------------------------------------------------------------------------------------

    def _encoding(self, members: list[str], *, urgent: bool) -> Job:
        if is_text(members[0]) and not self._text_ready:
            return Job(READYING_TEXTS, self._ready_texts, [], urgent, self._state.version)
        label = ENCODING_TEXTS if is_text(members[0]) else ENCODING
        return Job(label, lambda: self._encode(members), members, urgent, self._state.version)

    def _ready_texts(self) -> None:
        assert self._encoder.text is not None
        try:
            self._text_ready = self._encoder.text.prepare()
        except Exception:
            self._text_ready = True  # the first prompt will say what is wrong
            raise

    def _encode_texts(self, texts: list[str]) -> None:
        some, template = texts[: self._count("text")], self._state.question.template
        begun = time.perf_counter()
        self._encoder.encode_text([prompt_of(text) for text in some], template=template)
        self._measure("text", len(some), begun)
        self._text_ready = True
        with self._state.changed:
            self._sharpened(some)

    def _encode(self, ids: list[str]) -> None:
        if is_text(ids[0]):
            self._encode_texts(ids)
            return
        with self._state.changed:
            following = self._following({*ids})
            self._mapped = {*self._state.explained(), *self._state.in_gallery()} if self._pools else set()
        assert self._decoder is not None
        decoded = dict(zip(ids, self._decoder.take(ids, ahead=following), strict=True))
        pictures = {image: tensor for image, (_, tensor) in decoded.items() if tensor is not None}
        if len(pictures) < len(ids):
            with self._state.changed:
                self._sharpened([image for image in ids if image not in pictures])  # now that their keys are known
        if not pictures:
            return
        ids, inputs = [*pictures], torch.stack([*pictures.values()]).to(self._encoder.device)
        start = 0
        while start < len(ids):
            some = ids[start : start + self._count("encode")]
            batch = inputs[start : start + len(some)]
            begun = time.perf_counter()
            moment = self._encoder.moment()
            encoded = self._encoder.forward(batch, features="pooled" if self._pools else None)
            self._measure("encode", len(some), begun)
            if not moment.add([decoded[i].key for i in some], encoded.representations):
                return  # the weights have changed meanwhile: they will be chosen again
            if encoded.features is not None:
                full = batch.shape[-2], batch.shape[-1]
                for image, features in zip(some, encoded.features, strict=True):
                    self._state.store.put(image, PREVIEW, CAMOperator.from_features(features, full))
            self._trim()
            with self._state.changed:
                self._sharpened(some)
            start += len(some)
            if self._state.stale:
                return  # the fast lane goes first; what is left will be chosen again

    def _needless(self, image: str, key: str) -> bool:
        """Tell whether the pixels of an image are not needed, since what they give is known; from decoding threads."""
        table = self._state.table
        return image not in self._mapped and table is not None and key in table

    def _slice(self, image: str, *, urgent: bool = True) -> Job:
        (method, baseline), version = self._state.question.recipe, self._state.version
        label = f"Preparing {method.label}"
        if isinstance(method, LinearMethod):
            return Job(label, lambda: self._advance_operator(image, method, baseline), [image], urgent, version)
        assert isinstance(method, GradientMethod | DirectMethod)
        return Job(label, lambda: self._advance_run(image, method, baseline, version), [image], urgent, version)

    def _advance_operator(self, image: str, method: LinearMethod, baseline: Baseline) -> None:
        store, recipe = self._state.store, (method, baseline)
        operator = store.peek(image, recipe)
        if operator is None:
            check_method(method, self._encoder)
            operator = method.start(*self._input(image, baseline))
            store.put(image, recipe, operator)
        begun, before = time.perf_counter(), operator.done
        advance(self._encoder, [operator], self._count("encode"))
        self._measure("encode", operator.done - before, begun)
        if not self._trim():
            store.discard(image, recipe)
            with self._state.changed:
                if image not in self._state.explained():
                    self._full_for = (recipe, self._state.in_gallery())
                    return
            raise BudgetExceeded(
                f"No memory left for the heatmaps of more explicands: {store.budget >> 20} MiB are in use. Explain"
                " fewer images at once, use fewer masks, or raise CocoaWidget(…, memory_budget=…)."
            )
        self._show(image, operator, before)

    def _advance_run(self, image: str, method: GradientMethod | DirectMethod, baseline: Baseline, version: int) -> None:
        state = self._state
        with state.changed:
            if version != state.version:
                return
            question = state.question
            at, run = state.runs.get(image, (-1, None))
        if run is None or at != version:
            check_method(method, self._encoder)
            run = method.start(*self._input(image, baseline))
            with state.changed:
                state.runs = {i: entry for i, entry in state.runs.items() if entry[0] == version}
                state.runs[image] = (version, run)
        known = known_scores(question, [image], set(state.failures), self._library, self._encoder)
        if known is None:
            run.done = run.total  # there is nothing to follow
            return
        begun, before = time.perf_counter(), run.done
        advance_run(self._encoder, run, known.scores[0], self._count("gradient"))
        self._measure("gradient", run.done - before, begun)
        self._show(image, run, before)

    def _input(self, image: str, baseline: Baseline) -> tuple[Tensor, Tensor]:
        """Return an image's preprocessed explicand and its baseline, both (3, H, W)."""
        key = image, baseline
        if key not in self._inputs:
            explicand = self._encoder.stack([self._images.load(image)])
            self._inputs[key] = explicand[0], baselines_of(baseline, explicand)[0]
            if len(self._inputs) > KEPT_INPUTS:
                self._inputs.popitem(last=False)
        self._inputs.move_to_end(key)
        return self._inputs[key]

    # ---- book-keeping --------------------------------------------------------------------------------------------

    def _count(self, kind: str) -> int:
        """Return how many passes fit into a slice."""
        return min(self._sizes[kind].passes, self._encoder.batch_size)

    def _measure(self, kind: str, passes: int, begun: float) -> None:
        if passes:
            if self._encoder.device.type == "cuda":
                torch.cuda.synchronize(self._encoder.device)
            self._sizes[kind].learn(passes, time.perf_counter() - begun)

    def _trim(self) -> bool:
        with self._state.changed:
            recipe = self._state.question.recipe
            shown = [*self._state.explained(), *self._state.in_gallery()]
            pinned: set[Key] = {(i, r) for i in shown for r in (recipe, PREVIEW)}
        return self._state.store.trim(pinned)

    def _show(self, image: str, preparation: Operator | Run, before: int) -> None:
        """Have a heatmap painted if it is visibly sharper than the last one: a remote page is not loopback."""
        steps = [preparation.first_heatmap]
        while steps[-1] < preparation.total:
            steps.append(math.ceil(steps[-1] * SHARPER))
        if preparation.complete or any(before < step <= preparation.done for step in steps):
            with self._state.changed:
                self._sharpened([image])

    def _sharpened(self, images: list[str]) -> None:
        """Have the fast lane paint images anew; hold `state.changed`."""
        state = self._state
        question = state.question
        used = {*question.corpus, *question.foil, *self._library.references(question)}
        if not used.isdisjoint(images):
            state.stale = True  # the direction itself became known
        else:
            state.dirty.update(images)
        state.stir()

    def _fail(self, job: Job, error: Exception) -> None:
        """Set the images aside that cannot be prepared, report them, and go on."""
        failed = [(image, error) for image in job.images]
        if len(job.images) > 1:  # find out which
            failed = []
            for image in job.images:
                try:
                    self._encode([image])
                except Exception as single:
                    failed.append((image, single))
        with self._state.changed:
            state = self._state
            asked = {*state.members()}
            encoding = job.label in (ENCODING, ENCODING_TEXTS)
            if not encoding and job.version != state.version:
                return  # it was about another question
            # What was put somewhere anew meanwhile is tried again, whatever became of the earlier try.
            failed = [(image, reason) for image, reason in failed if state.renewed.get(image, 0) <= job.version]
            into = state.failures if encoding else state.unexplained
            into.update({image: _without_frames(reason) for image, reason in failed})
            state.stale = True
            state.stir()
        by_reason: dict[str, list[str]] = {}
        for image, reason in failed:
            by_reason.setdefault(str(reason), []).append(image)
        for text, images in by_reason.items():
            # Once for the rest of the gallery, where a broken encoder would otherwise report every batch.
            if text not in self._reported or asked.intersection(images):
                self._reported.add(text)
                self._listener.error(f"{named(images)}: {text}")

    def report_progress(self, label: str | None) -> None:
        """Report how far the preparation is; `label` names what is done now, None that nothing is."""
        now = time.monotonic()
        if label is not None and now - self._told < STATUS_SECONDS:
            return
        self._told = now
        with self._state.changed:
            explained = self._state.explainable()
            preparations = [self._preparation(image) for image in explained]
        known = [p for p in preparations if p is not None]
        per_image = max((p.total for p in known), default=0)
        done, total = sum(p.done for p in known), per_image * len(explained)
        if label == ENCODING:
            done, total = len(self._encoder.representations), len(self._images)
        elif label == ENCODING_TEXTS:
            done, total = self._texts_done()
        elif label == READYING_TEXTS:
            done, total = 0, 0
        progress = Progress(
            label,
            done,
            total,
            sum(p.complete for p in known),
            len(self._state.question.explicands),
            self._state.store.nbytes,
            self._state.store.budget,
        )
        if progress != self._last_progress:
            self._last_progress = progress
            self._listener.progress(progress)

    def _texts_done(self) -> tuple[int, int]:
        """Count the texts in the bins that are encoded, and all of them."""
        question = self._state.question
        texts = [member for member in (*question.corpus, *question.foil) if is_text(member)]
        missing = self._library.missing(texts, question.template, self._encoder.representations)
        return len(texts) - len(missing), len(texts)
