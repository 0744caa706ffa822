"""The widget without a page: traits, messages, validation and life."""

from __future__ import annotations

import copy
import gc
import itertools
import sys
import threading
import time
import warnings
import weakref

import numpy as np
import pytest
import traitlets

import cocoa_widget as cw
from tests.conftest import Convolutional, encoder_of
from tests.joint import joint
from tests.wire import BINS, Wire


@pytest.fixture
def make(make_widget):
    return make_widget


def test_heatmaps_for_scripts(make, pictures):
    widget = make(**BINS)
    widget.wait(120)
    expected = cw.Explainer(widget.encoder, widget.method).explain(
        pictures["p0"], corpus=[pictures["p1"], pictures["p2"]], foil=[pictures["p3"]]
    )
    found = widget.heatmap("p0")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected.heatmaps[0], atol=1e-5 * abs(found).max())
    assert widget.heatmap("p9").shape == (32, 32)  # need not be an explicand
    assert widget.explicands == ["p0"]


def test_setting_a_trait_fires_observe_and_changes_the_heatmap(make):
    widget = make(**BINS)
    before = widget.heatmap("p0")
    seen = []
    widget.observe(lambda change: seen.append(change["new"]), "corpus")
    widget.corpus = ["p4"]
    assert seen == [["p4"]]
    assert not np.allclose(widget.heatmap("p0"), before)


def test_the_page_moves_tiles(make):
    """What a drag does: both bins in one message."""
    widget = make(**BINS)
    seen = []
    widget.observe(lambda change: seen.append((change["name"], change["new"])), ["corpus", "foil"])
    widget.set_state({"corpus": ["p1"], "foil": ["p3", "p2"]})
    assert sorted(seen) == [("corpus", ["p1"]), ("foil", ["p3", "p2"])]


def test_what_the_page_may_not_do_is_said_and_taken_back(make):
    widget = make(**BINS)
    wire = Wire(widget)
    widget.set_state({"corpus": ["p1", "p3"]})
    assert widget.corpus == ["p1", "p2"]
    message, _ = wire.wait(lambda m: m["kind"] == "error")
    assert "cannot be in both corpus and foil" in message["message"]
    assert wire.states[-1] == ["corpus"]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("corpus", ["p1", "q1"], r"corpus: .*'q1'"),
        ("foil", ["p2"], r"p2 cannot be in both corpus and foil.*widget.move"),
        ("explicands", ["P0"], r"'P0'.*p0"),
        ("method", "rice", r"Unknown method 'rice': choose one of rise, cam, patch_tokens"),
        ("method", 3, r"name or a cocoa_widget method, not int"),
        ("target", "nearest", r"Unknown target 'nearest'.*label_free"),
        ("similarity", "euclid", r"Unknown similarity 'euclid'.*cosine, dot"),
        ("scale", "log", r"log"),
        ("opacity", 3.0, r"opacity"),
        ("opacity", float("nan"), r"opacity must be a number from 0 to 1, not nan"),
    ],
)
def test_bad_values_change_nothing(make, name, value, says):
    widget = make(**BINS)
    before = {key: getattr(widget, key) for key in (*BINS, "method", "target", "similarity", "scale", "opacity")}
    with pytest.raises(traitlets.TraitError, match=says):
        setattr(widget, name, value)
    assert {key: getattr(widget, key) for key in before} == before
    with pytest.raises(traitlets.TraitError, match=says):
        make(**{**BINS, name: value})


def test_bad_constructions(make, pictures, tmp_path):
    with pytest.raises(traitlets.TraitError, match="both corpus and foil"):
        make(corpus=["p1"], foil=["p1"])
    with pytest.raises(TypeError, match=r"no argument 'explicand'. Did you mean explicands"):
        make(explicand=["p1"])
    with pytest.raises(TypeError, match=r"no argument 'zzz'. It takes corpus"):
        make(zzz=1)
    with pytest.raises(cw.EmptySource, match=str(tmp_path)):
        make(images=tmp_path)
    with pytest.raises(cw.EmptySource):
        make(images=[])
    with pytest.raises(TypeError, match="Encoder, a torch.nn.Module or a name, not int"):
        cw.CocoaWidget(pictures, 3)


