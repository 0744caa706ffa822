"""The fast lane: heatmaps from what is ready, at the size at which they are shown."""

from __future__ import annotations

import threading

import pytest
import torch

import cocoa_widget as cw
from cocoa_widget.live import View
from cocoa_widget.live.painter import Painter
from tests.conftest import Convolutional, Linear

from .helpers import Slow, question


def test_the_first_heatmap_comes_early_and_sharpens(make):
    engine, recorder, _ = make(Slow(), question(method=cw.RISE(n_masks=512)))
    engine.watch("a", View(explicands=32))
    engine.wait(120)
    seen = [item for item in recorder.items if item.image == "p0"]
    assert seen[0].preview  # CAM, at once
    assert seen[0].method == "cam"
    progress = [h.progress for h in seen if not h.preview]
    assert progress[0] <= 0.25
    assert progress == sorted(progress)
    assert progress[-1] == 1
    assert len(progress) >= 4


def test_heatmaps_are_no_larger_than_painted(make):
    plain = cw.RISE(n_masks=128, estimator="plain")  # the page cannot compute its heatmaps
    engine, recorder, _ = make(first=question(method=plain))
    engine.watch("small", View(explicands=12))
    engine.wait(120)
    assert recorder.newest()["p0"].values.shape == (12, 12)
    engine.watch("large", View(explicands=400))
    recorder.until(lambda: recorder.newest()["p0"].values.shape == (32, 32))
    engine.leave("large")
    engine.leave("small")
    count = len(recorder.updates)
    engine.ask(question(method=plain, corpus=("p4",)))
    engine.wait(120)
    assert all(not heatmaps for _, heatmaps, _ in recorder.updates[count:])


def test_empty_bins_say_what_to_do_and_prepare_meanwhile(make):
    engine, recorder, _ = make(first=question(corpus=(), foil=()))
    engine.watch("a", View(explicands=32))
    engine.wait(120)
    assert recorder.updates[-1][1:] == ([], "Nothing to explain yet: put images into the corpus, the foil, or both.")
    assert engine.heatmap("p0") is None
    recorder.until(lambda: recorder.statuses[-1].ready == 1)


def test_encoders_without_a_feature_map_have_no_preview(make):
    engine, recorder, _ = make(Linear())
    engine.watch("a", View(explicands=32))
    engine.wait(120)
    assert not any(h.preview for _, heatmaps, _ in recorder.updates for h in heatmaps)
    engine.ask(question(method=cw.CAM()))
    with pytest.raises(cw.NoFeatureMap, match="global average pooling"):
        engine.wait(120)
    assert any("'rise'" in error for error in recorder.errors)
    engine.ask(question())
    engine.wait(120)


def test_a_bin_that_cannot_be_read_is_reported(make, pictures, tmp_path):
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
        engine.heatmap("p0.png")


def test_stability_is_measured_once_heatmaps_have_settled(make):
    engine, recorder, _ = make(first=question(corpus=("p1", "p2"), foil=("p3", "p4")))
    engine.watch("a", View(explicands=32))
    recorder.until(lambda: recorder.stabilities)
    version, found, smallest = recorder.stabilities[-1]
    assert (version, [*found], smallest) == (0, ["p0"], 2)
    assert found["p0"].low < found["p0"].high
    engine.ask(question(corpus=("p1", "p2"), foil=("p3",)))
    recorder.until(lambda: recorder.stabilities[-1][0] == 1)
    assert recorder.stabilities[-1][1:] == ({"p0": None}, 1), "a single member cannot be resampled"


def test_a_heatmap_of_earlier_weights_is_not_shown(make):
    engine, _, encoder = make()
    engine.wait(120)
    assert [h.image for h in engine._painter.heatmaps(question(), 0, {"p0": None})] == ["p0"]
    with engine._state.changed:  # the slow lane cannot look meanwhile
        encoder.module.body[0].weight.data.mul_(-1)
        encoder.refresh()
        assert engine._painter.heatmaps(question(), 0, {"p0": None}) == []


def test_a_layer_is_computed_without_the_lock(make, monkeypatch):
    """Every message of the page needs the lock."""
    engine, _, _ = make(first=question(corpus=("p1", "p2"), foil=("p3", "p4")))
    engine.wait(120)
    free = []
    heatmaps = engine._painter.heatmaps

    def take():
        with engine._state.changed:
            free.append(True)

    def look(*arguments):
        other = threading.Thread(target=take)
        other.start()
        other.join(120)
        return heatmaps(*arguments)

    monkeypatch.setattr(engine._painter, "heatmaps", look)
    assert engine.heatmap("p0", 120, "stability").layer == "stability"
    assert free == [True]


def test_the_fast_lane_computes_with_one_thread_and_leaves_the_others_theirs(make, monkeypatch):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        painting, passing, paint = [], [], Painter._paint

        def noted(self, *arguments):
            paint(self, *arguments)
            painting.append(torch.get_num_threads())

        class Noting(Convolutional):
            def forward(self, images):
                passing.append(torch.get_num_threads())
                return super().forward(images)

        monkeypatch.setattr(Painter, "_paint", noted)
        engine, _, _ = make(Noting())
        engine.watch("a", View(explicands=32))
        engine.wait(120)
        assert ({*painting}, {*passing}, torch.get_num_threads()) == ({1}, {2}, 2)
        later = []
        thread = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
        thread.start()
        thread.join()
        assert later == [2]
    finally:
        torch.set_num_threads(before)
