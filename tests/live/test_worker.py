"""The slow lane: slices in order, and images that fail."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import torch
from PIL import Image

import cocoa_widget as cw
from cocoa_widget.live import View
from cocoa_widget.live.worker import Worker
from tests.conftest import Convolutional

from .helpers import Slow, direct, question


def test_a_run_of_an_earlier_direction_is_dropped(make, pictures):
    """Gradient methods start again for a new direction, and do not finish the old one."""
    module = Slow()
    module.seconds = 0.02
    engine, recorder, encoder = make(module, question(method=cw.IntegratedGradients(steps=60)))
    engine.watch("a", View(explicands=32))
    recorder.until(lambda: any(not h.preview for _, heatmaps, _ in recorder.updates for h in heatmaps))
    q = question(method=cw.IntegratedGradients(steps=60), corpus=("p5",))
    engine.ask(q)
    engine.wait(120)
    assert not any(v == 0 and h.progress == 1 for v, heatmaps, _ in recorder.updates for h in heatmaps)
    expected = direct(encoder, pictures, q, "p0")
    heatmap = recorder.newest()["p0"]
    np.testing.assert_allclose(heatmap.values, expected.heatmaps[0], atol=1e-5 * abs(expected.heatmaps).max())
    assert heatmap.gap == pytest.approx(float(expected.gaps[0]), abs=1e-5)


def test_explicands_come_before_the_gallery(make):
    plain = cw.RISE(n_masks=128, estimator="plain")  # the page cannot compute its heatmaps
    engine, recorder, _ = make(Slow(), question(method=plain))
    engine.watch("a", View(explicands=32, gallery=16, visible=("p7", "p8")))
    recorder.until(
        lambda: {"p0", "p7"} <= {h.image for _, heatmaps, _ in recorder.updates for h in heatmaps if h.progress == 1}
    )
    order = [h.image for _, heatmaps, _ in recorder.updates for h in heatmaps if h.progress == 1 and not h.preview]
    assert order.index("p0") < order.index("p7")
    assert {h.values.shape for _, heatmaps, _ in recorder.updates for h in heatmaps if h.image == "p7"} == {(16, 16)}


def rests(calls):
    """Wait until a number has stayed the same for a while, and return it."""
    end, before, since = time.monotonic() + 120, calls(), time.monotonic()
    while time.monotonic() - since < 0.5 and time.monotonic() < end:
        time.sleep(0.02)
        if calls() != before:
            before, since = calls(), time.monotonic()
    return before


def test_resting_leaves_the_processor_to_the_page(make):
    module = Slow()
    engine, recorder, _ = make(module, question(method=cw.RISE(n_masks=5000)))
    engine.watch("a", View(explicands=32))
    recorder.until(lambda: any(not item.preview for item in recorder.items))
    engine.rest(3600)
    before = rests(lambda: module.calls)  # the slice under way ends
    engine.ask(question(method=cw.RISE(n_masks=5000), corpus=("p4",)))  # the fast lane does not rest
    recorder.until(lambda: recorder.answers(1))
    engine.rest(0)
    recorder.until(lambda: module.calls > before)


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


def test_an_unreadable_member_is_reported_and_left_out(make, pictures, tmp_path):
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


def test_a_file_that_vanishes_is_reported_and_the_rest_goes_on(make, pictures, tmp_path):
    for name, picture in pictures.items():
        picture.save(tmp_path / f"{name}.png")
    images = cw.ImageSet(tmp_path)
    (tmp_path / "p7.png").unlink()
    q = question(corpus=("p1.png",), foil=("p3.png",), explicands=("p0.png",))
    engine, recorder, _ = make(first=q, images=images)
    engine.watch("a", View(explicands=32, gallery=16, visible=tuple(images.ids)))
    engine.wait(120)
    recorder.until(lambda: any("p7.png" in error for error in recorder.errors))
    recorder.until(lambda: any(item.image == "p8.png" for item in recorder.items))


def test_each_image_of_a_question_that_fails_is_reported(make, pictures):
    """Two images that fail with the same words, one after the other."""

    class Moody(Convolutional):
        def forward(self, images):
            if (images.mean((1, 2, 3)) > 2).any():
                raise RuntimeError("too bright")
            return super().forward(images)

    bright = {name: Image.new("RGB", (40, 40), "white") for name in ("white", "snow")}
    bright["snow"].putpixel((0, 0), (254, 255, 255))
    images = cw.ImageSet({**pictures, **bright})
    engine, recorder, _ = make(Moody(), question(), images=images)
    for name in ("white", "snow"):
        engine.ask(question(explicands=("p0", name)))
        with pytest.raises(cw.EncoderError, match="too bright"):
            engine.wait(120)
        recorder.until(lambda name=name: any(error.startswith(f"{name}: ") for error in recorder.errors))


def test_one_exception_object_that_is_raised_again_and_again_hangs_nothing(make):
    """Python links it into a circle of causes."""
    mood = RuntimeError("moody")

    class Moody(Convolutional):
        def forward(self, images):
            raise mood

    engine, _, _ = make(Moody(), question(explicands=("p0", "p4", "p5")))
    for image in ("p6", "p7"):
        with pytest.raises(cw.EncoderError, match="moody"):
            engine.wait(120)
        engine.ask(question(explicands=(image,)))
    with pytest.raises(cw.EncoderError, match="moody"):
        engine.wait(120)


def test_a_gallery_that_fails_is_reported_once(make, pictures):
    class Broken(Convolutional):
        def forward(self, images):
            raise RuntimeError("no weights today")

    many = {f"{name}-{i}": picture.rotate(i) for i in range(4) for name, picture in pictures.items()}
    engine, recorder, _ = make(Broken(), question(corpus=(), foil=(), explicands=()), images=cw.ImageSet(many))
    engine.watch("a", View(explicands=32, visible=tuple(many)))
    state = engine._state
    with state.changed:
        assert state.changed.wait_for(lambda: len(state.failures) == len(many), 120)
    recorder.until(lambda: recorder.errors)
    assert len(recorder.errors) == 1


def test_a_late_failure_does_not_count_for_an_image_put_into_a_bin_again(make, pictures, monkeypatch):
    """The bin would silently do without that image."""
    entered, leave, over = threading.Event(), threading.Event(), threading.Event()
    fail = Worker._fail

    def count(*arguments):
        fail(*arguments)
        over.set()

    class Moody(Convolutional):
        def forward(self, images):
            if len(images) == 2:  # a probe of what the encoder is made of
                return super().forward(images)
            if not leave.is_set():
                entered.set()
                leave.wait(120)
            if not over.is_set():
                raise RuntimeError("moody")
            return super().forward(images)

    monkeypatch.setattr(Worker, "_fail", count)
    engine, _, encoder = make(Moody())
    assert entered.wait(120)
    engine.ask(question(corpus=(), foil=(), explicands=()))
    engine.ask(question())
    leave.set()
    engine.wait(120)
    assert engine.left_out() == {}
    expected = direct(encoder, pictures, question(), "p0").heatmaps[0]
    np.testing.assert_allclose(engine.heatmap("p0", 120).values, expected, atol=1e-5 * abs(expected).max())


def test_an_explicand_that_failed_is_tried_again_when_it_is_put_into_a_bin(make, pictures):
    class Moody(Convolutional):
        broken = True

        def forward(self, images):
            if Moody.broken and len(images) != 2:  # two are a probe of what the encoder is made of
                raise RuntimeError("moody")
            return super().forward(images)

    engine, _, encoder = make(Moody())
    engine.ask(question(corpus=("p2",), foil=("p3",), explicands=("p0", "p2")))
    with pytest.raises(cw.EncoderError, match="moody"):
        engine.wait(120)
    Moody.broken = False
    engine.ask(question(corpus=(), foil=(), explicands=("p0", "p2")))
    engine.ask(question(corpus=("p1", "p2"), foil=("p3",), explicands=("p0", "p2")))
    found = engine.heatmap("p0", 120).values
    assert engine.left_out() == {}
    expected = direct(encoder, pictures, question(corpus=("p1", "p2"), foil=("p3",)), "p0").heatmaps[0]
    np.testing.assert_allclose(found, expected, atol=1e-5 * abs(expected).max())


class OneSize(Convolutional):
    """Takes inputs of 32 pixels only."""

    def forward(self, images):
        if images.shape[-1] != 32:
            raise ValueError("32 pixels only")
        return super().forward(images)


def test_sharp_heatmaps_are_as_sharp_as_the_encoder_allows_and_it_is_reported_once(make, pictures):
    q = question(method=cw.SharpCAM(follow_edges=False), explicands=("p0", "p4"))
    engine, recorder, encoder = make(OneSize(), q)
    engine.watch("a", View(explicands=32))
    engine.wait(120)
    recorder.until(lambda: {i for i, h in recorder.newest().items() if h.progress == 1} == {"p0", "p4"})
    (message,) = {*recorder.errors}
    assert len(recorder.errors) == 1
    assert message.startswith("Sharp CAM: ")
    assert "44 × 44 pixels" in message
    assert "32 pixels only" in message
    with pytest.warns(UserWarning, match="44 × 44 pixels"):
        expected = direct(encoder, pictures, q, "p0").heatmaps[0]
    np.testing.assert_allclose(recorder.newest()["p0"].values, expected, atol=1e-5 * abs(expected).max())