def test_one_image_is_enough(make, pictures):
    widget = make(images=[pictures["p0"]])
    (only,) = widget.images.ids
    widget.explicands = [only]
    widget.target = "label_free"
    assert np.isfinite(widget.heatmap(only)).all()


def test_nothing_to_explain(make):
    widget = make(explicands=["p0"])
    widget.wait(120)
    with pytest.raises(cw.NothingToExplain, match="put images into the corpus"):
        widget.heatmap("p0")
    with pytest.raises(cw.UnknownImage, match="p00"):
        widget.heatmap("p00")


def test_methods_by_name_keep_their_settings(make):
    mine = cw.RISE(n_masks=64, seed=7)
    widget = make(method=mine)
    assert widget.get_state("method")["method"] == "rise"
    widget.set_state({"method": "cam"})
    assert widget.method == cw.CAM()
    widget.set_state({"method": "rise"})
    assert widget.method is mine


def test_move(make):
    widget = make(**BINS)
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


def test_undo_and_redo_of_every_change(make):
    widget = make(**BINS)
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


def test_hello(make):
    widget = make(**BINS)
    wire = Wire(widget)
    catalogue, _ = wire.reply(wire.ask("hello"))
    assert catalogue["images"] == widget.images.ids
    assert catalogue["encoder"] == {
        "name": "Convolutional",
        "device": "cpu",
        "precision": "float32",
        "input": [32, 32],
    }
    assert [m["name"] for m in catalogue["methods"]] == list(cw.METHODS)
    assert [t["name"] for t in catalogue["targets"]] == list(cw.TARGETS)


def test_thumbnails_come_as_buffers_with_their_frame(make, pictures):
    widget = make()
    wire = Wire(widget)
    request = wire.ask("thumbnails", images=["p0", "p1"], size=24)
    wire.reply(request)
    parts = [(m, b) for m, b in wire.messages if m.get("id") == request]
    items = {item["image"]: (item, buffer) for m, b in parts for item, buffer in zip(m["items"], b, strict=True)}
    assert set(items) == {"p0", "p1"}
    item, buffer = items["p0"]
    assert (item["width"], item["height"]) == (48, 40)
    assert item["frame"] == pytest.approx(widget.encoder.frame(48, 40))
    assert item["type"].startswith("image/")
    assert len(buffer) > 50


def test_heatmaps_come_as_float16_relative_to_their_peak(make):
    widget = make(**BINS)
    wire = Wire(widget)
    wire.ask("watch", explicands=32, gallery=0, visible=[])
    widget.wait(120)
    message, buffers = next((m, b) for m, b in reversed(wire.messages) if m["kind"] == "heatmaps" and m["items"])
    (item,) = message["items"]
    values = np.frombuffer(buffers[0], "<f2").reshape(item["shape"]).astype(np.float32) * item["peak"]
    expected = widget.heatmap("p0")
    np.testing.assert_allclose(values, expected, atol=1e-3 * item["peak"])
    assert item["peak"] == pytest.approx(float(abs(expected).max()))
    assert (item["progress"], item["preview"], item["method"]) == (1, False, "rise")
    assert len(buffers[0]) == 32 * 32 * 2


def test_one_unknown_image_keeps_no_other_from_being_answered(make):
    widget = make()
    wire = Wire(widget)
    message, buffers = wire.reply(wire.ask("thumbnails", images=["p0", "nope", "p1"], size=24))
    items = {item["image"]: (item, buffer) for item, buffer in zip(message["items"], buffers, strict=True)}
    assert "nope" in items["nope"][0]["error"]
    assert len(items["p0"][1]) > 50 < len(items["p1"][1])
    message, _ = wire.reply(wire.ask("watch", explicands=0, gallery=0, visible=["p3", "nope"]))
    assert (message["kind"], "nope" in message["message"]) == ("error", True)
    assert widget._engine._state.visible() == ["p3"]


