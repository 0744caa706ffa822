"""The two lanes, driven by hand: what is asked, when it is answered, and what happens when things go wrong."""

from __future__ import annotations

import gc
import threading
import time
import weakref

import numpy as np
import pytest
import torch
from torch import nn

import cocoa_widget as cw
from cocoa_widget.live import LiveEngine, Question, View
from tests.conftest import Convolutional, Linear, encoder_of


class Recorder:
    """Keeps what it is told, and lets tests wait for it."""

    def __init__(self):
        self.told = threading.Condition()
        self.updates, self.statuses, self.errors, self.sureness = [], [], [], []

    def heatmaps(self, version, pictures, nothing):
        with self.told:
            self.updates.append((version, pictures, nothing))
            self.told.notify_all()

    def reliability(self, version, items, smallest):
        with self.told:
            self.sureness.append((version, items, smallest))
            self.told.notify_all()

    def progress(self, progress):
        with self.told:
            self.statuses.append(progress)
            self.told.notify_all()

    def error(self, message):
        with self.told:
            self.errors.append(message)
            self.told.notify_all()

    def rest(self):
        pass

    def until(self, predicate, timeout=120):
        with self.told:
            assert self.told.wait_for(predicate, timeout), (self.updates[-3:], self.errors)

    def newest(self):
        """The newest picture of each image, of the newest version."""
        last = max((version for version, _, _ in self.updates), default=0)
        return {p.image: p for version, pictures, _ in self.updates if version == last for p in pictures}


class Slow(Convolutional):
    """Takes its time for every image, so that tests can act in the middle."""

    seconds = 0.002

    def forward(self, images):
        time.sleep(self.seconds * len(images))
        return super().forward(images)


RISE = cw.RISE(n_masks=128)


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


@pytest.fixture
def make(pictures):
    engines = []

    def start(module=None, first=None, budget=1 << 30, images=None):
        recorder = Recorder()
        encoder = encoder_of(module or Convolutional())
        images = images or cw.ImageSet(pictures)
        engine = LiveEngine(images, encoder, first or question(), recorder, budget)
        engines.append(engine)
        return engine, recorder, encoder

    yield start
    for engine in engines:
        engine.close()


def direct(encoder, pictures, q, image):
    """What the headless explainer says."""
    explainer = cw.Explainer(encoder, q.method, q.baseline)
    return explainer.explain(
        pictures[image],
        corpus=[pictures[i] for i in q.corpus],
        foil=[pictures[i] for i in q.foil],
        target=q.target,
        similarity=q.similarity,
    )


@pytest.mark.parametrize("method", [RISE, cw.CAM(), cw.IntegratedGradients(steps=8)], ids=lambda m: m.name)
def test_agrees_with_the_explainer(make, pictures, method):
    q = question(method=method)
    engine, recorder, encoder = make(first=q)
    engine.watch("a", View(explicands=32))
    engine.wait(120)
    expected = direct(encoder, pictures, q, "p0")
    picture = recorder.newest()["p0"]
    np.testing.assert_allclose(picture.values, expected.heatmaps[0], atol=1e-5 * abs(expected.heatmaps).max())
    assert picture.score == pytest.approx(float(expected.scores[0]), abs=1e-6)
    assert picture.progress == 1
    assert not picture.preview
    np.testing.assert_array_equal(engine.picture("p0").values, picture.values)


def test_a_change_of_the_bins_passes_nothing(make, pictures):
    module = Convolutional()
    engine, recorder, encoder = make(module)
    encoder.encode(cw.ImageSet(pictures))
    engine.watch("a", View(explicands=32))
    engine.wait(120)
    before = module.calls
    for i, q in enumerate(
        [
            question(corpus=("p4",)),
            question(foil=()),
            question(foil=("p5", "p6"), target="contrastive_label_free"),
            question(similarity="dot"),
        ]
    ):
        engine.ask(q)
        recorder.until(lambda v=i + 1: any(u[0] == v and u[1] for u in recorder.updates))
        expected = direct(encoder, pictures, q, "p0").heatmaps[0]
        module.calls = before  # the comparison has passes of its own
        np.testing.assert_allclose(recorder.newest()["p0"].values, expected, atol=1e-5 * abs(expected).max())
    engine.wait(120)
    assert module.calls == before


def test_cam_needs_no_more_than_the_encoding(make, pictures):
    other, module = Convolutional(), Convolutional()
    encoder_of(other).forward(torch.zeros(1, 3, 32, 32), features="pooled")
    each_once = len(pictures) + other.calls - 1  # the network is looked over at first
    q = question(method=cw.CAM(), explicands=("p0", "p4", "p5"))
    engine, recorder, _ = make(module, q)
    engine.watch("a", View(explicands=32))
    engine.wait(120)
    while module.calls < each_once:
        time.sleep(0.01)
    assert not any(p.preview for _, pictures, _ in recorder.updates for p in pictures)
    # CAM has no use for a baseline.
    engine.ask(question(method=cw.CAM(), explicands=q.explicands, baseline=cw.Constant()))
    engine.wait(120)
    assert module.calls == each_once


