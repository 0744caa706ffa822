"""The widget without a page: traits, wiring and life."""

from __future__ import annotations

import gc
import threading
import weakref

import numpy as np
import pytest
import torch
import traitlets

import cocoa_widget as cw
from tests.conftest import Convolutional, encoder_of
from tests.wire import BINS, Wire, wait_until


def test_heatmaps_for_scripts(make_widget, pictures):
    widget = make_widget(**BINS)
    widget.wait(120)
    expected = cw.Explainer(widget.encoder, widget.method).explain(
        pictures["p0"], corpus=[pictures["p1"], pictures["p2"]], foil=[pictures["p3"]]
    )
    found = widget.heatmap("p0")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected.heatmaps[0], atol=1e-5 * abs(found).max())
    assert widget.heatmap("p9").shape == (32, 32)  # need not be an explicand
    assert widget.explicands == ["p0"]


def test_setting_a_trait_fires_observe_and_changes_the_heatmap(make_widget):
    widget = make_widget(**BINS)
    before = widget.heatmap("p0")
    seen = []
    widget.observe(lambda change: seen.append(change["new"]), "corpus")
    widget.corpus = ["p4"]
    assert seen == [["p4"]]
    assert not np.allclose(widget.heatmap("p0"), before)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("corpus", ["p1", "q1"], r"corpus: .*'q1'"),
        ("foil", ["p2"], r"p2 cannot be in both corpus and foil.*widget.move"),
        ("explicands", ["P0"], r"'P0'.*p0"),
        ("method", "rice", r"Unknown method 'rice': choose one of sharp, rise, cam, patch_tokens"),
        ("method", 3, r"name or a cocoa_widget method, not int"),
        ("target", "nearest", r"Unknown target 'nearest'.*label_free"),
        ("similarity", "euclid", r"Unknown similarity 'euclid'.*cosine, dot"),
        ("scale", "log", r"log"),
        ("look", "glow", r"look.*'tint'.*'contours'.*'spotlight'"),
        ("spotlight", 1.5, r"spotlight must be a number from 0 to 1, not 1.5"),
        ("opacity", 3.0, r"opacity"),
        ("opacity", float("nan"), r"opacity must be a number from 0 to 1, not nan"),
    ],
)
def test_bad_values_change_nothing(make_widget, name, value, says):
    widget = make_widget(**BINS)
    before = {
        key: getattr(widget, key)
        for key in (*BINS, "method", "target", "similarity", "scale", "look", "spotlight", "opacity")
    }
    with pytest.raises(traitlets.TraitError, match=says):
        setattr(widget, name, value)
    assert {key: getattr(widget, key) for key in before} == before
    with pytest.raises(traitlets.TraitError, match=says):
        make_widget(**{**BINS, name: value})


def test_the_default_method_is_the_one_that_finds_objects_best(pictures, convolutional, linear):
    broken = encoder_of(torch.nn.Conv2d(4, 8, 3))  # takes no pictures
    for encoder, method in [(convolutional, cw.SharpCAM()), (linear, cw.RISE()), (broken, cw.RISE())]:
        widget = cw.CocoaWidget(pictures, encoder)
        assert widget.method == method
        widget.close()


def test_bad_constructions(make_widget, pictures, tmp_path):
    with pytest.raises(traitlets.TraitError, match="both corpus and foil"):
        make_widget(corpus=["p1"], foil=["p1"])
    with pytest.raises(TypeError, match=r"no argument 'explicand'. Did you mean explicands"):
        make_widget(explicand=["p1"])
    with pytest.raises(TypeError, match=r"no argument 'zzz'. It takes corpus"):
        make_widget(zzz=1)
    with pytest.raises(cw.EmptySource, match=str(tmp_path)):
        make_widget(images=tmp_path)
    with pytest.raises(cw.EmptySource):
        make_widget(images=[])
    with pytest.raises(TypeError, match="Encoder, a torch.nn.Module or a name, not int"):
        cw.CocoaWidget(pictures, 3)


def test_one_image_is_enough(make_widget, pictures):
    widget = make_widget(images=[pictures["p0"]])
    (only,) = widget.images.ids
    widget.explicands = [only]
    widget.target = "label_free"
    assert np.isfinite(widget.heatmap(only)).all()


def test_nothing_to_explain(make_widget):
    widget = make_widget(explicands=["p0"])
    widget.wait(120)
    with pytest.raises(cw.NothingToExplain, match="put images into the corpus"):
        widget.heatmap("p0")
    with pytest.raises(cw.UnknownImage, match="p00"):
        widget.heatmap("p00")


def test_a_heatmap_that_does_without_a_member_says_so(make_widget, pictures, tmp_path):
    for name, picture in pictures.items():
        picture.save(tmp_path / f"{name}.png")
    widget = make_widget(images=tmp_path, corpus=["p1.png", "p2.png"], foil=["p3.png"])
    (tmp_path / "p2.png").write_bytes(b"")
    widget.images._keys.clear()
    with pytest.warns(UserWarning, match=r"The heatmap does without p2\.png: image 'p2\.png' cannot be read"):
        widget.heatmap("p0.png", 120)


def test_the_page_sets_only_what_it_may(make_widget):
    widget = make_widget(**BINS)
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


class Broken(Convolutional):
    def forward(self, images):
        raise RuntimeError("no weights today")


def test_an_encoder_that_raises_is_reported_on_the_page_and_in_the_cell(make_widget):
    widget = make_widget(encoder=encoder_of(Broken()), **BINS)
    wire = Wire(widget)
    wire.ask("watch", explicands=32, gallery=0, visible=[])
    with pytest.raises(cw.EncoderError, match="'Broken' raised RuntimeError.*no weights today"):
        widget.wait(120)
    message, _ = wire.wait(lambda m: m["kind"] == "error")
    assert "no weights today" in message["message"]
    assert widget.corpus == ["p1", "p2"]
    assert wire.reply(wire.ask("hello"))[0]["kind"] == "catalogue"


def test_a_thread_that_cannot_be_started_is_started_later(make_widget, monkeypatch):
    monkeypatch.setattr("cocoa_widget.live.state.LINGER_SECONDS", 0.01)
    widget = make_widget(**BINS)
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

    widget = cw.CocoaWidget(pictures, encoder_of(Stuck()), method="rise", **BINS)
    engine = widget._engine
    assert entered.wait(120)
    widget.close()
    assert not leave.is_set()  # and yet we are here
    leave.set()
    engine.join()
    assert not engine._state.store.nbytes


def test_close_while_another_thread_changes_bins(pictures, eager):
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