WATCH = {"id": "1", "kind": "watch", "view": "a", "explicands": 32, "gallery": 0, "visible": []}


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ({**WATCH, "id": [1]}, "'id' must be a string"),
        ({**WATCH, "id": None}, "'id' must be a string"),
        ({**WATCH, "id": "x" * 300}, "'id' must be a string of 1 to 256"),
        ({"kind": "thumbnails", "view": "a", "images": ["p0"], "size": 24}, "'id' must be a string"),
        ({**WATCH, "view": {}}, "'view' must be a string"),
        ({**WATCH, "explicands": "x"}, "'explicands' of 'watch' has the wrong type"),
        ({**WATCH, "explicands": True}, "'explicands' of 'watch' has the wrong type"),
        ({**WATCH, "visible": "p0"}, "'visible' of 'watch' has the wrong type"),
        ({**WATCH, "visible": [["p0"]]}, "'visible' of 'watch' has the wrong type"),
        ({"id": "1", "kind": "thumbnails", "view": "a", "images": ["p0"], "size": None}, "'size'"),
        ({"id": "1", "kind": "thumbnails", "view": "a", "size": 24}, "'thumbnails' needs 'images'"),
        ({"id": "1", "kind": "influence", "view": "a", "image": 0}, "'image'"),
        ({"id": "1", "kind": "add_texts", "view": "a", "bin": "explicands", "texts": ["x"], "list": None}, "'bin'"),
        ({"id": "1", "kind": "add_texts", "view": "a", "bin": "foil", "texts": [5], "list": None}, "'texts'"),
        ({"id": "1", "kind": "search", "view": "a", "text": {}}, "'text'"),
        ({"id": "1", "kind": "cancel", "view": "a", "cancels": []}, "'cancels'"),
    ],
)
def test_malformed_messages_are_reported_and_end_nothing(make, message, says):
    widget = make(**BINS)
    wire = Wire(widget)
    wire.receive(message)
    error, _ = wire.wait(lambda m: m["kind"] == "error")
    assert says in error["message"]
    assert error.get("id") == (message.get("id") if message.get("id") == "1" else None)
    # Thumbnails, the engine and the handler work on.
    assert wire.reply(wire.ask("thumbnails", images=["p0"], size=24))[0]["items"][0]["image"] == "p0"
    wire.ask("watch", explicands=32, gallery=0, visible=["p0"])
    assert widget.heatmap("p0", 120).shape == (32, 32)


@pytest.mark.parametrize(
    "content", ["nonsense", 5, None, [], {}, {"kind": []}, {"kind": "anywidget-command", "id": "1"}]
)
def test_messages_of_others_are_ignored(make, content):
    wire = Wire(make())
    wire.receive(content)
    wire.reply(wire.ask("thumbnails", images=["p0"], size=24))
    assert not [m for m, _ in wire.messages if m["kind"] == "error"]


def test_cancels_of_unknown_requests_are_not_kept(make):
    widget = make()
    wire = Wire(widget)
    for i in range(50):
        wire.ask("cancel", cancels=f"never-{i}")
    wire.reply(wire.ask("thumbnails", images=["p0"], size=24))
    wire.reply(wire.ask("hello"))
    assert wait_until(lambda: not widget._page._pending)


def test_a_request_that_is_sent_again_is_answered_once_at_a_time(make):
    widget = make()
    wire, gate, calls = Wire(widget), threading.Event(), []
    thumbnails = widget.images.thumbnails

    def slowly(ids, size):
        calls.append(ids)
        gate.wait(120)
        yield from thumbnails(ids, size)

    widget.images.thumbnails = slowly
    message = {"id": "a-1", "kind": "thumbnails", "view": "a", "images": ["p0"], "size": 24}
    for _ in range(5):
        wire.receive(message)
    gate.set()
    wire.reply("a-1")
    assert wait_until(lambda: not widget._page._pending)
    assert calls == [["p0"]]
    wire.receive(message)  # the answer was lost
    assert wait_until(lambda: sum(m.get("id") == "a-1" for m, _ in wire.messages) == 2)


def wait_until(predicate, seconds=120):
    """Poll what has no event of its own."""
    end = time.monotonic() + seconds
    while not predicate() and time.monotonic() < end:
        time.sleep(0.01)
    return predicate()


@pytest.fixture
def own_threads():
    """Return the project's threads that did not exist before the test."""
    before = {*threading.enumerate()}
    return lambda: [t.name for t in threading.enumerate() if t.name.startswith("cocoa-") and t not in before]


