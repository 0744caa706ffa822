"""What the tests of the live loop share: a listener that records, a slow encoder, a question, the direct answer."""

from __future__ import annotations

import threading
import time

import cocoa_widget as cw
from cocoa_widget.live import Question
from tests.conftest import Convolutional

RISE = cw.RISE(n_masks=128)


class Recorder:
    """Keeps what the engine reports, and lets tests wait for it."""

    def __init__(self):
        self.heard = threading.Condition()
        self.updates, self.statuses, self.errors, self.stabilities = [], [], [], []

    def heatmaps(self, version, heatmaps, nothing):
        with self.heard:
            self.updates.append((version, heatmaps, nothing))
            self.heard.notify_all()

    def stability(self, version, found, smallest):
        with self.heard:
            self.stabilities.append((version, found, smallest))
            self.heard.notify_all()

    def progress(self, progress):
        with self.heard:
            self.statuses.append(progress)
            self.heard.notify_all()

    def error(self, message):
        with self.heard:
            self.errors.append(message)
            self.heard.notify_all()

    def rest(self):
        pass

    def until(self, predicate, timeout=120):
        with self.heard:
            assert self.heard.wait_for(predicate, timeout), (self.updates[-3:], self.errors)

    def newest(self):
        """The newest heatmap of each image, of the newest version."""
        last = max((version for version, _, _ in self.updates), default=0)
        return {h.image: h for version, heatmaps, _ in self.updates if version == last for h in heatmaps}


class Slow(Convolutional):
    """Takes a while for each image, so that tests can act meanwhile."""

    seconds = 0.002

    def forward(self, images):
        time.sleep(self.seconds * len(images))
        return super().forward(images)


def question(**changes):
    start = {
        "corpus": ("p1", "p2"),
        "foil": ("p3",),
        "explicands": ("p0",),
        "method": RISE,
        "target": "contrastive_corpus",
        "similarity": "cosine",
        "baseline": cw.Blur(),
    }
    return Question(**{**start, **changes})


def direct(encoder, pictures, q, image):
    """The answer of the headless explainer."""
    explainer = cw.Explainer(encoder, q.method, q.baseline)
    return explainer.explain(
        pictures[image],
        corpus=[pictures[i] for i in q.corpus],
        foil=[pictures[i] for i in q.foil],
        target=q.target,
        similarity=q.similarity,
    )
