"""What the tests of the live loop share: a listener that records, a slow encoder, a question, the direct answer."""

from __future__ import annotations

import threading
import time

import cocoa_widget as cw
from cocoa_widget.host import events
from cocoa_widget.live import Heatmap, Question
from tests.computing import Computing
from tests.conftest import Convolutional

RISE = cw.RISE(n_masks=128)


class Recorder:
    """Keeps what the engine reports, computes from products what the page would, and lets tests wait for it."""

    def __init__(self):
        self.heard = threading.Condition()
        self.updates, self.statuses, self.errors, self.stabilities = [], [], [], []
        self.page, self.products_sent, self.failed, self.waiting = Computing(), [], [], []
        self.items = []  # heatmaps, and products of images, in the order in which they came
        self.engine = None

    def products(self, products):
        with self.heard:
            self.products_sent.append(products)
            self.page.take(*events.products(products))
            self.items.extend(products.items)
            self.heard.notify_all()

    def heatmaps(self, update):
        with self.heard:
            self.page.enter(update.space)
            self.updates.append((update.version, update.heatmaps, update.nothing))
            self.failed, self.waiting = update.failed, update.waiting
            self.items.extend(update.heatmaps)
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

    def answers(self, version):
        """Whether an image has a heatmap for a version of the question."""
        return bool(self.updates) and self.updates[-1][0] == version and bool(self.newest())

    def newest(self):
        """The heatmap of each image that the newest version has: as it was reported, or as the page computes it."""
        last = max((version for version, _, _ in self.updates), default=0)
        reported = {h.image: h for version, heatmaps, _ in self.updates if version == last for h in heatmaps}
        state = self.engine._state  # read without its lock, which reporting threads may hold
        q = state.question
        found = self.computed(q) if self.updates and state.version == last else {}
        return reported | {
            i: h for i, h in found.items() if i not in reported or _sharpness(h) >= _sharpness(reported[i])
        }

    def computed(self, q):
        """The heatmaps that the page computes for a question."""
        if not self.products_sent or q.layer != "attribution":
            return {}
        of = self.products_sent[-1].question
        if (of.recipe, of.similarity, of.template, of.centred) != (q.recipe, q.similarity, q.template, q.centred):
            return {}
        found, absent = {}, [*self.failed, *self.waiting]
        for image, known in self.page.images.items():
            if (heatmap := self.page.heatmap(image, q.target, q.corpus, q.foil, absent)) is not None:
                found[image] = Heatmap(image, known["method"], known["preview"], *heatmap, known["progress"])
        return found


def _sharpness(heatmap):
    return not heatmap.preview, heatmap.progress


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