def test_a_widget_that_nobody_looks_at_has_no_threads_and_wakes_when_it_is_needed(make, monkeypatch, own_threads):
    monkeypatch.setattr("cocoa_widget.live.state.LINGER_SECONDS", 0.05)
    widget = make(**BINS)
    wire = Wire(widget)
    wire.ask("watch", explicands=32, gallery=0, visible=["p5"])
    wire.reply(wire.ask("thumbnails", images=["p0"], size=24))
    widget.wait(120)
    assert own_threads()
    wire.ask("leave")
    assert wait_until(lambda: not own_threads())
    widget.corpus = ["p4"]
    assert not own_threads()
    assert widget.heatmap("p0", 120).shape == (32, 32)
    count = len(wire.messages)
    wire.ask("watch", explicands=32, gallery=0, visible=["p5"])
    wire.wait(lambda m: m["kind"] == "heatmaps" and m["items"])
    assert wait_until(lambda: any(m["kind"] == "heatmaps" and m["items"] for m, _ in wire.messages[count:]))
    wire.reply(wire.ask("thumbnails", images=["p1"], size=24))


def test_silent_views_expire(make, monkeypatch, own_threads):
    monkeypatch.setattr("cocoa_widget.live.state.LINGER_SECONDS", 0.05)
    monkeypatch.setattr("cocoa_widget.live.state.VIEW_SECONDS", 0.2)
    widget = make(**BINS)
    wire = Wire(widget)
    wire.ask("watch", explicands=32, gallery=0, visible=["p5"])
    widget.wait(120)
    assert wait_until(lambda: not own_threads())
    assert not widget._engine._state.views


def test_a_cancelled_request_goes_unanswered(make):
    widget = make()
    wire = Wire(widget)
    gate = threading.Event()
    thumbnails = widget.images.thumbnails

    def slowly(ids, size):
        gate.wait(120)
        yield from thumbnails(ids, size)

    widget.images.thumbnails = slowly
    first = wire.ask("thumbnails", images=["p0"], size=24)
    second = wire.ask("thumbnails", images=["p1"], size=24)
    wire.ask("cancel", cancels=first)
    gate.set()
    wire.reply(second)
    assert not any(m.get("id") == first for m, _ in wire.messages)


class Broken(Convolutional):
    def forward(self, images):
        raise RuntimeError("no weights today")


def test_an_encoder_that_raises_is_said_on_the_page_and_in_the_cell(make):
    widget = make(encoder=encoder_of(Broken()), **BINS)
    wire = Wire(widget)
    wire.ask("watch", explicands=32, gallery=0, visible=[])
    with pytest.raises(cw.EncoderError, match="'Broken' raised RuntimeError.*no weights today"):
        widget.wait(120)
    message, _ = wire.wait(lambda m: m["kind"] == "error")
    assert "no weights today" in message["message"]
    assert widget.corpus == ["p1", "p2"]
    assert wire.reply(wire.ask("hello"))[0]["kind"] == "catalogue"


def test_the_handler_does_not_wait_for_the_encoder(make):
    class Slow(Convolutional):
        def forward(self, images):
            time.sleep(0.5)
            return super().forward(images)

    widget = make(encoder=encoder_of(Slow()), **BINS)
    wire = Wire(widget)
    wire.ask("hello")
    begun = time.monotonic()
    wire.ask("watch", explicands=32, gallery=16, visible=["p5"])
    widget.set_state({"corpus": ["p4"]})
    wire.ask("undo")
    wire.ask("thumbnails", images=["p0"], size=24)
    assert time.monotonic() - begun < 0.4


def test_close_frees_everything(pictures):
    widget = cw.CocoaWidget(pictures, encoder_of(Convolutional()), method=cw.RISE(n_masks=64), **BINS)
    widget.wait(120)
    engine, kept = weakref.ref(widget._engine), weakref.ref(widget)
    lanes = widget._engine
    widget.close()
    with pytest.raises(RuntimeError, match="closed"):
        widget.heatmap("p0")
    widget.close()
    lanes.join()
    del widget, lanes
    gc.collect()
    assert engine() is None
    assert kept() is None
    assert not [t for t in threading.enumerate() if t.name.startswith("cocoa-p")]


def test_close_does_not_wait_for_a_pass(pictures):
    entered, leave = threading.Event(), threading.Event()

    class Stuck(Convolutional):
        def forward(self, images):
            entered.set()
            leave.wait(120)
            return super().forward(images)

    widget = cw.CocoaWidget(pictures, encoder_of(Stuck()), **BINS)
    engine = widget._engine
    assert entered.wait(120)
    widget.close()
    assert not leave.is_set()  # and yet we are here
    leave.set()
    engine.join()
    assert not engine._state.store.nbytes


