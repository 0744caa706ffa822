"""The fast lane: a new direction, or a sharper operator, becomes heatmaps."""

from __future__ import annotations

import time
from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from ..attribution import LinearMethod, Operator, Size
from ..contrast import NothingToExplain, Score, check_bins
from ..encoders import Encoder
from ..insight import Members, resample, stability
from .library import Library
from .operators import PREVIEW
from .scores import known_members, known_scores
from .state import ATTRIBUTION, LAYERS, Listener, Picture, Question, State, Sureness

QUIET_SECONDS = 0.1
"""How long the slow lane rests after a changed question on a CPU, which server and browser share to show the answer."""
SHARPEN_SECONDS = 0.12
"""Least time between two pictures of the same question; a changed question never waits."""
SURE_SECONDS = 0.4
"""How long a question rests before it is told how sure its answers are."""
COARSE = 28
"""Largest side at which resampled heatmaps are compared, and their deviation computed."""


class Painter:
    """Turn whatever is ready into heatmaps, on a thread of its own."""

    def __init__(self, state: State, library: Library, encoder: Encoder, listener: Listener) -> None:
        self._state, self._library, self._encoder, self._listener = state, library, encoder, listener
        self._painted = 0.0
        self._answered = 0  # the newest version that was painted
        self._unsure: dict[str, None] = {}  # explicands that were painted since it was last reported how sure they are

    def step(self) -> bool:
        """Wait for something to paint, and paint it; return whether there may be more (see `Lane`)."""
        state = self._state
        with state.changed:
            if not self._wait():
                return False
            everything, sharper = state.stale, set(state.dirty)
            resting = not (everything or sharper)
            state.stale, state.painting = False, not resting
            state.dirty.clear()
            question, version = state.question, state.version
        try:
            if resting:
                self._tell_sureness(question, version)
            else:
                self._paint(question, version, None if everything else sharper)
        except Exception as error:
            self._listener.error(f"{type(error).__name__}: {error}")
        finally:
            if not resting:
                with state.changed:
                    state.painting = False
                    if version != self._answered and state.shares_processor:
                        state.quiet_until = time.monotonic() + QUIET_SECONDS
                    self._answered = version
                    state.changed.notify_all()
                self._painted = time.monotonic()
        return True

    def _wait(self) -> bool:
        """Wait for something to paint, or until it is time to report how sure the answers are; hold `state.changed`.

        Returns False when there is nothing to do and no view is there.
        """
        state = self._state
        while not (state.closed or state.stale or state.dirty):
            rest = self._painted + SURE_SECONDS - time.monotonic()
            if self._unsure and rest <= 0:
                return True
            if not state.idle(rest if self._unsure else None):
                return False
        if not state.stale and not state.closed:  # only sharper: bundle what comes in short order
            pause = max(self._painted + SHARPEN_SECONDS, state.quiet_until) - time.monotonic()
            if pause > 0:
                state.changed.wait_for(lambda: state.closed or state.stale, timeout=pause)
        return not state.closed

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
            self._listener.heatmaps(version, pictures, missing_layer(question, self._state.smallest()))
            self._unsure.update(dict.fromkeys(picture.image for picture in pictures if not picture.preview))

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
        moment = self._encoder.moment()
        if moment.representations is not state.table:
            return []  # the weights have changed, and what was prepared with the old ones answers nothing
        with torch.inference_mode():
            known = known_scores(question, ids, failed, self._library, self._encoder)
            if known is None:
                return []
            members = None
            if question.layer == "stability":
                found = known_members(question, failed, self._library, self._encoder)
                members = found and found[1]
            pictures = [
                self._picture(question, version, image, score, own, members, sizes[image])
                for image, own, score in zip(known.ids, known.vectors, known.scores, strict=True)
            ]
        return [picture for picture in pictures if picture is not None] if moment.lasts else []

    def _picture(
        self,
        question: Question,
        version: int,
        image: str,
        score: Score,
        own: Tensor,
        members: Members | None,
        size: Size | None,
    ) -> Picture | None:
        method, layer = question.method, question.layer
        gamma = float(score(own[None])[0])
        if not isinstance(method, LinearMethod):
            at, run = self._state.runs.get(image, (-1, None))
            if layer == ATTRIBUTION and run is not None and at == version and run.presentable:
                values = run.heatmap(size)
                return Picture(image, method.name, False, _array(values), gamma, run.progress, run.gap)
        else:
            operator = self._state.store.get(image, question.recipe)
            if operator is not None and operator.presentable:
                found = self._layer(question, operator, score, own, members, size)
                return (
                    None
                    if found is None
                    else Picture(image, method.name, False, _array(found), gamma, operator.progress, layer=layer)
                )
        preview = self._state.store.get(image, PREVIEW)
        if preview is None or not preview.complete or layer != ATTRIBUTION:
            return None
        return Picture(image, PREVIEW[0].name, True, _array(preview.apply(score, size)[0]), gamma, 0.0)

    def _layer(
        self,
        question: Question,
        operator: Operator,
        score: Score,
        own: Tensor,
        members: Members | None,
        size: Size | None,
    ) -> Tensor | None:
        """Compute what the question wants to see of an operator (h, w)."""
        if question.layer == "error":
            errors = operator.error(score, size)
            return None if errors is None else errors[0]
        if question.layer == "stability":
            resampled = members and resample(question.target, question.similarity, members, own)
            if not resampled:
                return None
            # Smooth anyway, and many heatmaps to make: what is painted on the page may be coarse.
            found = stability(operator, score, resampled, own, None if size is None else self._coarse()).deviation
            return None if found is None else torch.from_numpy(found)
        return operator.apply(score, size)[0]

    def _coarse(self) -> Size:
        """Return a small size with the proportions of the encoder's input."""
        height, width = self._encoder.input_size
        longer = max(height, width)
        return max(1, COARSE * height // longer), max(1, COARSE * width // longer)

    def _tell_sureness(self, question: Question, version: int) -> None:
        """Say how sure the answers are that were painted last; stop when the question changes."""
        state = self._state
        images = [image for image in question.explicands if image in self._unsure]
        self._unsure.clear()
        with state.changed:
            ids, failed = state.alive(images), set(state.failures)
        with torch.inference_mode():
            known = known_scores(question, ids, failed, self._library, self._encoder)
            found = known_members(question, failed, self._library, self._encoder)
            if known is None or found is None:
                return
            _, members = found
            items = []
            for image, own, score in zip(known.ids, known.vectors, known.scores, strict=True):
                if state.stale or state.closed:
                    return  # the question that comes now is painted first, and told of later
                resampled = resample(question.target, question.similarity, members, own)
                if resampled is None:
                    items.append(Sureness(image, None, None, None))
                    continue
                operator = None
                if isinstance(question.method, LinearMethod):
                    operator = state.store.peek(image, question.recipe)
                    operator = operator if operator is not None and operator.presentable else None
                result = stability(operator, score, resampled, own, self._coarse())
                items.append(Sureness(image, result.low, result.high, result.correlation))
        self._listener.reliability(version, items, members.used_by(question.target).smallest)


def _array(values: Tensor) -> np.ndarray:
    return values.float().cpu().numpy()


def missing_layer(question: Question, smallest: int) -> str | None:
    """Say why the layer that the question wants cannot be shown with its method and bins; None if it can."""
    label = question.method.label
    if question.layer == "error" and question.method.name != "rise":
        return f"{label} draws nothing at random that could be averaged better. Choose RISE, or another layer."
    if question.layer == "stability" and not isinstance(question.method, LinearMethod):
        return f"{label} would need encoder passes for every resampled bin. Choose RISE, or another layer."
    if question.layer == "stability" and smallest == 1:
        return f"{LAYERS['stability'][0]}: a bin with a single image cannot be resampled. Add images to it."
    return None
