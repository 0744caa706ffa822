"""The bins of a widget are one value, which page and code replace as a whole."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import traitlets

import cocoa_widget as cw
from tests.wire import BINS, Wire


def test_the_page_moves_tiles(make_widget):
    """As a drag does, both bins in one message."""
    widget = make_widget(**BINS)
    seen = []
    widget.observe(lambda change: seen.append((change["name"], change["new"])), ["corpus", "foil"])
    widget.set_state({"corpus": ["p1"], "foil": ["p3", "p2"]})
    assert sorted(seen) == [("corpus", ["p1"]), ("foil", ["p3", "p2"])]


def test_a_refused_change_of_the_page_is_reported_and_taken_back(make_widget):
    widget = make_widget(**BINS)
    wire = Wire(widget)
    widget.set_state({"corpus": ["p1", "p3"]})
    assert widget.corpus == ["p1", "p2"]
    message, _ = wire.wait(lambda m: m["kind"] == "error")
    assert "cannot be in both corpus and foil" in message["message"]
    assert wire.states[-1] == ["corpus"]


def test_move(make_widget):
    widget = make_widget(**BINS)
    widget.move("p1", "foil")
    assert (widget.corpus, widget.foil) == (["p2"], ["p3", "p1"])
    widget.move(["p2", "p5"], "explicands")
    assert (widget.corpus, widget.explicands) == (["p2"], ["p0", "p2", "p5"])
    widget.move(["p2", "p3"], "gallery")
    assert (widget.corpus, widget.foil, widget.explicands) == ([], ["p1"], ["p0", "p5"])
    with pytest.raises(ValueError, match="no bin 'corpse'"):
        widget.move("p1", "corpse")
    with pytest.raises(cw.UnknownImage):
        widget.move("q", "corpus")


def test_undo_and_redo_of_every_change(make_widget):
    widget = make_widget(**BINS)
    wire = Wire(widget)
    widget.corpus = ["p4"]
    widget.set_state({"corpus": [], "foil": ["p3", "p4"]})
    message, _ = wire.wait(lambda m: m["kind"] == "history" and m["undo"] == "Add p4 to foil")
    assert message["redo"] is None
    wire.ask("undo")
    assert (widget.corpus, widget.foil) == (["p4"], ["p3"])
    widget.undo()
    assert widget.corpus == ["p1", "p2"]
    widget.undo()  # nothing left: nothing happens
    wire.ask("redo")
    widget.redo()
    assert (widget.corpus, widget.foil) == ([], ["p3", "p4"])


def test_no_snapshot_shows_an_image_in_corpus_and_foil(make_widget):
    """One thread moves an image to and fro, as the page does; no other thread ever finds it in both, or in neither."""
    widget = make_widget(**BINS)
    torn, done = [], threading.Event()

    def look():
        while not done.is_set():
            bins = widget.bins
            if ("p1" in bins.corpus) == ("p1" in bins.foil):
                torn.append(bins)

    watcher = threading.Thread(target=look)
    watcher.start()
    for _ in range(150):
        widget.set_state({"corpus": ["p2"], "foil": ["p3", "p1"]})
        widget.move("p1", "corpus")
    done.set()
    watcher.join()
    assert not torn


def test_observers_run_after_all_bins_have_changed(make_widget):
    widget = make_widget(**BINS)
    seen = []
    widget.observe(lambda change: seen.append((change.name, widget.bins)), list(cw.sessions.BINS))
    widget.set_state({"corpus": ["p2"], "foil": ["p3", "p1"]})
    assert seen == [(name, cw.Bins(("p2",), ("p3", "p1"), ("p0",))) for name in ("corpus", "foil")]


def test_bins_exchange_their_members_as_one_change(make_widget):
    widget = make_widget(**BINS)
    wire = Wire(widget)
    with widget.hold_trait_notifications():
        widget.corpus = ["p3"]
        widget.foil = ["p1", "p2"]
        assert widget.corpus == ["p3"]  # what this thread has set
        assert widget.bins.corpus == ("p1", "p2")  # what other threads see until the end
    assert widget.bins == cw.Bins(("p3",), ("p1", "p2"), ("p0",))
    assert wire.states == [["corpus", "foil"]]
    widget.undo()
    assert widget.bins == cw.Bins(("p1", "p2"), ("p3",), ("p0",))


def test_a_refused_block_of_changes_changes_nothing(make_widget):
    widget = make_widget(**BINS)
    before = widget.bins

    def change(foil, error=None):
        with widget.hold_trait_notifications():
            widget.target = "corpus"
            widget.foil = foil
            if error is not None:
                raise error

    for foil, error in ((["p1"], None), (["p4"], traitlets.TraitError("both corpus and foil"))):
        with pytest.raises(traitlets.TraitError, match="both corpus and foil"):
            change(foil, error)
        assert (widget.bins, widget.target) == (before, "contrastive_corpus")
        assert widget._live._state.question == widget._question()
    with pytest.raises(KeyError):
        change(["p4"], KeyError("mine"))  # no refusal: as with all traits, what was set by then stays
    assert (widget.foil, widget.target) == (["p4"], "corpus")
    assert widget._live._state.question == widget._question()


def test_moves_in_a_block_of_changes_belong_to_it(make_widget):
    widget = make_widget(**BINS)
    with widget.hold_trait_notifications():
        widget.corpus = ["p3"]
        widget.foil = []
        widget.move("p4", "corpus")
        widget.move("p3", "foil")
    assert widget.bins == cw.Bins(("p4",), ("p3",), ("p0",))


def test_a_large_bin_moves_at_once(make_widget):
    """8,000 members beside 8,000, which takes sets and not lists."""
    picture = np.zeros((4, 4, 3), dtype=np.uint8)
    many = {f"i{i}": picture for i in range(16_000)}
    widget = make_widget(images=many, corpus=[f"i{i}" for i in range(8_000)])
    begun = time.perf_counter()
    widget.foil = [f"i{i}" for i in range(8_000, 16_000)]
    widget.move([f"i{i}" for i in range(0, 16_000, 2)], "corpus")
    assert time.perf_counter() - begun < 5  # 1.6 s when each member was looked for in a list; a bound against hanging
    assert (len(widget.corpus), len(widget.foil)) == (12_000, 4_000)
