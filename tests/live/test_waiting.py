"""Members that are not encoded yet, and weights that change: what is sent to the page meanwhile."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

import cocoa_widget as cw
from cocoa_widget.live import View
from tests.conftest import Convolutional, encoder_of
from tests.joint import DIMENSIONS, Words

from .helpers import RISE, direct, question

TEXT = "text:a dog"
PLAIN = cw.RISE(n_masks=128, estimator="plain")  # the page cannot compute its heatmaps


class Slow(Words):
    """Reads nothing before it may."""

    def __init__(self):
        super().__init__()
        self.may_read = threading.Event()

    def encode(self, prompts):
        self.may_read.wait(120)
        return super().encode(prompts)


@pytest.fixture
def tower():
    tower = Slow()
    yield tower
    tower.may_read.set()


@pytest.mark.parametrize("method", [RISE, PLAIN, cw.CAM(follow_edges=True)], ids=["products", "plain", "edges"])
def test_heatmaps_do_without_a_text_until_it_is_read(make, pictures, tower, method):
    encoder = encoder_of(Convolutional(DIMENSIONS), text=tower)
    engine, recorder, _ = make(encoder, question(method=method))
    engine.watch("a", View(explicands=32))
    engine.wait(120)
    # Computed now: the text tower keeps the encoder busy.
    expected, next_expected = (
        direct(encoder, pictures, question(method=method, **bins), "p0").heatmaps[0]
        for bins in ({}, {"corpus": ("p4",), "foil": ()})
    )
    engine.ask(question(method=method, corpus=("p1", "p2", TEXT)))
    recorder.until(lambda: recorder.updates[-1][0] == 1)
    assert recorder.waiting == [TEXT]
    found = recorder.newest()["p0"]
    np.testing.assert_allclose(found.values, expected, rtol=0, atol=1e-5 * abs(expected).max())
    # Other changes of the bins are answered meanwhile, while code waits for the whole answer.
    engine.ask(question(method=method, corpus=("p4", TEXT), foil=()))
    recorder.until(lambda: recorder.updates[-1][0] == 2 and "p0" in recorder.newest())
    expected = next_expected
    np.testing.assert_allclose(recorder.newest()["p0"].values, expected, rtol=0, atol=1e-5 * abs(expected).max())
    with pytest.raises(TimeoutError):
        engine.heatmap("p0", 0.05)
    tower.may_read.set()
    engine.wait(120)
    recorder.until(lambda: recorder.waiting == [])
    whole = engine.heatmap("p0", 120)
    np.testing.assert_allclose(
        recorder.newest()["p0"].values, whole.values, rtol=0, atol=1e-5 * abs(whole.values).max()
    )
    assert abs(whole.values - expected).max() > 1e-2 * abs(expected).max()


def test_without_a_member_that_is_encoded_there_is_no_answer_yet(make, tower):
    engine, recorder, _ = make(encoder_of(Convolutional(DIMENSIONS), text=tower), question(method=PLAIN))
    engine.watch("a", View(explicands=32))
    engine.wait(120)
    engine.ask(question(method=PLAIN, corpus=(TEXT,), foil=()))
    recorder.until(lambda: recorder.updates[-1][0] == 1)
    assert (recorder.waiting, recorder.updates[-1][1:]) == ([TEXT], ([], None))


def test_changed_weights_are_noticed_without_a_question_and_reported_before_new_products(make, pictures, monkeypatch):
    monkeypatch.setattr("cocoa_widget.live.state.LOOK_SECONDS", 0.01)
    module = Convolutional()
    engine, recorder, encoder = make(module)
    engine.watch("a", View(explicands=32))
    engine.wait(120)
    recorder.until(lambda: recorder.page.has("p0", ("p1", "p2", "p3")))
    dropped = []
    enter = recorder.page.enter

    def noted(space):
        before = recorder.page.space
        enter(space)
        if space > before:
            dropped.append(len(recorder.products_sent))

    recorder.page.enter = noted
    sent = len(recorder.products_sent)
    with torch.no_grad():
        module.body[0].weight.mul_(-1)
    recorder.until(lambda: dropped)
    assert dropped[0] == sent, "by an update, before products of the new weights"
    assert recorder.page.images == {} or len(recorder.products_sent) > sent
    recorder.until(lambda: recorder.page.has("p0", ("p1", "p2", "p3")) and recorder.page.images["p0"]["progress"] == 1)
    expected = direct(encoder, pictures, question(), "p0").heatmaps[0]
    np.testing.assert_allclose(recorder.newest()["p0"].values, expected, rtol=0, atol=1e-5 * abs(expected).max())


def test_a_view_that_has_vanished_is_forgotten_and_frees_what_it_watched(make, monkeypatch):
    monkeypatch.setattr("cocoa_widget.live.state.LOOK_SECONDS", 0.01)
    monkeypatch.setattr("cocoa_widget.live.state.LINGER_SECONDS", 0.01)
    rested = threading.Event()
    engine, recorder, _ = make()
    recorder.rest = rested.set
    engine.watch("gone", View(explicands=32, gallery=16, visible=("p5",)))
    engine.wait(120)
    engine.watch("here", View(explicands=32))
    with engine._state.changed:
        engine._state.heard["gone"] -= 10_000  # it has sent nothing for hours
        assert engine._state.changed.wait_for(lambda: [*engine._state.views] == ["here"], 120)
        assert engine._state.in_gallery() == []
        assert not engine._state.abandoned
        engine._state.heard["here"] -= 10_000
    assert rested.wait(120), "with the last view, threads and files are given back"
    assert not engine.hear("here")
    engine.join()
