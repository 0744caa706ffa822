"""Operators within a budget of memory."""

from __future__ import annotations

import pytest

import cocoa_widget as cw
from cocoa_widget.live import View

from .helpers import question


def test_a_full_budget_is_said(make):
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
