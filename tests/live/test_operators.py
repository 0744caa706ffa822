"""Operators within a budget of memory."""

from __future__ import annotations

import numpy as np
import pytest

import cocoa_widget as cw
from cocoa_widget.attribution import advance
from cocoa_widget.live import View
from cocoa_widget.live.operators import PREVIEW, OperatorStore

from .helpers import RISE, direct, question

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


@pytest.fixture
def with_answers(inputs, convolutional):
    operators = [RISE.start(inputs[0], inputs[1]) for _ in range(3)]
    for operator in operators:
        operator.keep_answers()
        while not operator.complete:
            advance(convolutional, [operator], 64)
    return operators


def test_an_operator_without_answers_is_missing_for_the_gaussian_similarity(with_answers):
    store = OperatorStore(1 << 30)
    store.put("a", RECIPE, with_answers[0].without_answers())
    store.put("b", RECIPE, with_answers[1])
    for find in (store.get, store.peek, store.presentable):
        assert find("a", RECIPE, "gaussian") is None
        assert find("a", RECIPE, "dot") is not None
        assert find("b", RECIPE, "gaussian") is with_answers[1]


def test_answers_go_first_when_memory_is_short(with_answers):
    whole, bare = with_answers[0].nbytes, with_answers[0].without_answers().nbytes
    store = OperatorStore(2 * whole + bare)
    for image, operator in zip("abc", with_answers, strict=True):
        store.put(image, RECIPE, operator)
    assert store.trim([("a", RECIPE)], "gaussian")
    assert [store.peek(image, RECIPE, "gaussian") is not None for image in "abc"] == [True, False, True]
    assert store.peek("b", RECIPE) is not None
    store.budget = 3 * bare
    assert store.trim([("a", RECIPE)], "cosine")
    assert store.nbytes == 3 * bare


def test_a_gaussian_question_prepares_again_and_the_answers_stay(make, pictures):
    engine, _, encoder = make()
    engine.watch("a", View(explicands=32))
    engine.wait(120)
    gaussian = question(similarity="gaussian")
    engine.ask(gaussian)
    found = engine.heatmap("p0", 120)
    np.testing.assert_allclose(
        found.values, direct(encoder, pictures, gaussian, "p0").heatmaps[0], atol=1e-4 * abs(found.values).max()
    )
    before = encoder.module.calls
    engine.ask(question())
    engine.wait(120)
    engine.ask(gaussian)
    engine.wait(120)
    assert encoder.module.calls == before


def test_cam_has_no_use_for_a_baseline(operators):
    store = OperatorStore(1 << 30)
    store.put("a", PREVIEW, operators[0])
    assert store.peek("a", (cw.CAM(), cw.Blur())) is operators[0]
    assert store.peek("a", RECIPE) is None


def test_a_full_budget_is_reported(make):
    engine, recorder, _ = make(first=question(explicands=("p0", "p4", "p5")), budget=64_000)
    engine.watch("a", View(explicands=32))
    with pytest.raises(RuntimeError, match="No memory left.*memory_budget"):
        engine.wait(120)
    assert recorder.statuses[-1].memory <= 64_000
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
    engine, recorder, _ = make(first=q, budget=60_000)
    engine.watch("a", View(explicands=32))
    engine.wait(120)
    assert recorder.newest()["p0"].progress == 1