def test_a_missing_page_says_how_to_build_it(make, monkeypatch, tmp_path):
    from cocoa_widget import widget as module

    monkeypatch.setattr(module, "STATIC", tmp_path)
    module._static.cache_clear()
    with pytest.raises(RuntimeError, match=r"npm ci && npm run build"):
        make()
    module._static.cache_clear()


# ---- bins as one value ---------------------------------------------------------------------------------------------


def test_no_snapshot_shows_an_image_in_corpus_and_foil(make):
    """One thread moves an image to and fro, as the page does; no other thread ever finds it in both, or in neither."""
    widget = make(**BINS)
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


def test_observers_run_after_all_bins_have_changed(make):
    widget = make(**BINS)
    seen = []
    widget.observe(lambda change: seen.append((change.name, widget.bins)), list(cw.sessions.BINS))
    widget.set_state({"corpus": ["p2"], "foil": ["p3", "p1"]})
    assert seen == [(name, cw.Bins(("p2",), ("p3", "p1"), ("p0",))) for name in ("corpus", "foil")]


def test_bins_exchange_their_members_as_one_change(make):
    widget = make(**BINS)
    wire = Wire(widget)
    with widget.hold_trait_notifications():
        widget.corpus = ["p3"]
        widget.foil = ["p1", "p2"]
        assert widget.corpus == ["p3"]  # what this thread has set
        assert widget.bins.corpus == ("p1", "p2")  # what everybody sees until the end
    assert widget.bins == cw.Bins(("p3",), ("p1", "p2"), ("p0",))
    assert wire.states == [["corpus", "foil"]]
    widget.undo()
    assert widget.bins == cw.Bins(("p1", "p2"), ("p3",), ("p0",))


def test_a_refused_block_of_changes_changes_nothing(make):
    widget = make(**BINS)
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


def test_edits_of_the_lists_are_edits_of_the_bins(make):
    widget = make(**BINS)
    wire = Wire(widget)
    corpus = widget.corpus
    corpus.append("p4")
    assert widget.corpus == corpus == ["p1", "p2", "p4"]
    assert wire.states == [["corpus"]]
    widget.corpus += ["p5"]
    widget.corpus.remove("p1")
    del widget.corpus[0]
    widget.corpus.insert(0, "p6")
    assert widget.corpus.pop() == "p5"
    assert widget.bins.corpus == ("p6", "p4")
    widget.corpus[1] = "p7"
    widget.corpus.sort(reverse=True)
    assert widget.bins.corpus == ("p7", "p6")
    widget.corpus.clear()
    assert widget.bins.corpus == ()
    for _ in range(9):
        widget.undo()
    assert widget.bins.corpus == ("p1", "p2")
    assert widget._live._state.question.corpus == ("p1", "p2")


def test_a_wrong_edit_of_a_list_is_refused_and_changes_nothing(make):
    widget = make(**BINS)
    with pytest.raises(traitlets.TraitError, match=r"p3 cannot be in both.*widget.move\(\['p3'\], 'corpus'\)"):
        widget.corpus.append("p3")
    with pytest.raises(traitlets.TraitError, match="q9"):
        widget.explicands += ["q9"]
    with pytest.raises(traitlets.TraitError, match="5 is not one"):
        widget.corpus.append(5)
    with pytest.raises(traitlets.TraitError, match="must be a list of ids, not 'p4'"):
        widget.corpus = "p4"
    assert widget.bins == cw.Bins(("p1", "p2"), ("p3",), ("p0",))
    assert copy.deepcopy(widget.corpus) == ["p1", "p2"]


def test_a_list_that_was_taken_earlier_edits_what_the_bin_holds_now(make):
    widget = make(**BINS)
    earlier = widget.corpus
    widget.corpus = ["p5"]
    assert earlier == ["p1", "p2"]
    earlier.append("p6")
    assert widget.corpus == earlier == ["p5", "p6"]


def test_an_observer_may_change_the_bins(make):
    """Its own change is notified after the one that it was called for, so that the last value seen is the newest."""
    widget = make(**BINS)
    seen = []

    def follow(change):
        if "p1" in change.new:
            widget.foil = ["p9"]

    widget.observe(follow, "foil")
    widget.observe(lambda change: seen.append(change.new), "foil")
    widget.move("p1", "foil")
    assert seen == [["p3", "p1"], ["p9"]]
    assert widget.foil == ["p9"]


