"""Kinds of traits: bins as lists that can be edited, methods and baselines by name."""

from __future__ import annotations

import copy

import pytest
import torch
import traitlets

import cocoa_widget as cw
from tests.wire import BINS, Wire


def test_edits_of_the_lists_are_edits_of_the_bins(make_widget):
    widget = make_widget(**BINS)
    wire = Wire(widget)
    corpus = widget.corpus
    corpus.append("p4")
    assert widget.corpus == corpus == ["p1", "p2", "p4"]
    assert wire.states == [["_applied", "_steps", "corpus"]]
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


def test_a_wrong_edit_of_a_list_is_refused_and_changes_nothing(make_widget):
    widget = make_widget(**BINS)
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


def test_a_list_that_was_taken_earlier_edits_what_the_bin_holds_now(make_widget):
    widget = make_widget(**BINS)
    earlier = widget.corpus
    widget.corpus = ["p5"]
    assert earlier == ["p1", "p2"]
    earlier.append("p6")
    assert widget.corpus == earlier == ["p5", "p6"]


def test_methods_by_name_keep_their_settings(make_widget):
    mine = cw.RISE(n_masks=64, seed=7)
    widget = make_widget(method=mine)
    assert widget.get_state("method")["method"] == "rise"
    widget.set_state({"method": "cam"})
    assert widget.method == cw.CAM()
    widget.set_state({"method": "rise"})
    assert widget.method is mine


def test_a_method_that_cannot_be_a_key_is_refused(make_widget):
    from dataclasses import dataclass

    @dataclass
    class Loose(cw.DirectMethod):
        settings: list
        name, label, hint = "loose", "Loose", "Not frozen"

        def explain(self, score, explicand, baseline):
            return explicand.sum(0)

    with pytest.raises(traitlets.TraitError, match="frozen dataclass"):
        make_widget(method=Loose([1]))


def test_a_baseline_that_cannot_be_a_key_is_wrapped(make_widget):
    class Dark:
        __hash__ = None

        def __call__(self, explicands):
            return torch.zeros_like(explicands)

    widget = make_widget(baseline=Dark(), **BINS)
    assert widget.heatmap("p0", 120).shape == (32, 32)
