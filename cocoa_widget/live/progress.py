"""What is reported of the preparation."""

from __future__ import annotations

import time

from ..encoders import Representations
from ..images import ImageSet
from ..texts import is_text
from .listening import Listener, Progress
from .members import MemberIndex
from .plan import Job, Task
from .state import State

REPORT_SECONDS = 0.1
"""Least time between two reports while something is being done."""

ALIKE = 0.9
"""Mean cosine of two images from which on an encoder tells little apart.

It is .21 for the demo encoder on the demo images; .93 to .999 for ResNets with random weights.
"""


class ProgressReporter:
    """Report how far the preparation is, unless nothing has changed since the last report."""

    def __init__(self, state: State, images: ImageSet, index: MemberIndex, listener: Listener) -> None:
        self._state, self._images, self._index, self._listener = state, images, index, listener
        self._reported_at = 0.0
        self._last: Progress | None = None
        self._likeness: tuple[Representations | None, int, float | None] = None, 0, None  # of a table and its length

    def report(self, job: Job | None) -> None:
        """Report what is ready, and the job that is done now; None where nothing is done."""
        now = time.monotonic()
        if job is not None and now - self._reported_at < REPORT_SECONDS:
            return
        self._reported_at = now
        progress = self._progress(job)
        if progress != self._last:
            self._last = progress
            self._listener.progress(progress)

    def _progress(self, job: Job | None) -> Progress:
        state = self._state
        with state.changed:
            explained = state.explainable()
            preparations = [state.preparation(image) for image in explained]
            explicands, encoded = len(state.question.explicands), len(state.table or ())
        known = [p for p in preparations if p is not None]
        done, total = sum(p.done for p in known), max((p.total for p in known), default=0) * len(explained)
        if job is not None and job.task is Task.ENCODE_IMAGES:
            done, total = encoded, len(self._images)
        elif job is not None and job.task is Task.ENCODE_TEXTS:
            done, total = self._texts(job)
        elif job is not None and job.task is Task.READY_TEXTS:
            done, total = 0, 0
        label, ready, store = None if job is None else job.label, sum(p.complete for p in known), state.store
        return Progress(label, done, total, ready, explicands, store.nbytes, store.budget, self._alike())

    def _alike(self) -> float | None:
        """Return the mean cosine of images where it is high; computed again when a quarter more are known."""
        with self._state.changed:
            table = self._state.table
        if table is None:
            return None
        of, count, found = self._likeness
        if of is not table or len(table) >= 1.25 * count:
            found = self._index.likeness(table)
            self._likeness = table, max(1, len(table)), found
        return found if found is not None and found >= ALIKE else None

    def _texts(self, job: Job) -> tuple[int, int]:
        """Count the texts in the bins that are encoded, and all of them."""
        question = job.question
        with self._state.changed:
            table = self._state.table
        texts = [member for member in (*question.corpus, *question.foil) if is_text(member)]
        missing = texts if table is None else self._index.missing(texts, question.template, table)
        return len(texts) - len(missing), len(texts)
