"""Changes of a widget's traits from several threads, and the order in which observers are called."""

from __future__ import annotations

import itertools
import threading
import time
import warnings

import pytest
import traitlets

import cocoa_widget as cw
from tests.conftest import Convolutional, encoder_of
from tests.joint import joint
from tests.wire import BINS, Wire, wait_until


def test_an_observer_may_change_the_bins(make_widget):
    """Its own change is notified after the one that it was called for, so that the last value seen is the newest."""
    widget = make_widget(**BINS)
    seen = []

    def follow(change):
        if "p1" in change.new:
            widget.foil = ["p9"]

    widget.observe(follow, "foil")
    widget.observe(lambda change: seen.append(change.new), "foil")
    widget.move("p1", "foil")
    assert seen == [["p3", "p1"], ["p9"]]
    assert widget.foil == ["p9"]


def test_an_observer_that_works_for_long_blocks_no_reader(make_widget):
    widget = make_widget(**BINS)
    entered, leave = threading.Event(), threading.Event()

    def work(change):
        entered.set()
        leave.wait(120)

    widget.observe(work, "corpus")
    mover = threading.Thread(target=widget.move, args=("p4", "corpus"))
    mover.start()
    assert entered.wait(120)
    assert widget.corpus == ["p1", "p2", "p4"]
    assert widget.bins.foil == ("p3",)
    assert widget.heatmap("p0", 120).shape == (32, 32)
    leave.set()
    mover.join(120)


def test_an_observer_that_raises_leaves_traits_and_engine_the_same(make_widget):
    widget = make_widget(**BINS)
    wire, seen = Wire(widget), []

    def fail(change):
        raise RuntimeError("mine")

    widget.observe(fail, "corpus")
    widget.observe(lambda change: seen.append(change.new), "foil")
    with pytest.raises(RuntimeError, match="mine"):
        widget.move("p1", "foil")
    assert seen == [["p3", "p1"]]
    assert widget._live._state.question.foil == widget.bins.foil == ("p3", "p1")
    assert wire.states == [["_applied", "_steps", "corpus", "foil"]]


def test_a_page_that_cannot_be_reached_stops_no_change(make_widget, caplog):
    widget = make_widget(**BINS)
    wire = Wire(widget)
    wire.fail = ConnectionError("gone")
    widget.corpus = ["p4"]
    widget.method = "cam"
    widget.set_state({"foil": ["p5"]})
    assert widget.bins == cw.Bins(("p4",), ("p5",), ("p0",))
    assert widget._live._state.question.corpus == ("p4",)
    assert widget.heatmap("p0", 120).shape == (32, 32)
    assert "gone" in caplog.text


@pytest.mark.parametrize("name", ["method", "colormap"])
def test_an_observer_of_a_setting_may_change_the_bins(make_widget, name):
    """Also when the page has set it, which holds notifications back."""
    widget = make_widget(**BINS)
    widget.observe(lambda change: widget.move("p5", "corpus"), name)
    widget.set_state({name: {"method": "cam", "colormap": "red-blue"}[name]})
    assert widget.bins.corpus == ("p1", "p2", "p5")
    assert widget._live._state.question == widget._question()


def test_the_engine_follows_settings_whatever_observers_do(pictures):
    class Strict(cw.CocoaWidget):
        @traitlets.observe("method")
        def refuse(self, change):
            if change.old is not None:  # after the constructor
                raise RuntimeError("mine")

    widget = Strict(pictures, encoder_of(Convolutional()), **BINS)
    with pytest.raises(RuntimeError, match="mine"):
        widget.method = "cam"
    assert widget._live._state.question.method == cw.CAM()
    widget.unobserve_all()
    widget.target = "corpus"
    assert widget._live._state.question.target == "corpus"
    widget.close()


def test_an_observer_that_fails_by_the_page_is_reported_with_its_kind(make_widget):
    widget = make_widget(**BINS)
    wire = Wire(widget)

    def fail(change):
        raise AssertionError

    widget.observe(fail, "corpus")
    wire.set(corpus=["p4"])
    message, _ = wire.wait(lambda m: m["kind"] == "error")
    assert message["message"].startswith("AssertionError")
    assert widget.bins.corpus == ("p4",)