def test_the_first_picture_comes_early_and_sharpens(make):
    engine, recorder, _ = make(Slow(), question(method=cw.RISE(n_masks=512)))
    engine.watch("a", View(explicands=32))
    engine.wait(120)
    seen = [p for _, pictures, _ in recorder.updates for p in pictures if p.image == "p0"]
    assert seen[0].preview  # CAM, at once
    assert seen[0].method == "cam"
    progress = [p.progress for p in seen if not p.preview]
    assert progress[0] <= 0.25
    assert progress == sorted(progress)
    assert progress[-1] == 1
    assert len(progress) >= 4


def test_a_change_does_not_queue_behind_preparation(make):
    """While 4 s of passes are pending, a new question is answered from what is ready."""
    engine, recorder, _ = make(Slow(), question(method=cw.RISE(n_masks=2000)))
    engine.watch("a", View(explicands=32))
    recorder.until(lambda: any(not p.preview for _, pictures, _ in recorder.updates for p in pictures))
    engine.ask(question(method=cw.RISE(n_masks=2000), corpus=("p2",)))
    recorder.until(lambda: any(version == 1 and pictures for version, pictures, _ in recorder.updates))
    assert recorder.newest()["p0"].progress < 1


def test_the_newest_question_wins(make):
    """Of many questions in a row only some are answered, never an older one after a newer, and the last one always."""
    engine, recorder, _ = make()
    engine.watch("a", View(explicands=32))
    engine.wait(120)
    for i in range(200):
        engine.ask(question(corpus=(f"p{1 + i % 2}",)))
    engine.wait(120)
    versions = [version for version, _, _ in recorder.updates]
    assert versions == sorted(versions)
    assert versions[-1] == engine.version == 200
    assert len(set(versions)) < 200


def test_an_older_path_is_dropped(make, pictures):
    """Gradient methods start anew for a new direction, and do not finish the old one."""
    module = Slow()
    module.seconds = 0.02
    engine, recorder, encoder = make(module, question(method=cw.IntegratedGradients(steps=60)))
    engine.watch("a", View(explicands=32))
    recorder.until(lambda: any(not p.preview for _, pictures, _ in recorder.updates for p in pictures))
    q = question(method=cw.IntegratedGradients(steps=60), corpus=("p5",))
    engine.ask(q)
    engine.wait(120)
    assert not any(v == 0 and p.progress == 1 for v, pictures, _ in recorder.updates for p in pictures)
    expected = direct(encoder, pictures, q, "p0")
    picture = recorder.newest()["p0"]
    np.testing.assert_allclose(picture.values, expected.heatmaps[0], atol=1e-5 * abs(expected.heatmaps).max())
    assert picture.gap == pytest.approx(float(expected.gaps[0]), abs=1e-5)


def test_explicands_come_before_the_gallery(make):
    engine, recorder, _ = make(Slow(), question(method=cw.RISE(n_masks=128)))
    engine.watch("a", View(explicands=32, gallery=16, visible=("p7", "p8")))
    recorder.until(lambda: {"p0", "p7"} <= {p.image for _, ps, _ in recorder.updates for p in ps if p.progress == 1})
    order = [p.image for _, ps, _ in recorder.updates for p in ps if p.progress == 1 and not p.preview]
    assert order.index("p0") < order.index("p7")
    assert {p.values.shape for _, ps, _ in recorder.updates for p in ps if p.image == "p7"} == {(16, 16)}


def test_no_more_than_is_painted(make):
    engine, recorder, _ = make()
    engine.watch("small", View(explicands=12))
    engine.wait(120)
    assert recorder.newest()["p0"].values.shape == (12, 12)
    engine.watch("large", View(explicands=400))
    recorder.until(lambda: recorder.newest()["p0"].values.shape == (32, 32))
    engine.leave("large")
    engine.leave("small")
    count = len(recorder.updates)
    engine.ask(question(corpus=("p4",)))
    engine.wait(120)
    assert all(not pictures for _, pictures, _ in recorder.updates[count:])


def rests(calls):
    """Wait until a number has stayed the same for a while, and return it."""
    end, before, since = time.monotonic() + 120, calls(), time.monotonic()
    while time.monotonic() - since < 0.5 and time.monotonic() < end:
        time.sleep(0.02)
        if calls() != before:
            before, since = calls(), time.monotonic()
    return before