def test_an_observer_that_works_for_long_keeps_nobody_from_reading(make):
    widget = make(**BINS)
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


def test_an_observer_that_raises_leaves_traits_and_engine_the_same(make):
    widget = make(**BINS)
    wire, seen = Wire(widget), []

    def fail(change):
        raise RuntimeError("mine")

    widget.observe(fail, "corpus")
    widget.observe(lambda change: seen.append(change.new), "foil")
    with pytest.raises(RuntimeError, match="mine"):
        widget.move("p1", "foil")
    assert seen == [["p3", "p1"]]
    assert widget._live._state.question.foil == widget.bins.foil == ("p3", "p1")
    assert wire.states == [["corpus", "foil"]]


def test_a_page_that_cannot_be_reached_stops_no_change(make, caplog):
    widget = make(**BINS)
    wire = Wire(widget)
    wire.fail = ConnectionError("gone")
    widget.corpus = ["p4"]
    widget.method = "cam"
    widget.set_state({"foil": ["p5"]})
    assert widget.bins == cw.Bins(("p4",), ("p5",), ("p0",))
    assert widget._live._state.question.corpus == ("p4",)
    assert widget.heatmap("p0", 120).shape == (32, 32)
    assert "gone" in caplog.text


def test_the_page_sets_only_what_it_may(make):
    widget = make(**BINS)
    wire = Wire(widget)
    code = widget._esm
    for state in ({"_esm": "alert(1)"}, {"_css": ""}, {"layout": None}, {"tooltip": "x"}, {"corpus": [], "_esm": ""}):
        widget.set_state(state)
        message, _ = wire.wait(lambda m, state=state: m["kind"] == "error" and repr([*state][-1]) in m["message"])
        assert message["message"].startswith("The page cannot set")
    assert widget._esm == code
    assert widget.bins.corpus == ("p1", "p2")
    for state in ({"corpus": 5}, {"corpus": [[1]]}, {"foil": "p5"}, {"opacity": "x"}, {"method": []}, {"height": None}):
        before = len(wire.messages)
        widget.set_state(state)
        assert any(m["kind"] == "error" for m, _ in wire.messages[before:])
    assert widget.bins == cw.Bins(("p1", "p2"), ("p3",), ("p0",))


def test_a_large_bin_moves_at_once(make):
    """8,000 members beside 8,000: membership is asked of sets."""
    picture = np.zeros((4, 4, 3), dtype=np.uint8)
    many = {f"i{i}": picture for i in range(16_000)}
    widget = make(images=many, corpus=[f"i{i}" for i in range(8_000)])
    begun = time.perf_counter()
    widget.foil = [f"i{i}" for i in range(8_000, 16_000)]
    widget.move([f"i{i}" for i in range(0, 16_000, 2)], "corpus")
    assert time.perf_counter() - begun < 5  # 1.6 s when each member was looked for in a list; a bound against hanging
    assert (len(widget.corpus), len(widget.foil)) == (12_000, 4_000)


# ---- observers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["method", "colormap"])
def test_an_observer_of_a_setting_may_change_the_bins(make, name):
    """Also when the page has set it, which holds notifications back."""
    widget = make(**BINS)
    widget.observe(lambda change: widget.move("p5", "corpus"), name)
    widget.set_state({name: {"method": "cam", "colormap": "red-blue"}[name]})
    assert widget.bins.corpus == ("p1", "p2", "p5")
    assert widget._live._state.question == widget._question()


def test_moves_in_a_block_of_changes_belong_to_it(make):
    widget = make(**BINS)
    with widget.hold_trait_notifications():
        widget.corpus = ["p3"]
        widget.foil = []
        widget.move("p4", "corpus")
        widget.move("p3", "foil")
    assert widget.bins == cw.Bins(("p4",), ("p3",), ("p0",))


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


def test_an_observer_that_fails_by_the_page_is_reported_with_its_kind(make):
    widget = make(**BINS)
    wire = Wire(widget)

    def fail(change):
        raise AssertionError

    widget.observe(fail, "corpus")
    wire.set(corpus=["p4"])
    message, _ = wire.wait(lambda m: m["kind"] == "error")
    assert message["message"].startswith("AssertionError")
    assert widget.bins.corpus == ("p4",)


