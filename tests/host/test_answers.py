"""Influence, curves and search, as the page asks for them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import cocoa_widget as cw
from tests.conftest import headless
from tests.joint import joint
from tests.wire import Wire


def test_influence(shown):
    widget, wire = shown()
    reply, _ = wire.reply(wire.ask("influence", image="p0"))
    prepared, bins = headless(widget)
    corpus, foil = prepared.influence(**bins)[0]
    shares = dict(zip([*widget.corpus, *widget.foil], [*corpus.shares, *foil.shares], strict=True))
    assert {m["image"]: m["bin"] for m in reply["members"]} == {
        "p1": "corpus",
        "p2": "corpus",
        "p3": "foil",
        "p4": "foil",
    }
    for member in reply["members"]:
        assert member["share"] == pytest.approx(shares[member["image"]], rel=1e-4, abs=1e-6)
        assert member["change"] > 0
        assert member["outlier"] is False
    assert sum(m["share"] for m in reply["members"]) == pytest.approx(reply["score"], rel=1e-4, abs=1e-6)
    sizes = [abs(m["share"]) for m in reply["members"]]
    assert sizes == sorted(sizes, reverse=True)


def test_influence_without_an_operator(shown):
    _, wire = shown(method=cw.IntegratedGradients(steps=4))
    reply, _ = wire.reply(wire.ask("influence", image="p0"))
    assert all(member["change"] is None for member in reply["members"])


@pytest.mark.parametrize(("similarity", "says"), [("gaussian", "choose the cosine")])
def test_influence_that_cannot_be_computed_is_reported(shown, similarity, says):
    _, wire = shown(similarity=similarity)
    reply, _ = wire.reply(wire.ask("influence", image="p0"))
    assert reply["kind"] == "error"
    assert says in reply["message"]


def last(wire, request):
    return wire.wait(lambda m: m.get("id") == request and (m["kind"] == "error" or m["curves"]))[0]


def test_curves(shown):
    widget, wire = shown()
    widget.encoder.classifier = torch.nn.Linear(16, 4)
    request = wire.ask("curves", image="p0")
    reply = last(wire, request)
    assert [c["measure"] for c in reply["curves"]] == [
        "contrastive_corpus_similarity",
        "corpus_similarity",
        "corpus_majority_probability",
        "explicand_similarity",
    ]
    assert len(reply["fractions"]) == 51
    for curve in reply["curves"]:
        assert len(curve["insertion"]) == len(curve["deletion"]) == 51
        assert curve["insertion"][0] == pytest.approx(curve["deletion"][-1], abs=1e-5)
        assert curve["insertion"][-1] == pytest.approx(curve["deletion"][0], abs=1e-5)
    before = [m for m, _ in wire.messages if m.get("id") == request and not m["curves"]]
    assert before
    assert {m["total"] for m in before} == {100}
    assert [m["done"] for m in before] == sorted(m["done"] for m in before)
    prepared, bins = headless(widget)
    gamma = prepared.explain(**bins).scores[0]
    assert reply["curves"][0]["insertion"][-1] == pytest.approx(gamma, abs=1e-4)


def test_curves_can_be_cancelled(shown):
    _, wire = shown()
    request = wire.ask("curves", image="p0")
    wire.ask("cancel", cancels=request)
    again = wire.ask("curves", image="p0")
    last(wire, again)
    assert not any(m.get("id") == request and m.get("curves") for m, _ in wire.messages)


def test_curves_of_nothing_are_refused(shown):
    _, wire = shown(corpus=[], foil=[], explicands=[])
    reply = last(wire, wire.ask("curves", image="p0"))
    assert reply["kind"] == "error"
    assert "p0" in reply["message"]


def test_search_ranks_by_similarity(make_widget, pictures):
    encoder = joint()
    widget = make_widget(encoder=encoder, explicands=list(pictures))
    wire = Wire(widget)
    vectors = encoder.encode(pictures)
    reply, _ = wire.reply(wire.ask("search", text="a dog"))
    cosines = F.cosine_similarity(vectors, encoder.encode_text("a dog"))
    order = cosines.argsort(descending=True).tolist()
    assert reply["images"] == [list(pictures)[i] for i in order]
    np.testing.assert_allclose(reply["scores"], cosines[order], atol=1e-6)
    assert reply["compared"] == reply["total"] == len(pictures)
    reply, _ = wire.reply(wire.ask("search", text=" "))
    assert "empty" in reply["message"]
