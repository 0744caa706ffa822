"""What ends a lane is reported and kept, and the next question starts the lane again."""

from __future__ import annotations

import logging
import threading

import numpy as np
import pytest
from PIL import Image

import cocoa_widget as cw
from cocoa_widget.live import View
from cocoa_widget.live.engine import LaneEnded
from cocoa_widget.live.preparer import Preparer
from tests.conftest import Convolutional
from tests.live.test_engine import Recorder, direct, make, question

__all__ = ["make"]


class Quitting(Convolutional):
    """Raises what ends a thread, once."""

    def __init__(self, error):
        super().__init__()
        self.errors, self.go = [error], threading.Event()

    def forward(self, images):
        if self.errors:
            self.go.wait(120)
            raise self.errors.pop()
        return super().forward(images)


class Interruption(BaseException):
    """No `Exception`."""


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt("stop"), Interruption("mine")], ids=repr)
def test_an_encoder_that_ends_the_thread_is_reported_and_the_next_question_starts_it_again(make, error):
    module = Quitting(error)
    engine, recorder, _ = make(module)
    engine.watch("a", View(explicands=32))
    module.go.set()
    says = f"The preparation has ended: {type(error).__name__}.*next change of the bins"
    with pytest.raises(LaneEnded, match=says) as raised:
        engine.wait(120)
    assert raised.value.__cause__ is error
    with pytest.raises(LaneEnded):  # and not only to the first who waits
        engine.picture("p0", 120)
    recorder.until(lambda: recorder.errors)
    assert recorder.errors[0].startswith("The preparation has ended")
    recorder.until(lambda: recorder.statuses and recorder.statuses[-1].label is None)
    engine.watch("later", View(explicands=32))  # a page that opens now learns of it, too
    recorder.until(lambda: len(recorder.errors) == 2)
    engine.ask(question(corpus=("p4",)))
    engine.wait(120)
    assert recorder.newest()["p0"].progress == 1


def test_an_exception_between_jobs_is_reported(make, monkeypatch):
    engine, _, encoder = make()
    engine.wait(120)

    def broken(self):
        raise OSError("the disk is gone")

    monkeypatch.setattr(type(encoder), "representations", property(broken))
    engine.watch("a", View(explicands=32))
    engine.ask(question(corpus=("p5",)))
    with pytest.raises((LaneEnded, OSError), match="the disk is gone"):
        engine.wait(120)


class Deaf(Recorder):
    """Raises whatever it receives."""

    def heatmaps(self, version, pictures, nothing):
        super().heatmaps(version, pictures, nothing)
        raise ConnectionError("the page is gone")

    reliability = progress = error = rest = lambda self, *_: (_ for _ in ()).throw(ConnectionError("the page is gone"))


def test_a_listener_that_raises_ends_no_lane(pictures, monkeypatch, caplog):
    from cocoa_widget.live import LiveEngine
    from tests.conftest import encoder_of

    recorder = Deaf()
    with caplog.at_level(logging.ERROR):
        engine = LiveEngine(cw.ImageSet(pictures), encoder_of(Convolutional()), question(), recorder, 1 << 30)
        engine.watch("a", View(explicands=32))
        engine.wait(120)
        for image in ("p4", "p5"):
            engine.ask(question(corpus=(image,)))
            engine.wait(120)
    assert recorder.newest()["p0"].progress == 1
    assert "What listens to the engine failed in heatmaps" in caplog.text
    engine.close()
    engine.join()


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


def test_threads_end_while_nobody_waits_and_no_question_is_lost(make, monkeypatch):
    """A question that comes at the moment when the threads end is answered all the same."""
    monkeypatch.setattr("cocoa_widget.live.state.LINGER_SECONDS", 0.0005)
    engine, _, _ = make()
    engine.wait(120)
    for i in range(200):
        engine.ask(question(corpus=(f"p{1 + i % 2}",), foil=(f"p{3 + i % 3}",)))
        engine.wait(120)
    assert engine.picture("p0", 120).progress == 1
    assert sum(t.name in ("cocoa-painter", "cocoa-preparer") for t in threading.enumerate()) <= 2


def test_a_pass_of_an_earlier_question_ends_nothing_of_the_next(make):
    entered, leave = threading.Event(), threading.Event()

    class Quitter(Convolutional):
        def forward(self, images):
            if not leave.is_set():
                entered.set()
                leave.wait(120)
                raise SystemExit(1)
            return super().forward(images)

    engine, recorder, _ = make(Quitter())
    assert entered.wait(120)
    engine.ask(question(corpus=("p4",)))
    leave.set()
    engine.wait(120)
    assert engine.picture("p0", 120).progress == 1
    recorder.until(lambda: any("SystemExit" in error for error in recorder.errors))


def test_a_layer_is_computed_without_the_lock(make, monkeypatch):
    """Every message of the page needs the lock."""
    engine, _, _ = make(first=question(corpus=("p1", "p2"), foil=("p3", "p4")))
    engine.wait(120)
    free = []
    pictures = engine._painter.pictures

    def take():
        with engine._state.changed:
            free.append(True)

    def look(*arguments):
        other = threading.Thread(target=take)
        other.start()
        other.join(120)
        return pictures(*arguments)

    monkeypatch.setattr(engine._painter, "pictures", look)
    assert engine.picture("p0", 120, "stability").layer == "stability"
    assert free == [True]


def test_a_try_that_fails_late_does_not_count_for_what_was_put_into_a_bin_anew(make, pictures, monkeypatch):
    """The bin would silently do without that image."""
    entered, leave, over = threading.Event(), threading.Event(), threading.Event()
    fail = Preparer._fail

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

    monkeypatch.setattr(Preparer, "_fail", count)
    engine, _, encoder = make(Moody())
    assert entered.wait(120)
    engine.ask(question(corpus=(), foil=(), explicands=()))
    engine.ask(question())
    leave.set()
    engine.wait(120)
    assert engine.left_out() == {}
    expected = direct(encoder, pictures, question(), "p0").heatmaps[0]
    np.testing.assert_allclose(engine.picture("p0", 120).values, expected, atol=1e-5 * abs(expected).max())


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
    found = engine.picture("p0", 120).values
    assert engine.left_out() == {}
    expected = direct(encoder, pictures, question(corpus=("p1", "p2"), foil=("p3",)), "p0").heatmaps[0]
    np.testing.assert_allclose(found, expected, atol=1e-5 * abs(expected).max())