def test_two_linked_widgets_that_two_threads_change_do_not_wait_for_each_other(make_widget, eager):
    first, second = make_widget(**BINS), make_widget(**BINS)
    traitlets.dlink((first, "corpus"), (second, "corpus"))
    traitlets.dlink((second, "explicands"), (first, "explicands"))

    def change(widget, name):
        for i in range(100):
            widget.set_state({name: [f"p{4 + i % 5}"]})

    threads = [
        threading.Thread(target=change, args=arguments, daemon=True)
        for arguments in ((first, "corpus"), (second, "explicands"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()
    assert wait_until(lambda: not (first._changes or second._changes))
    assert first.corpus == second.corpus == ["p8"]
    assert first.explicands == second.explicands == ["p8"]


def test_observers_may_wait_for_other_threads(make_widget):
    """One that reads, and one that changes the same widget."""
    widget, seen = make_widget(**BINS), []

    def work():
        seen.append(list(widget.corpus))
        widget.explicands = ["p9"]

    def wait(change):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(120)

    widget.observe(wait, ["corpus", "method"])
    widget.set_state({"corpus": ["p5"]})
    widget.set_state({"method": "cam"})
    assert seen == [["p5"], ["p5"]]


def test_observers_are_called_in_the_order_of_the_changes(make_widget, eager):
    widget, seen = make_widget(**BINS), []
    widget.observe(lambda change: seen.append((change.old, change.new)), "corpus")

    def change(image):
        for _ in range(60):
            widget.move(image, "gallery")
            widget.move(image, "corpus")

    threads = [threading.Thread(target=change, args=(image,)) for image in ("p1", "p2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert wait_until(lambda: len(seen) == 240)
    assert all(old == new for (_, new), (old, _) in itertools.pairwise(seen))
    assert seen[-1][1] == widget.corpus


def test_observers_that_answer_each_other_for_ever_are_stopped(make_widget):
    widget = make_widget(**BINS)
    other = {"p4": ["p5"], "p5": ["p4"]}
    widget.observe(lambda change: setattr(widget, "corpus", other[change.new[0]]), "corpus")
    with pytest.raises(RecursionError, match="change 'corpus' again and again"):
        widget.corpus = ["p4"]
    assert widget._live._state.question.corpus == widget.bins.corpus
    widget.unobserve_all("corpus")
    widget.corpus = ["p6"]
    assert widget.heatmap("p0", 120).shape == (32, 32)


def test_a_refused_block_takes_back_its_own_changes_only(make_widget):
    """Another thread's setting waits for the block's end, and stays."""
    widget = make_widget(**BINS)
    inside = threading.Event()

    def set_later():
        assert inside.wait(120)
        widget.method = "saliency"

    setter = threading.Thread(target=set_later)
    setter.start()

    def refused():
        with widget.hold_trait_notifications():
            widget.method = "cam"
            inside.set()
            time.sleep(0.05)  # a thread that did not wait would set the method now
            widget.corpus = ["nope"]

    with pytest.raises(traitlets.TraitError, match="nope"):
        refused()
    setter.join(120)
    assert widget.method.name == "saliency"
    assert widget._live._state.question.method == widget.method


def test_the_page_gets_all_bins_of_one_moment(make_widget, eager):
    widget, sent = make_widget(**BINS), []
    widget.comm.send = lambda data=None, metadata=None, buffers=None: sent.append(data)
    watcher = threading.Thread(target=lambda: [widget.send_state() for _ in range(100)])
    watcher.start()
    for _ in range(200):
        widget.move("p1", "foil")
        widget.move("p1", "corpus")
    watcher.join(120)
    states = [data["state"] for data in sent if data.get("method") == "update" and "corpus" in data["state"]]
    assert len(states) > 100
    assert not [s for s in states if "foil" in s and {*s["corpus"]} & {*s["foil"]}]


def test_warnings_that_are_errors_keep_no_observer_from_a_change(make_widget):
    """A prompt that is cut warns, after all has been done."""
    widget = make_widget(encoder=joint(), **BINS)
    seen = []
    widget.observe(lambda change: seen.append(change.name), ["corpus", "colormap"])

    def change():
        with widget.hold_trait_notifications():
            widget.colormap = "red-blue"
            widget.corpus = ["text:" + "a long prompt " * 9]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="is not read"):
            change()
    assert sorted(seen) == ["colormap", "corpus"]
    assert widget._live._state.question == widget._question()
