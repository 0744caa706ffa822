"""The engine as a whole: what is asked, when it is answered, and how it ends."""

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
from cocoa_widget.live import LiveEngine, View
from tests.conftest import Convolutional, encoder_of

from .helpers import RISE, Recorder, Slow, direct, question


@pytest.mark.parametrize("method", [RISE, cw.CAM(), cw.IntegratedGradients(steps=8)], ids=lambda m: m.name)
def test_agrees_with_the_explainer(make, pictures, method):
    q = question(method=method)
    engine, recorder, encoder = make(first=q)
    engine.watch("a", View(explicands=32))
    engine.wait(120)
    expected = direct(encoder, pictures, q, "p0")
    heatmap = recorder.newest()["p0"]
    np.testing.assert_allclose(heatmap.values, expected.heatmaps[0], atol=1e-5 * abs(expected.heatmaps).max())
    assert heatmap.score == pytest.approx(float(expected.scores[0]), abs=1e-6)
    assert heatmap.progress == 1
    assert not heatmap.preview
    peak = abs(heatmap.values).max()
    np.testing.assert_allclose(engine.heatmap("p0").values, heatmap.values, atol=1e-5 * peak)


def test_a_change_of_the_bins_runs_no_pass(make, pictures):
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
        recorder.until(lambda v=i + 1: recorder.answers(v))
        expected = direct(encoder, pictures, q, "p0").heatmaps[0]
        module.calls = before  # the comparison has passes of its own
        np.testing.assert_allclose(recorder.newest()["p0"].values, expected, atol=1e-5 * abs(expected).max())
    engine.wait(120)
    assert module.calls == before


def test_cam_needs_no_pass_beyond_the_encoding(make, pictures):
    other, module = Convolutional(), Convolutional()
    encoder_of(other).forward(torch.zeros(1, 3, 32, 32), features="pooled")
    each_once = len(pictures) + other.calls - 1  # one pass at first finds out what the network has
    q = question(method=cw.CAM(), explicands=("p0", "p4", "p5"))
    engine, recorder, _ = make(module, q)
    engine.watch("a", View(explicands=32))
    engine.wait(120)
    while module.calls < each_once:
        time.sleep(0.01)
    assert not any(h.preview for _, heatmaps, _ in recorder.updates for h in heatmaps)
    # CAM has no use for a baseline.
    engine.ask(question(method=cw.CAM(), explicands=q.explicands, baseline=cw.Constant()))
    engine.wait(120)
    assert module.calls == each_once


def test_a_change_does_not_queue_behind_preparation(make):
    """While 4 s of passes are pending, a new question is answered from what is ready."""
    engine, recorder, _ = make(Slow(), question(method=cw.RISE(n_masks=2000)))
    engine.watch("a", View(explicands=32))
    recorder.until(lambda: any(not item.preview for item in recorder.items))
    engine.ask(question(method=cw.RISE(n_masks=2000), corpus=("p2",)))
    recorder.until(lambda: recorder.answers(1))
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
    recorder.until(lambda: recorder.answers(1) and not recorder.newest()["p0"].preview)


def test_label_free_needs_no_bins(make):
    engine, recorder, _ = make(first=question(corpus=(), foil=(), target="label_free"))
    engine.watch("a", View(explicands=32))
    engine.wait(120)
    assert recorder.newest()["p0"].score == pytest.approx(1, abs=1e-5)


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
    assert not any(t.is_alive() for t in threads if t.name in ("cocoa-painter", "cocoa-worker"))
