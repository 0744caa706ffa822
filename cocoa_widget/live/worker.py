"""The slow lane: planned jobs are run in short slices."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import torch

from ..attribution import (
    CAMOperator,
    DirectMethod,
    GradientMethod,
    LinearMethod,
    Operator,
    Run,
    advance,
    advance_run,
    check_method,
    start,
)
from ..encoders import Decoder, Encoder, Moment, Representations
from ..images import ImageSet
from ..texts import named, prompt_of
from .inputs import Inputs
from .listening import Listener
from .members import MemberIndex
from .operators import PREVIEW, Key
from .plan import Job, Plan, Task
from .progress import ProgressReporter
from .slices import SliceSize
from .state import State

SHARPER = 1.25
"""Ratio of numbers of passes from which on a heatmap is visibly sharper."""


class BudgetExceeded(RuntimeError):
    """The operators of the explicands alone need more memory than the budget allows."""


class Worker:
    """Run what is planned, one slice at a time, and set aside what fails."""

    def __init__(
        self,
        plan: Plan,
        progress: ProgressReporter,
        state: State,
        images: ImageSet,
        index: MemberIndex,
        encoder: Encoder,
        listener: Listener,
    ) -> None:
        self._plan, self._progress, self._state = plan, progress, state
        self._index, self._images, self._encoder, self._listener = index, images, encoder, listener
        self._inputs = Inputs(images, encoder)
        self._sizes = {"encode": SliceSize(), "gradient": SliceSize(), "text": SliceSize()}
        self._pools = True  # as in `Plan`; this one is the thread's own
        self._decoder: Decoder | None = None  # while the thread runs
        # Images whose pixels are needed whatever is known, and the table to look into. Decoding threads read it, so it
        # is replaced and never changed.
        self._decoding: tuple[frozenset[str], Representations | None] = frozenset(), None
        self._reported: set[str] = set()  # error messages so far

    # ---- the loop ------------------------------------------------------------------------------------------------

    @contextmanager
    def working(self) -> Iterator[None]:
        """Be the context in which the lane's thread runs."""
        _lower_priority()
        try:
            self._pools = self._encoder.pooling is not None
        except Exception:
            self._pools = False  # the first pass over a real image will report what is wrong
        with self._state.changed:
            self._plan.pools = self._pools
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
                self._progress.report(None)
                state.changed.notify_all()
                if not state.idle():
                    return False
            if state.closed or job is None:
                return False
        self._progress.report(job)
        moment = self._encoder.moment()
        try:
            self._run(job, moment)
        except Exception as error:
            self._fail(job, moment, error)
        with state.changed:
            if moment.representations is not state.table or not moment.lasts:
                state.forget()  # the slice saw two states of the weights, or one that has gone
            state.changed.notify_all()
        return True

    def _give_way(self) -> None:
        """Let the fast lane go first, and let its heatmaps reach the page; hold `state.changed`."""
        state = self._state
        while not state.closed:
            state.changed.wait_for(lambda: state.closed or not (state.stale or state.painting), timeout=1)
            rest = state.quiet_until - time.monotonic()
            if rest <= 0:
                return
            state.changed.wait(rest)

    def _next(self) -> Job | None:
        """Take the next job; hold `state.changed`."""
        table = self._encoder.representations
        if table is not self._state.table:
            # The encoder's weights have changed: what was prepared with the old ones answers nothing any more.
            self._state.forget()
            self._state.table = table
        return self._plan.next()

    def _run(self, job: Job, moment: Moment) -> None:
        match job.task:
            case Task.READY_TEXTS:
                self._ready_texts()
            case Task.ENCODE_TEXTS:
                self._encode_texts(job)
            case Task.ENCODE_IMAGES:
                self._encode_images(job, moment)
            case Task.PREPARE if isinstance(job.question.method, LinearMethod):
                self._advance_operator(job, job.question.method)
            case Task.PREPARE:
                assert isinstance(job.question.method, GradientMethod | DirectMethod)
                self._advance_run(job, job.question.method, moment)

    # ---- encoding ------------------------------------------------------------------------------------------------

    def _ready_texts(self) -> None:
        assert self._encoder.text is not None
        try:
            ready = self._encoder.text.prepare()
        except Exception:
            with self._state.changed:
                self._plan.texts_ready = True  # the first prompt will say what is wrong
            raise
        with self._state.changed:
            self._plan.texts_ready = ready

    def _encode_texts(self, job: Job) -> None:
        texts = job.members[: self._count("text")]
        begun = time.perf_counter()
        self._encoder.encode_text([prompt_of(text) for text in texts], template=job.question.template)
        self._measure("text", len(texts), begun)
        with self._state.changed:
            self._plan.texts_ready = True
            self._sharpened(texts)

    def _encode_images(self, job: Job, moment: Moment) -> None:
        assert self._decoder is not None
        self._decoding = job.mapped, moment.representations
        taken = self._decoder.take(job.members, ahead=job.ahead)
        decoded = dict(zip(job.members, taken, strict=True))
        tensors = {image: tensor for image, (_, tensor) in decoded.items() if tensor is not None}
        if len(tensors) < len(decoded):
            with self._state.changed:
                self._sharpened([image for image in decoded if image not in tensors])  # now that their keys are known
        if not tensors:
            return
        ids, inputs = [*tensors], torch.stack([*tensors.values()]).to(self._encoder.device)
        start = 0
        while start < len(ids):
            some = ids[start : start + self._count("encode")]
            batch = inputs[start : start + len(some)]
            begun = time.perf_counter()
            now = self._encoder.moment()
            encoded = self._encoder.forward(batch, features="pooled" if self._pools else None)
            self._measure("encode", len(some), begun)
            if not now.add([decoded[i].key for i in some], encoded.representations):
                return  # the weights have changed meanwhile: the images will be chosen again
            if encoded.features is not None:
                full = batch.shape[-2], batch.shape[-1]
                for image, features in zip(some, encoded.features, strict=True):
                    self._state.store.put(image, PREVIEW, CAMOperator.from_features(features, full))
            self._trim()
            with self._state.changed:
                self._sharpened(some)
                if self._state.stale:
                    return  # the fast lane goes first; what is left will be chosen again
            start += len(some)

    def _needless(self, image: str, key: str) -> bool:
        """Return whether an image's pixels are not needed, since what they give is known; from decoding threads."""
        mapped, table = self._decoding
        return image not in mapped and table is not None and key in table

    # ---- explicands ----------------------------------------------------------------------------------------------

    def _advance_operator(self, job: Job, method: LinearMethod) -> None:
        (image,), store, recipe = job.members, self._state.store, job.question.recipe
        similarity = job.question.similarity
        operator = store.peek(image, recipe, similarity)
        if operator is None:
            check_method(method, self._encoder)
            operator = start(self._encoder, method, *self._inputs.get(image, job.question.baseline))
            if similarity == "gaussian":
                operator.keep_answers()
            store.put(image, recipe, operator)
        begun, before = time.perf_counter(), operator.done
        advance(self._encoder, [operator], self._count("encode"))
        self._measure("encode", operator.done - before, begun)
        if operator.shortfall is not None and operator.shortfall not in self._reported:
            self._reported.add(operator.shortfall)
            self._listener.error(f"{method.label}: {operator.shortfall}")
        if not self._trim():
            store.discard(image, recipe)
            with self._state.changed:
                if image not in self._state.explained():
                    self._plan.full_for = recipe, self._state.in_gallery()
                    return
            raise BudgetExceeded(
                f"No memory left for the heatmaps of more explicands: {store.budget >> 20} MiB are in use. Explain"
                " fewer images at once, use fewer masks, or raise CocoaWidget(…, memory_budget=…)."
            )
        self._show(image, operator, before)

    def _advance_run(self, job: Job, method: GradientMethod | DirectMethod, moment: Moment) -> None:
        (image,), state = job.members, self._state
        with state.changed:
            if job.version != state.version:
                return
            run, failed = state.run(image, job.version), set(state.failures)
        if run is None:
            check_method(method, self._encoder)
            run = method.start(*self._inputs.get(image, job.question.baseline))
            with state.changed:
                state.runs = {i: entry for i, entry in state.runs.items() if entry[0] == job.version}
                state.runs[image] = job.version, run
        known = self._index.known(job.question, [image], failed, moment.representations)
        if known is None:
            run.done = run.total  # there is nothing to follow
            return
        begun, before = time.perf_counter(), run.done
        advance_run(self._encoder, run, known.scores[0], self._count("gradient"))
        self._measure("gradient", run.done - before, begun)
        self._show(image, run, before)

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
        """Keep the store within its budget; return whether that was possible with what is on screen."""
        with self._state.changed:
            recipe, similarity = self._state.question.recipe, self._state.question.similarity
            shown = [*self._state.explained(), *self._state.in_gallery()]
            pinned: set[Key] = {(i, r) for i in shown for r in (recipe, PREVIEW)}
        return self._state.store.trim(pinned, similarity)

    def _show(self, image: str, preparation: Operator | Run, before: int) -> None:
        """Have a heatmap painted if it is visibly sharper than the last one, since a page may be far away."""
        steps = [preparation.first_heatmap]
        while steps[-1] < preparation.total:
            steps.append(math.ceil(steps[-1] * SHARPER))
        if preparation.complete or any(before < step <= preparation.done for step in steps):
            with self._state.changed:
                self._sharpened([image])

    def _sharpened(self, members: Sequence[str]) -> None:
        """Have the fast lane paint what depends on images or texts; hold `state.changed`."""
        state, question = self._state, self._state.question
        used = {*question.corpus, *question.foil, *self._index.references(question)}
        if not used.isdisjoint(members):
            state.stale = True  # the direction itself became known
        else:
            state.dirty.update(members)
        state.stir()

    # ---- failures ------------------------------------------------------------------------------------------------

    def _fail(self, job: Job, moment: Moment, error: Exception) -> None:
        """Set aside the images or texts that cannot be prepared, and report them."""
        failed = self._culprits(job, moment, error)
        state = self._state
        with state.changed:
            asked = {*state.members()}
            if not job.encodes and job.version != state.version:
                return  # it was about another question
            # What was put into a place meanwhile is tried again, however the earlier try ended.
            failed = {member: why for member, why in failed.items() if state.renewed.get(member, 0) <= job.version}
            into = state.failures if job.encodes else state.unexplained
            into.update({member: _without_frames(why) for member, why in failed.items()})
            state.stale = True
            state.stir()
        by_reason: dict[str, list[str]] = {}
        for member, why in failed.items():
            by_reason.setdefault(str(why), []).append(member)
        for text, members in by_reason.items():
            # Once for the rest of the gallery: a broken encoder would report every batch of it.
            if text not in self._reported or asked.intersection(members):
                self._reported.add(text)
                self._listener.error(f"{named(members)}: {text}")

    def _culprits(self, job: Job, moment: Moment, error: Exception) -> Mapping[str, Exception]:
        """Return the members that fail, each tried by itself where a batch has failed."""
        if len(job.members) <= 1:
            return dict.fromkeys(job.members, error)
        failed = {}
        for i, member in enumerate(job.members):
            alone = replace(job, members=(member,), ahead=(*job.members[i + 1 :], *job.ahead))
            try:
                self._run(alone, moment)
            except Exception as single:
                failed[member] = single
        return failed


def _without_frames(error: Exception) -> Exception:
    """Return the exception without its tracebacks, which hold images, batches and activations."""
    link: BaseException | None = error
    seen: set[int] = set()  # an exception object that is raised again and again becomes its own context
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        link.__traceback__, link = None, link.__cause__ or link.__context__
    return error


def _lower_priority() -> None:
    """Lower this thread's priority: the user waits for the fast lane, the server and the browser.

    On Linux each thread has a niceness of its own, which the threads that PyTorch starts for it inherit.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with contextlib.suppress(OSError):  # a sandbox may refuse it; a kernel may have a higher niceness already
            os.setpriority(os.PRIO_PROCESS, thread, max(10, os.getpriority(os.PRIO_PROCESS, thread)))
