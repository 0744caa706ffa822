"""The fast lane: a new direction, or a sharper operator, becomes heatmaps."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from ..attribution import CAM, Size
from ..attribution.method import GradientMethod
from ..direction import NothingToExplain, check_bins, scores
from ..encoders import Encoder
from ..images import ImageSet
from .directions import known_directions
from .state import Listener, Picture, Question, State

PREVIEW = CAM()
QUIET_SECONDS = 0.1
"""How long the slow lane rests after a changed question on a CPU, which server and browser share to show the answer."""
SHARPEN_SECONDS = 0.12
"""Least time between two pictures of the same question; a changed question never waits."""


class Painter:
    """Turn whatever is ready into heatmaps, on a thread of its own."""

    def __init__(self, state: State, images: ImageSet, encoder: Encoder, listener: Listener) -> None:
        self._state, self._images, self._encoder, self._listener = state, images, encoder, listener
        self._painted = 0.0
        self._answered = 0  # the newest version that was painted
        self._thread = threading.Thread(target=self._run, name="cocoa-painter", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the thread's end, unless called from it."""
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        state = self._state
        while True:
            with state.changed:
                while not (state.closed or state.stale or state.dirty):
                    state.changed.wait()
                if not state.stale and not state.closed:  # only sharper: bundle what comes in short order
                    pause = max(self._painted + SHARPEN_SECONDS, state.quiet_until) - time.monotonic()
                    if pause > 0:
                        state.changed.wait_for(lambda: state.closed or state.stale, timeout=pause)
                if state.closed:
                    return
                everything, sharper = state.stale, set(state.dirty)
                state.stale, state.painting = False, True
                state.dirty.clear()
                question, version = state.question, state.version
            try:
                self._paint(question, version, None if everything else sharper)
            except Exception as error:
                self._listener.error(f"{type(error).__name__}: {error}")
            finally:
                with state.changed:
                    state.painting = False
                    if version != self._answered and state.shares_processor:
                        state.quiet_until = time.monotonic() + QUIET_SECONDS
                    self._answered = version
                    state.changed.notify_all()
            self._painted = time.monotonic()

    def _paint(self, question: Question, version: int, only: set[str] | None) -> None:
        try:
            check_bins(question.target, corpus=bool(question.corpus), foil=bool(question.foil))
            if not question.explicands and not self._shown():
                raise NothingToExplain("Nothing to explain yet: put an image among the explicands.")
        except NothingToExplain as reason:
            self._listener.heatmaps(version, [], str(reason))
            return
        sizes = self._shown()
        wanted = sizes if only is None else {image: size for image, size in sizes.items() if image in only}
        pictures = self.pictures(question, version, wanted)
        with self._state.changed:
            lost = [bin for bin in (question.corpus, question.foil) if bin and not self._state.alive(bin)]
        if lost and not pictures:
            nothing = "None of the images in a bin could be encoded: remove them, or add others."
            self._listener.heatmaps(version, [], nothing)
        elif pictures or only is None:  # an empty update tells the page that what it shows is old
            self._listener.heatmaps(version, pictures, None)

    def _shown(self) -> dict[str, Size | None]:
        """Return the images on screen in any view, and the size at which the largest view paints them."""
        with self._state.changed:
            question, views = self._state.question, list(self._state.views.values())
        sides: dict[str, int] = {}
        for view in views:
            shown: Iterable[tuple[int, Iterable[str]]] = (
                (view.explicands, question.explicands),
                (view.gallery, view.visible),
            )
            for side, images in shown:
                for image in images if side else ():
                    sides[image] = max(side, sides.get(image, 0))
        height, width = self._encoder.input_size if sides else (1, 1)
        return {
            image: (max(1, round(side * height / max(height, width))), max(1, round(side * width / max(height, width))))
            for image, side in sides.items()
        }

    def pictures(self, question: Question, version: int, sizes: dict[str, Size | None]) -> list[Picture]:
        """Compute the heatmaps that can be had now; a size of None is the encoder's input size."""
        state = self._state
        with state.changed:
            ids = [image for image in state.alive(sizes) if image not in state.unexplained]
            failed = set(state.failures)
        with torch.inference_mode():
            known = known_directions(question, ids, failed, self._images, self._encoder)
            if known is None:
                return []
            ids, vectors, w = known
            gamma = scores(vectors, w, question.similarity).tolist()
            found = [
                self._picture(question, version, image, w[i, None], gamma[i], sizes[image])
                for i, image in enumerate(ids)
            ]
        return [picture for picture in found if picture is not None]

    def _picture(
        self, question: Question, version: int, image: str, direction: Tensor, score: float, size: Size | None
    ) -> Picture | None:
        method = question.method
        if isinstance(method, GradientMethod):
            at, path = self._state.paths.get(image, (-1, None))
            if path is not None and at == version and path.presentable:
                values = path.heatmap(size)
                return Picture(image, method.name, False, _array(values), score, path.done / path.total, path.gap)
        else:
            operator = self._state.store.get(image, method)
            if operator is not None and operator.presentable:
                progress = operator.done / operator.total
                values = operator.apply(direction, question.similarity, size)[0]
                return Picture(image, method.name, False, _array(values), score, progress)
        preview = self._state.store.get(image, PREVIEW)
        if preview is None or not preview.complete:
            return None
        values = preview.apply(direction, question.similarity, size)[0]
        return Picture(image, PREVIEW.name, True, _array(values), score, 0.0)


def _array(values: Tensor) -> np.ndarray:
    return values.float().cpu().numpy()
