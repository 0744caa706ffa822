"""Operators within a budget of memory."""

from __future__ import annotations

import pytest

import cocoa_widget as cw
from cocoa_widget.live import View
from cocoa_widget.live.operators import PREVIEW, OperatorStore

from .helpers import RISE, question

RECIPE = RISE, cw.Blur()


@pytest.fixture
def operators(inputs):
    return [RISE.start(inputs[0], inputs[1]) for _ in range(3)]


def test_the_least_recently_used_go_first_and_what_is_pinned_stays(operators):
    each = operators[0].nbytes
    store = OperatorStore(2 * each)
    for image, operator in zip("abc", operators, strict=True):
        store.put(image, RECIPE, operator)
    store.get("a", RECIPE)  # which counts as use
    store.peek("b", RECIPE)  # which does not
    assert store.nbytes == 3 * each
    assert store.trim(())
    assert [store.peek(image, RECIPE) is not None for image in "abc"] == [True, False, True]
    store.put("b", RECIPE, operators[1])
    assert not store.trim([(image, RECIPE) for image in "abc"])
    assert store.nbytes == 3 * each


def test_a_closed_store_keeps_nothing(operators):
    store = OperatorStore(1 << 30)
    store.put("a", RECIPE, operators[0])
    store.close()
    store.put("b", RECIPE, operators[1])
    assert store.nbytes == 0


def test_an_operator_is_presentable_after_its_first_passes(operators):
    store = OperatorStore(1 << 30)
    store.put("a", RECIPE, operators[0])
    assert store.presentable("a", RECIPE) is None
    operators[0].done = 64
    assert store.presentable("a", RECIPE) is operators[0]
    assert store.presentable("z", RECIPE) is None


def test_cam_has_no_use_for_a_baseline(operators):
    store = OperatorStore(1 << 30)
    store.put("a", PREVIEW, operators[0])
    assert store.peek("a", (cw.CAM(), cw.Blur())) is operators[0]
    assert store.peek("a", RECIPE) is None


def test_a_full_budget_is_reported(make):
    engine, recorder, _ = make(first=question(explicands=("p0", "p4", "p5")), budget=60_000)
    engine.watch("a", View(explicands=32))
    with pytest.raises(RuntimeError, match="No memory left.*memory_budget"):
        engine.wait(120)
    assert recorder.statuses[-1].memory <= 60_000
    assert recorder.newest()["p0"].progress == 1


def test_the_budget_drops_what_was_used_least(make):
    engine, recorder, _ = make(budget=60_000)
    engine.watch("a", View(explicands=32))
    for image in ("p0", "p4", "p5", "p6", "p7", "p0"):
        engine.ask(question(explicands=(image,), corpus=("p1",), foil=("p2",)))
        engine.wait(120)
        assert recorder.statuses[-1].memory <= 60_000
    assert recorder.newest()["p0"].progress == 1


def test_a_large_corpus_and_a_small_budget_come_to_an_end(make, pictures):
    q = question(corpus=tuple(f"p{i}" for i in range(1, 9)), foil=("p9",), method=cw.RISE(n_masks=64))
    engine, recorder, _ = make(first=q, budget=40_000)
    engine.watch("a", View(explicands=32))
    engine.wait(120)
    assert recorder.newest()["p0"].progress == 1
