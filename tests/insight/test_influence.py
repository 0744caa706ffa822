"""Influence, against the direct computation."""

import numpy as np
import pytest
import torch

import cocoa_widget as cw
from cocoa_widget.insight.influence import outliers
from tests.conftest import Convolutional, encoder_of


def randn(n, d=16, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_shares_sum_to_gamma(prepared, corpus, foil, similarity):
    gammas = prepared.explain(corpus=corpus, foil=foil, similarity=similarity).scores
    for (c, v), gamma in zip(prepared.influence(corpus=corpus, foil=foil, similarity=similarity), gammas, strict=True):
        assert len(c.shares) == len(corpus)
        assert len(v.shares) == len(foil)
        assert c.shares.sum() + v.shares.sum() == pytest.approx(gamma, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("target", ["contrastive_corpus", "corpus", "contrastive_label_free"])
def test_changes_are_those_of_leaving_a_member_out(inputs, corpus, foil, target):
    module = Convolutional()
    prepared = cw.Explainer(encoder_of(module), cw.RISE(n_masks=64)).prepare(inputs)
    bins = {"corpus": prepared.members(corpus), "foil": prepared.members(foil)}
    calls = module.calls
    found = prepared.influence(**bins, target=target)
    assert module.calls == calls
    whole = prepared.explain(**bins, target=target).heatmaps
    for name, side in (("corpus", 0), ("foil", 1)):
        for member in range(len(bins[name])):
            rest = torch.cat([bins[name][:member], bins[name][member + 1 :]])
            without = prepared.explain(**{**bins, name: rest}, target=target).heatmaps
            for i in range(3):
                part = found[i][side]
                if part is None:
                    assert (target, name) in [("corpus", "foil"), ("contrastive_label_free", "corpus")]
                    continue
                expected = np.linalg.norm(without[i] - whole[i]) / np.linalg.norm(whole[i])
                assert part.changes[member] == pytest.approx(expected, rel=0.1)


def test_without_the_only_member_nothing_is_left(prepared, corpus):
    only, none = prepared.influence(corpus=corpus[:1], target="corpus")[0]
    assert none is None
    assert only.changes[0] == pytest.approx(1.0, rel=1e-4)


def test_an_outlier_in_a_bin_is_found():
    alike = randn(1) + 0.2 * randn(12, seed=1)
    assert not outliers(alike).any()
    assert outliers(torch.cat([alike, -randn(1)])).tolist() == [False] * 12 + [True]
    assert not outliers(alike[:3]).any()
    assert not outliers(alike[:1].expand(6, -1)).any()
    assert outliers(torch.cat([alike[:1].expand(6, -1), -alike[:1]])).tolist() == [False] * 6 + [True]


def test_gaussian_scores_cannot_be_split(prepared, corpus):
    with pytest.raises(ValueError, match="choose the cosine"):
        prepared.influence(corpus=corpus, similarity="gaussian")


def test_many_members_in_chunks(convolutional, inputs):
    prepared = cw.Explainer(convolutional, cw.RISE(n_masks=64)).prepare(inputs[:1])
    members = randn(300)
    found, _ = prepared.influence(corpus=members)[0]
    assert len(found.changes) == 300
    few, _ = prepared.influence(corpus=members[:100])[0]
    assert few.changes.mean() > found.changes.mean()
