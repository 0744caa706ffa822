"""What ends a lane is reported and kept, and the next question starts the lane again."""

from __future__ import annotations

import logging
import threading

import pytest

import cocoa_widget as cw
from cocoa_widget.live import LiveEngine, View
from cocoa_widget.live.engine import LaneEnded
from tests.conftest import Convolutional, encoder_of

from .helpers import Recorder, question


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
        engine.heatmap("p0", 120)
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

    def products(self, products):
        super().products(products)
        raise ConnectionError("the page is gone")

    def heatmaps(self, update):
        super().heatmaps(update)
        raise ConnectionError("the page is gone")

    stability = progress = error = rest = lambda self, *_: (_ for _ in ()).throw(ConnectionError("the page is gone"))


def test_a_listener_that_raises_ends_no_lane(pictures, monkeypatch, caplog):
    recorder = Deaf()
    with caplog.at_level(logging.ERROR):
        engine = LiveEngine(cw.ImageSet(pictures), encoder_of(Convolutional()), question(), recorder, 1 << 30)
        recorder.engine = engine
        engine.watch("a", View(explicands=32))
        engine.wait(120)
        for image in ("p4", "p5"):
            engine.ask(question(corpus=(image,)))
            engine.wait(120)
    assert recorder.newest()["p0"].progress == 1
    assert "What listens to the engine failed in heatmaps" in caplog.text
    engine.close()
    engine.join()


def test_threads_end_while_no_caller_waits_and_no_question_is_lost(make, monkeypatch):
    """A question that comes at the moment when the threads end is answered all the same."""
    monkeypatch.setattr("cocoa_widget.live.state.LINGER_SECONDS", 0.0005)
    engine, _, _ = make()
    engine.wait(120)
    for i in range(200):
        engine.ask(question(corpus=(f"p{1 + i % 2}",), foil=(f"p{3 + i % 3}",)))
        engine.wait(120)
    assert engine.heatmap("p0", 120).progress == 1
    assert sum(t.name in ("cocoa-painter", "cocoa-worker") for t in threading.enumerate()) <= 2


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
    assert engine.heatmap("p0", 120).progress == 1
    recorder.until(lambda: any("SystemExit" in error for error in recorder.errors))
