"""Questions about one explicand, under the present question and the present weights."""

from __future__ import annotations

import pytest
import torch

import cocoa_widget as cw

from .helpers import question


def test_shares_of_the_members_sum_to_the_score(make):
    engine, _, _ = make(first=question(corpus=("p1", "p2"), foil=("p3",)))
    engine.wait(120)
    found = engine.inspector.influence("p0")
    (corpus, shares), (foil, against) = found.corpus, found.foil
    assert (corpus, foil) == (["p1", "p2"], ["p3"])
    assert shares.shares.sum() + against.shares.sum() == pytest.approx(found.score, abs=1e-5)
    assert shares.changes.shape == (2,)


def test_a_bin_that_the_target_does_not_use_has_no_members(make):
    engine, _, _ = make(first=question(target="corpus"))
    engine.wait(120)
    found = engine.inspector.influence("p0")
    assert found.corpus[0] == ["p1", "p2"]
    assert found.foil == ([], None)


def test_methods_without_an_operator_change_no_heatmap(make):
    engine, _, _ = make(first=question(method=cw.IntegratedGradients(steps=2)))
    engine.wait(120)
    assert engine.inspector.influence("p0").corpus[1].changes is None


def test_influence_on_an_image_without_a_representation_is_an_error(make):
    engine, _, _ = make(first=question(corpus=(), foil=(), explicands=()))
    with pytest.raises(ValueError, match="p9 is not explained yet"):
        engine.inspector.influence("p9")


def test_curves_are_drawn_to_their_end_or_given_up(make):
    engine, _, _ = make()
    engine.wait(120)
    heatmap, seen = torch.from_numpy(engine.heatmap("p0").values), []
    found = engine.inspector.curves("p0", heatmap, lambda done, total: seen.append((done, total)) or True)
    assert found.insertion.shape == found.deletion.shape
    assert seen[0][0] == 0
    assert all(total == seen[0][1] for _, total in seen)
    assert engine.inspector.curves("p0", heatmap, lambda done, total: done == 0) is None