def test_after_the_last_view_nothing_is_prepared(make, monkeypatch):
    monkeypatch.setattr("cocoa_widget.live.state.LINGER_SECONDS", 0.05)
    module = Slow()
    engine, recorder, _ = make(module, question(method=cw.RISE(n_masks=5000)))
    engine.watch("a", View(explicands=32))
    recorder.until(lambda: recorder.updates)
    engine.leave("a")
    engine.join()  # both threads end
    before = module.calls
    engine.ask(question(method=cw.RISE(n_masks=5000), corpus=("p4",)))
    engine.join()
    assert module.calls == before < 5000
    engine.watch("a", View(explicands=32))
    recorder.until(lambda: any(not p.preview for version, ps, _ in recorder.updates for p in ps if version == 1))


def test_resting_leaves_the_processor_to_the_page(make):
    module = Slow()
    engine, recorder, _ = make(module, question(method=cw.RISE(n_masks=5000)))
    engine.watch("a", View(explicands=32))
    recorder.until(lambda: any(not p.preview for _, ps, _ in recorder.updates for p in ps))
    engine.rest(3600)
    before = rests(lambda: module.calls)  # the slice under way ends
    engine.ask(question(method=cw.RISE(n_masks=5000), corpus=("p4",)))  # the fast lane does not rest
    recorder.until(lambda: any(version == 1 and ps for version, ps, _ in recorder.updates))
    engine.rest(0)
    recorder.until(lambda: module.calls > before)


def test_empty_bins_say_what_to_do_and_prepare_meanwhile(make):
    engine, recorder, _ = make(first=question(corpus=(), foil=()))
    engine.watch("a", View(explicands=32))
    engine.wait(120)
    assert recorder.updates[-1][1:] == ([], "Nothing to explain yet: put images into the corpus, the foil, or both.")
    assert engine.picture("p0") is None
    assert recorder.statuses[-1].ready == 1


def test_label_free_needs_no_bins(make):
    engine, recorder, _ = make(first=question(corpus=(), foil=(), target="label_free"))
    engine.watch("a", View(explicands=32))
    engine.wait(120)
    assert recorder.newest()["p0"].score == pytest.approx(1, abs=1e-5)


class Moody(Convolutional):
    """Raises, or returns NaN, for pictures that are mostly white."""

    def __init__(self, mood):
        super().__init__()
        self.mood = mood

    def forward(self, images):
        out = super().forward(images)
        bad = images.mean((1, 2, 3)) > 2
        if self.mood == "raise" and bad.any():
            raise RuntimeError("too bright")
        return torch.where(bad[:, None], torch.nan, out)


@pytest.mark.parametrize(("mood", "says"), [("raise", "RuntimeError.*too bright"), ("nan", "not finite")])
def test_one_bad_image_does_not_stop_the_rest(make, pictures, mood, says):
    from PIL import Image

    images = cw.ImageSet({**pictures, "white": Image.new("RGB", (40, 40), "white")})
    q = question(explicands=("p0", "white", "p4"))
    engine, recorder, _ = make(Moody(mood), q, images=images)
    engine.watch("a", View(explicands=32))
    with pytest.raises(cw.EncoderError, match=says):
        engine.wait(120)
    assert {"p0", "p4"} == {i for i, p in recorder.newest().items() if p.progress == 1}
    assert len(recorder.errors) == 1
    assert recorder.errors[0].startswith("white: Encoder 'Moody'")
    engine.ask(question())
    engine.wait(120)  # the widget lives on


def test_an_unreadable_member_is_said_and_left_out(make, pictures, tmp_path):
    for name, picture in pictures.items():
        picture.save(tmp_path / f"{name}.png")
    images = cw.ImageSet(tmp_path)
    q = question(corpus=("p1.png", "p2.png"), foil=("p3.png",), explicands=("p0.png",))
    (tmp_path / "p2.png").write_bytes((tmp_path / "p2.png").read_bytes()[:100])
    engine, recorder, encoder = make(first=q, images=images)
    engine.watch("a", View(explicands=32))
    with pytest.raises(cw.UnreadableImage, match="p2.png"):
        engine.wait(120)
    expected = direct(encoder, pictures, question(corpus=("p1",)), "p0").heatmaps[0]
    np.testing.assert_allclose(recorder.newest()["p0.png"].values, expected, atol=1e-5 * abs(expected).max())


def test_a_full_budget_is_said(make):
    engine, recorder, _ = make(first=question(explicands=("p0", "p4", "p5")), budget=60_000)
    engine.watch("a", View(explicands=32))
    with pytest.raises(RuntimeError, match="No memory left.*memory_budget"):
        engine.wait(120)
    assert recorder.statuses[-1].memory <= 60_000
    assert recorder.newest()["p0"].progress == 1


