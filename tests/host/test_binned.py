"""The bins of a widget are one value, which page and code replace as a whole."""

from __future__ import annotations

import re
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
    steps = wire.state["_steps"]
    assert [step["label"] for step in steps["undo"]] == ["Add p4 to corpus", "Add p4 to foil"]
    assert steps["redo"] == []
    wire.step("undo")
    assert (widget.corpus, widget.foil) == (["p4"], ["p3"])
    widget.undo()
    assert widget.corpus == ["p1", "p2"]
    widget.undo()  # nothing left: nothing happens
    wire.step("redo")
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
    assert wire.states == [["_applied", "_steps", "corpus", "foil"]]
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


def test_an_operation_is_acknowledged_together_with_the_bins(make_widget):
    widget = make_widget(**BINS)
    wire = Wire(widget)
    wire.operate("move", ids=["p1"], origin="corpus", to="foil")
    assert widget.bins == cw.Bins(("p2",), ("p3", "p1"), ("p0",))
    assert wire.states == [["_applied", "_steps", "corpus", "foil"]]
    assert wire.state["_applied"] == {"a": 1}
    (step,) = wire.state["_steps"]["undo"]
    assert step == {
        "id": "a-1",
        "label": "Add p1 to foil",
        "edits": {"corpus": {"removed": [[0, "p1"]], "added": []}, "foil": {"removed": [], "added": [[1, "p1"]]}},
    }
    wire.operate("swap", view="b")
    wire.operate("undo", step="b-1")
    assert widget.bins == cw.Bins(("p2",), ("p3", "p1"), ("p0",))
    assert wire.state["_applied"] == {"b": 1, "a": 2}
    assert [step["id"] for step in wire.state["_steps"]["redo"]] == ["b-1"]


def test_an_operation_that_changes_nothing_is_acknowledged_too(make_widget):
    widget = make_widget(**BINS)
    wire = Wire(widget)
    wire.operate("move", ids=["p1"], origin="gallery", to="corpus")
    assert wire.state == {
        "corpus": ["p1", "p2"],
        "foil": ["p3"],
        "explicands": ["p0"],
        "_applied": {"a": 1},
        "_steps": {"undo": [], "redo": []},
    }


@pytest.mark.parametrize(
    ("operation", "says"),
    [
        ({"kind": "move", "ids": ["p1", "q"], "origin": "gallery", "to": "foil"}, "foil: .*'q'"),
        ({"kind": "set", "corpus": ["p1"], "foil": ["p1"], "explicands": []}, "both corpus and foil"),
        ({"kind": "move", "ids": ["text:a dog"], "origin": "gallery", "to": "corpus"}, "corpus: .*text"),
        ({"kind": "undo", "step": "b-7"}, "Nothing was undone: code or another view has changed the bins since"),
        ({"kind": "redo", "step": "b-7"}, "Nothing was redone"),
    ],
)
def test_a_refused_operation_is_acknowledged_and_its_view_learns_why(make_widget, operation, says):
    widget = make_widget(**BINS)
    wire = Wire(widget)
    before = widget.bins
    request = wire.operate(**operation)
    assert widget.bins == before
    message, _ = wire.reply(request)
    assert message["kind"] == "error"
    assert re.search(says, message["message"])
    assert wire.state["_applied"] == {"a": 1}
    assert wire.state["corpus"] == ["p1", "p2"]


def test_operations_are_applied_once_and_in_order(make_widget):
    """One that comes again, or after one that was lost, changes nothing; the page sends the lost ones again."""
    widget = make_widget(**BINS)
    wire = Wire(widget)

    def move(image, number):
        wire.operate("move", number=number, ids=[image], origin="gallery", to="corpus")
        return widget.corpus[2:], wire.state["_applied"].get("a")

    assert move("p4", 1) == (["p4"], 1)
    widget.move("p4", "gallery")
    assert move("p4", 1) == ([], 1)
    assert move("p6", 3) == ([], 1)
    assert move("p5", 2) == (["p5"], 2)
    assert move("p6", 3) == (["p5", "p6"], 3)


def test_a_view_that_has_lost_changes_asks_for_the_bins(make_widget):
    widget = make_widget(**BINS)
    wire = Wire(widget)
    wire.fail = ConnectionError("gone")
    wire.operate("swap")
    wire.fail = None
    wire.ask("bins")
    assert (wire.state["corpus"], wire.state["foil"], wire.state["_applied"]) == (["p3"], ["p1", "p2"], {"a": 1})


def test_the_views_that_are_counted_are_bounded(make_widget, monkeypatch):
    monkeypatch.setattr("cocoa_widget.host.binned.MOST_VIEWS", 2)
    widget = make_widget(**BINS)
    wire = Wire(widget)
    for view in ("a", "b", "a", "c"):
        wire.operate("swap", view=view)
    assert wire.state["_applied"] == {"a": 2, "c": 1}


def test_an_observer_that_raises_is_reported_and_its_operation_is_done(make_widget, caplog):
    widget = make_widget(**BINS)
    wire = Wire(widget)
    widget.observe(lambda change: 1 / 0, "foil")
    message, _ = wire.reply(wire.operate("move", ids=["p5"], origin="gallery", to="foil"))
    assert message["message"] == "ZeroDivisionError: division by zero"
    assert (widget.foil, wire.state["_applied"]) == (["p3", "p5"], {"a": 1})


def test_changes_that_are_held_back_reach_the_page_with_their_history(make_widget):
    widget = make_widget(**BINS)
    wire = Wire(widget)
    with widget.hold_sync():
        widget.corpus = ["p4"]
        widget.foil = []
        assert wire.states == []
    assert wire.states == [["_applied", "_steps", "corpus", "foil"]]


def test_an_operation_on_a_large_bin_is_fast(make_widget):
    picture = np.zeros((4, 4, 3), dtype=np.uint8)
    many = [f"i{i}" for i in range(10_000)]
    widget = make_widget(images=dict.fromkeys([*many, "one"], picture), corpus=many)
    wire = Wire(widget)
    begun = time.perf_counter()
    wire.operate("move", ids=many, origin="corpus", to="foil")
    wire.operate("move", ids=["one"], origin="gallery", to="corpus")
    wire.step("undo")
    wire.step("undo")
    assert time.perf_counter() - begun < 5  # 0.2 s; a bound against looking for each member in a list
    assert widget.corpus == many
    assert wire.state["_steps"]["redo"][0]["edits"] is None  # too long for the page, which then waits for the kernel