def test_a_thread_that_cannot_be_started_is_started_later(make, monkeypatch):
    monkeypatch.setattr("cocoa_widget.live.state.LINGER_SECONDS", 0.01)
    widget = make(**BINS)
    widget.wait(120)
    engine = widget._live
    assert wait_until(lambda: all(lane._thread is None for lane in engine._state.lanes))
    start = threading.Thread.start

    def full(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", full)
    with pytest.raises(RuntimeError, match="can't start"):
        widget.corpus = ["p4"]
    monkeypatch.setattr(threading.Thread, "start", start)
    widget.corpus = ["p5"]
    assert widget.heatmap("p0", 120).shape == (32, 32)


@pytest.fixture
def eager():
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def test_two_linked_widgets_that_two_threads_change_do_not_wait_for_each_other(make, eager):
    first, second = make(**BINS), make(**BINS)
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


def test_observers_may_wait_for_other_threads(make):
    """One that reads, and one that changes the same widget."""
    widget, seen = make(**BINS), []

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


def test_observers_are_called_in_the_order_of_the_changes(make, eager):
    widget, seen = make(**BINS), []
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


def test_observers_that_answer_each_other_for_ever_are_stopped(make):
    widget = make(**BINS)
    other = {"p4": ["p5"], "p5": ["p4"]}
    widget.observe(lambda change: setattr(widget, "corpus", other[change.new[0]]), "corpus")
    with pytest.raises(RecursionError, match="change 'corpus' again and again"):
        widget.corpus = ["p4"]
    assert widget._live._state.question.corpus == widget.bins.corpus
    widget.unobserve_all("corpus")
    widget.corpus = ["p6"]
    assert widget.heatmap("p0", 120).shape == (32, 32)


def test_a_refused_block_takes_back_its_own_changes_only(make):
    """Another thread's setting waits for the block's end, and stays."""
    widget = make(**BINS)
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


def test_what_the_page_gets_is_of_one_moment(make, eager):
    widget, sent = make(**BINS), []
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


def test_close_beside_changes(pictures, eager):
    for _ in range(20):
        widget = cw.CocoaWidget(pictures, encoder_of(Convolutional()), method=cw.RISE(n_masks=16), **BINS)
        failed = []

        def change(widget=widget, failed=failed):
            try:
                for i in range(50):
                    widget.corpus = [f"p{4 + i % 4}"]
                    widget.method = ("rise", "cam")[i % 2]
            except Exception as error:
                failed.append(error)

        thread = threading.Thread(target=change)
        thread.start()
        widget.close()
        thread.join(120)
        assert not failed


def test_subclasses_check_bins_and_have_traits_of_their_own(pictures):
    class Mine(cw.CocoaWidget):
        note = traitlets.Unicode().tag(sync=True)

        @traitlets.validate("corpus")
        def at_most_two(self, proposal):
            if len(proposal["value"]) > 2:
                raise traitlets.TraitError("at most two")
            return proposal["value"]

    widget = Mine(pictures, encoder_of(Convolutional()), note="hello", **BINS)
    assert widget.note == "hello"
    with pytest.raises(traitlets.TraitError, match="at most two"):
        widget.corpus.append("p5")
    assert widget.bins.corpus == ("p1", "p2")
    widget.set_state({"note": "from the page"})
    assert widget.note == "from the page"
    with pytest.raises(TypeError, match="no argument 'nota'. Did you mean note"):
        Mine(pictures, encoder_of(Convolutional()), nota="x")
    widget.close()


def test_warnings_that_are_errors_keep_no_observer_from_a_change(make):
    """A prompt that is cut warns, after all has been done."""
    widget = make(encoder=joint(), **BINS)
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


def test_a_heatmap_that_does_without_a_member_says_so(make, pictures, tmp_path):
    for name, picture in pictures.items():
        picture.save(tmp_path / f"{name}.png")
    widget = make(images=tmp_path, corpus=["p1.png", "p2.png"], foil=["p3.png"])
    (tmp_path / "p2.png").write_bytes(b"")
    widget.images._keys.clear()
    with pytest.warns(UserWarning, match=r"The heatmap does without p2\.png: image 'p2\.png' cannot be read"):
        widget.heatmap("p0.png", 120)