def test_the_budget_drops_what_was_used_least(make):
    engine, recorder, _ = make(budget=60_000)
    engine.watch("a", View(explicands=32))
    for image in ("p0", "p4", "p5", "p6", "p7", "p0"):
        engine.ask(question(explicands=(image,), corpus=("p1",), foil=("p2",)))
        engine.wait(120)
        assert recorder.statuses[-1].memory <= 60_000
    assert recorder.newest()["p0"].progress == 1


def test_encoders_without_a_feature_map_have_no_preview(make):
    engine, recorder, _ = make(Linear())
    engine.watch("a", View(explicands=32))
    engine.wait(120)
    assert not any(p.preview for _, pictures, _ in recorder.updates for p in pictures)
    engine.ask(question(method=cw.CAM()))
    with pytest.raises(cw.NoFeatureMap, match="global average pooling"):
        engine.wait(120)
    assert any("'rise'" in error for error in recorder.errors)
    engine.ask(question())
    engine.wait(120)


def test_a_large_corpus_and_a_small_budget_come_to_an_end(make, pictures):
    q = question(corpus=tuple(f"p{i}" for i in range(1, 9)), foil=("p9",), method=cw.RISE(n_masks=64))
    engine, recorder, _ = make(first=q, budget=40_000)
    engine.watch("a", View(explicands=32))
    engine.wait(120)
    assert recorder.newest()["p0"].progress == 1


def test_a_file_that_vanishes_is_said_and_the_rest_goes_on(make, pictures, tmp_path):
    for name, picture in pictures.items():
        picture.save(tmp_path / f"{name}.png")
    images = cw.ImageSet(tmp_path)
    (tmp_path / "p7.png").unlink()
    q = question(corpus=("p1.png",), foil=("p3.png",), explicands=("p0.png",))
    engine, recorder, _ = make(first=q, images=images)
    engine.watch("a", View(explicands=32, gallery=16, visible=tuple(images.ids)))
    engine.wait(120)
    recorder.until(lambda: any("p7.png" in error for error in recorder.errors))
    recorder.until(lambda: any(p.image == "p8.png" for _, ps, _ in recorder.updates for p in ps))


def test_new_weights_drop_what_the_old_ones_prepared(make, pictures):
    module = Convolutional()
    engine, _, encoder = make(module)
    engine.wait(120)
    with torch.no_grad():
        module.body[0].weight.mul_(-1)
    q = question(corpus=("p4",))
    engine.ask(q)
    engine.wait(120)
    expected = direct(encoder, pictures, q, "p0").heatmaps[0]
    np.testing.assert_allclose(engine.picture("p0").values, expected, atol=1e-5 * abs(expected).max())


def test_a_bin_that_cannot_be_read_is_said(make, pictures, tmp_path):
    for name, picture in pictures.items():
        picture.save(tmp_path / f"{name}.png")
    images = cw.ImageSet(tmp_path)
    (tmp_path / "p2.png").write_bytes((tmp_path / "p2.png").read_bytes()[:100])
    engine, recorder, _ = make(first=question(corpus=("p1.png",), foil=(), explicands=("p0.png",)), images=images)
    engine.watch("a", View(explicands=32))
    engine.wait(120)
    engine.ask(question(corpus=("p2.png",), foil=(), explicands=("p0.png",)))
    recorder.until(lambda: any(v == 1 and nothing and "None of" in nothing for v, _, nothing in recorder.updates))
    with pytest.raises(cw.UnreadableImage, match=r"p2\.png"):
        engine.picture("p0.png")


def test_waiting_has_an_end(make):
    class Stuck(nn.Module):
        def forward(self, images):
            time.sleep(0.2)
            return images.flatten(1)

    engine, _, _ = make(Stuck(), question(method=cw.RISE(n_masks=5000)))
    with pytest.raises(TimeoutError, match=r"within 0.3 s"):
        engine.wait(0.3)


def test_close_frees_everything(pictures):
    encoder = encoder_of(Convolutional())
    recorder = Recorder()
    engine = LiveEngine(cw.ImageSet(pictures), encoder, question(), recorder, 1 << 30)
    engine.watch("a", View(explicands=32))
    engine.wait(120)
    operator = weakref.ref(engine._state.store.get("p0", question().recipe))
    threads = [t for t in threading.enumerate() if t.name.startswith("cocoa-")]
    assert threads
    alive = weakref.ref(engine)
    engine.close()
    engine.join()
    del engine
    gc.collect()
    assert alive() is None
    assert operator() is None
    assert not any(t.is_alive() for t in threads if t.name in ("cocoa-painter", "cocoa-preparer"))
