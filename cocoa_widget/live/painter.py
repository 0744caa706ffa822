"""The fast lane: a new direction, or a sharper operator, becomes heatmaps."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from ..attribution import LinearMethod, Operator, Run, Size
from ..contrast import NothingToExplain, check_bins
from ..encoders import Encoder
from ..insight import Stability, resample, stability
from .attributions import attributions
from .finite import set_aside
from .listening import Heatmap, Listener, Update, array
from .members import Known, MemberIndex
from .operators import PREVIEW
from .question import ATTRIBUTION, Question, missing_layer
from .sender import ProductSender
from .sizes import fitting
from .state import State

QUIET_SECONDS = 0.1
"""How long the slow lane rests after a changed question on a CPU, which server and browser share to show the answer."""
SHARPEN_SECONDS = 0.12
"""Least time between two updates of the same question; a changed question never waits."""
MEMBERS_SECONDS = 0.3
"""Least time between two updates of the same question while members become known one after the other."""
SETTLED_SECONDS = 0.4
"""How long heatmaps must have stayed the same before their stability is measured."""
COARSE = 28
"""Largest side at which resampled heatmaps are compared, and their deviation computed."""


class Painter:
    """Turn whatever is ready into heatmaps, on a thread of its own."""

    def __init__(self, state: State, index: MemberIndex, encoder: Encoder, listener: Listener) -> None:
        self._state, self._index, self._encoder, self._listener = state, index, encoder, listener
        self._sender = ProductSender(state, index, encoder, listener)
        self._owes = False  # whether there may be more products to send
        self._painted = 0.0
        self._reported: tuple[int, list[str], float] = -1, [], 0.0  # version, waiting members, when
        self._answered = 0  # the newest version that was painted
        self._unmeasured: dict[str, None] = {}  # images that were painted since stability was last measured

    @contextmanager
    def working(self) -> Iterator[None]:
        """Be the context in which the lane's thread runs: alone, since its products are small.

        Two threads wait for each other longer than they compute where other work keeps the processor busy. OpenMP has a
        limit for each thread; `torch.set_num_threads` would set that of later threads, too.
        """
        torch.get_num_threads()  # PyTorch sets up each thread when it first computes, which would undo the limit
        with threadpool_limits(limits=1, user_api="openmp"):
            yield

    def step(self) -> bool:
        """Wait for something to paint, and paint it; return whether there may be more (see `Lane`)."""
        state = self._state
        with state.changed:
            if not self._wait():
                return False
            everything, sharper = state.stale, set(state.dirty)
            painting = everything or bool(sharper)
            state.stale, state.painting = False, painting
            state.dirty.clear()
            self._sender.forget(state.unsent)
            state.unsent.clear()
            self._sender.forget_cells(state.cells_unsent)
            self._owes = self._owes or bool(state.cells_unsent)
            state.cells_unsent.clear()
            question, version = state.question, state.version
        owed, self._owes = self._owes, painting
        try:
            if painting:
                self._paint(question, version, None if everything else sharper)
            elif owed:
                shown = self._shown(question)
                self._sender.keep(shown, self._on_screen(question))
                self._owes = self._sender.send_part(question, shown)
            else:
                self._measure_stability(question, version)
        except Exception as error:
            self._listener.error(f"{type(error).__name__}: {error}")
        finally:
            if painting:
                with state.changed:
                    state.painting = False
                    if version != self._answered and state.shares_processor:
                        state.quiet_until = time.monotonic() + QUIET_SECONDS
                    self._answered = version
                    state.changed.notify_all()
                self._painted = time.monotonic()
        return True

    def _wait(self) -> bool:
        """Wait for something to paint or to send, or until it is time to measure stability; hold `state.changed`.

        Returns False when there is nothing to do and no view is there.
        """
        state = self._state
        while not (state.closed or state.stale or state.dirty):
            rest = self._painted + SETTLED_SECONDS - time.monotonic()
            if self._owes or state.cells_unsent or (self._unmeasured and rest <= 0):
                return True
            if not state.idle(rest if self._unmeasured else None):
                return False
        if not state.stale and not state.closed:  # only sharper: bundle what comes in short order
            pause = max(self._painted + SHARPEN_SECONDS, state.quiet_until) - time.monotonic()
            if pause > 0:
                state.changed.wait_for(lambda: state.closed or state.stale, timeout=pause)
        return not state.closed

    # ---- heatmaps ------------------------------------------------------------------------------------------------

    def _paint(self, question: Question, version: int, only: set[str] | None) -> None:
        """Report the heatmaps of the images on screen, or of `only` some of them.

        Products come first; heatmaps follow of those images for which they are not enough.
        """
        members = dict.fromkeys((*question.corpus, *question.foil))
        with self._state.changed:
            failed = [member for member in members if member in self._state.failures]
            alive = self._state.alive(members)
        waiting = self._index.missing(alive, question.template, self._encoder.representations)
        now, (of, before, then) = time.monotonic(), self._reported
        if version == of and waiting and {*waiting} < {*before} and now - then < MEMBERS_SECONDS:
            return  # with the next member comes another update
        self._reported = version, waiting, now

        def report(found: list[Heatmap], nothing: str | None) -> None:
            self._listener.heatmaps(Update(version, self._sender.space, found, failed, waiting, nothing))

        try:
            check_bins(question.target, corpus=bool(question.corpus), foil=bool(question.foil))
            sizes = self._shown(question)
            if not question.explicands and not sizes:
                raise NothingToExplain("Nothing to explain yet: put an image among the explicands.")
        except NothingToExplain as reason:
            report([], str(reason))
            return
        wanted = sizes if only is None else {image: size for image, size in sizes.items() if image in only}
        self._sender.keep(sizes, self._on_screen(question))
        self._sender.send(question, wanted, needed=only is None)  # the answer to a new question comes first
        computable = self._sender.computable(question, wanted, {*failed, *waiting})
        rest = {image: size for image, size in wanted.items() if image not in computable}
        found = self.heatmaps(question, version, rest, waiting)
        with self._state.changed:
            lost = [bin for bin in (question.corpus, question.foil) if bin and not self._state.alive(bin)]
            smallest = self._state.smallest(question)
        if lost and not (found or computable):
            report([], "None of the images in a bin could be encoded: remove them, or add others.")
        elif found or only is None:  # an empty update tells the page that what it shows is old
            report(found, missing_layer(question, smallest))
        previews = computable | {heatmap.image: heatmap.preview for heatmap in found}
        self._unmeasured.update(dict.fromkeys(image for image, preview in previews.items() if not preview))

    def _on_screen(self, question: Question) -> set[str]:
        with self._state.changed:
            return self._state.on_screen(question.explicands)

    def _shown(self, question: Question) -> dict[str, Size | None]:
        """Return what views show, on screen first, and the size at which the largest view paints it.

        Explicands out of view are coarse: their peaks are part of the scale that all share.
        """
        with self._state.changed:
            views = list(self._state.views.values())
            on_screen = self._state.on_screen(question.explicands)
        sides: dict[str, int] = {}
        for view in views:
            shown: Iterable[tuple[int, Iterable[str]]] = (
                (view.explicands, question.explicands),
                (view.gallery, view.visible),
            )
            for side, images in shown:
                for image in images if side else ():
                    sides[image] = max(side if image in on_screen else min(side, COARSE), sides.get(image, 0))
        ordered = sorted(sides, key=lambda image: image not in on_screen)
        return {image: fitting(sides[image], self._encoder.input_size) for image in ordered}

    def heatmaps(
        self, question: Question, version: int, sizes: dict[str, Size | None], waiting: Collection[str] = ()
    ) -> list[Heatmap]:
        """Compute the heatmaps that can be had now; a size of None is the encoder's input size.

        They do without the members that are `waiting` to be encoded. If another member has no representation, there are
        no heatmaps.
        """
        state, moment = self._state, self._encoder.moment()
        with state.changed:
            if moment.representations is not state.table:
                return []  # the weights have changed, and what was prepared with the old ones answers nothing
            ids = [image for image in state.alive(sizes) if image not in state.unexplained]
            failed, runs = set(state.failures), {image: state.run(image, version) for image in ids}
        with torch.inference_mode():
            known = self._index.known(question, ids, failed.union(waiting), moment.representations)
            if known is None:
                return []
            if question.layer == ATTRIBUTION and isinstance(question.method, LinearMethod):
                found = attributions(state.store, question, known, sizes)
            else:
                each = [self._heatmap(question, known, i, runs[x], sizes[x]) for i, x in enumerate(known.images)]
                found = [heatmap for heatmap in each if heatmap is not None]
        if not moment.lasts:
            return []
        finite = [heatmap for heatmap in found if np.isfinite(heatmap.values).all() and math.isfinite(heatmap.score)]
        if len(finite) < len(found):
            kept = {heatmap.image for heatmap in finite}
            broken = [heatmap.image for heatmap in found if heatmap.image not in kept]
            set_aside(state, self._listener, question.method, broken)
        return finite

    def _heatmap(
        self, question: Question, known: Known, position: int, run: Run | None, size: Size | None
    ) -> Heatmap | None:
        image, own, score = known.images[position], known.vectors[position], known.scores[position]
        name, layer, store = question.method.name, question.layer, self._state.store
        gamma = float(score(own[None])[0])
        if isinstance(question.method, LinearMethod):
            operator = store.get(image, question.recipe, question.similarity)
            if operator is not None and operator.presentable:
                values = self._layer(question, operator, known, position, size)
                if values is None:
                    return None
                return Heatmap(image, name, False, array(values), gamma, operator.progress, layer=layer)
        elif layer == ATTRIBUTION and run is not None and run.presentable:
            found, pixelwise = array(run.heatmap(size)), question.method.pixelwise
            return Heatmap(image, name, False, found, gamma, run.progress, run.gap, pixelwise=pixelwise)
        preview = store.get(image, PREVIEW)
        if preview is None or not preview.complete or layer != ATTRIBUTION:
            return None
        return Heatmap(image, PREVIEW[0].name, True, array(preview.apply(score, size)[0]), gamma, 0.0)

    def _layer(
        self, question: Question, operator: Operator, known: Known, position: int, size: Size | None
    ) -> Tensor | None:
        """Compute the layer of an operator that the question wants to see (h, w): no attribution."""
        own, score = known.vectors[position], known.scores[position]
        if question.layer == "error":
            errors = operator.error(score, size)
            return None if errors is None else errors[0]
        resampled = resample(question.target, question.similarity, known.members, own)
        if resampled is None:
            return None
        # Smooth anyway, and many heatmaps to make: what is painted on the page may be coarse.
        at = None if size is None else self._coarse()
        found = stability(operator, score, resampled, known.members, own, at).deviation
        return None if found is None else torch.from_numpy(found)

    # ---- stability -----------------------------------------------------------------------------------------------

    def _coarse(self) -> Size:
        """Return the size at which resampled heatmaps are compared."""
        height, width = self._encoder.input_size
        longer = max(height, width)
        return max(1, COARSE * height // longer), max(1, COARSE * width // longer)

    def _measure_stability(self, question: Question, version: int) -> None:
        """Report how stable the answers are that were painted last; stop when the question changes."""
        state = self._state
        images = [image for image in question.explicands if image in self._unmeasured]
        self._unmeasured.clear()
        with state.changed:
            ids, failed = state.alive(images), set(state.failures)
        with torch.inference_mode():
            known = self._index.known(question, ids, failed, self._encoder.representations)
            if known is None:
                return
            found: dict[str, Stability | None] = {}
            for image, own, score in zip(known.images, known.vectors, known.scores, strict=True):
                with state.changed:
                    if state.stale or state.closed:
                        return  # the question that comes now is painted first, and measured later
                resampled = resample(question.target, question.similarity, known.members, own)
                if resampled is None:
                    found[image] = None
                    continue
                linear = isinstance(question.method, LinearMethod)
                operator = state.store.presentable(image, question.recipe, question.similarity) if linear else None
                found[image] = stability(operator, score, resampled, known.members, own, self._coarse())
        self._listener.stability(version, found, known.smallest)
