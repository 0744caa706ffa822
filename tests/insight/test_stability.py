"""Stability, against the direct computation."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import cocoa_widget as cw
from cocoa_widget.insight.stability import Members, resample


def randn(n, d=16, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize("m", [2, 3, 10, 40])
def test_the_bootstrap_has_the_variance_of_the_mean(similarity, m):
    """For a linear score the variance is known: that of the members, divided by their number."""
    members, own = randn(m), randn(1, seed=1)[0]
    score = resample("corpus", similarity, Members(members, None), own, resamples=4000)
    values = score(own[None])[:, 0]
    unit = similarity == "cosine"
    each = (F.normalize(members, dim=1) if unit else members) @ (F.normalize(own, dim=0) if unit else own)
    assert values.mean().item() == pytest.approx(each.mean().item(), abs=0.1 * each.std().item())
    assert values.std().item() == pytest.approx((each.var() / m).sqrt().item(), rel=0.1)


def test_foils_and_the_explicand_itself_are_resampled_too():
    corpus, foil, own = randn(5), randn(6, seed=1), randn(1, seed=2)[0]
    members = Members(corpus, foil)
    directions = resample("contrastive_label_free", "dot", members, own, resamples=3000).directions
    torch.testing.assert_close(directions.mean(0), own - foil.mean(0), atol=0.1, rtol=0)
    assert resample("label_free", "dot", members, own).directions.std(0).max() == 0


def test_gaussian_scores_are_resampled():
    corpus, foil, own = randn(5), randn(6, seed=1), randn(1, seed=2)[0]
    score = resample("contrastive_corpus", "gaussian", Members(corpus, foil), own, resamples=50)
    assert score.k == 50
    values = score(own[None])[:, 0]
    assert values.std() > 0
    assert resample("contrastive_label_free", "gaussian", Members(corpus, foil), own, 7)(own[None]).shape == (7, 1)


def test_a_bin_of_one_has_no_stability(prepared, corpus, foil):
    assert prepared.stability(corpus=corpus[:1], foil=foil) == [None] * 3
    assert prepared.stability(corpus=corpus[:1], target="label_free")[0].correlation == pytest.approx(1.0)


def test_stability_is_what_resampling_by_hand_gives(prepared, corpus, foil):
    found = prepared.stability(corpus=corpus, foil=foil, resamples=300, seed=4)[0]
    c, v = prepared.members(corpus), prepared.members(foil)
    rng = np.random.default_rng(0)
    maps, gammas = [], []
    for _ in range(300):
        some = [torch.tensor(rng.integers(0, len(bin), len(bin) - 1)) for bin in (c, v)]
        explanation = prepared.explain(corpus=c[some[0]], foil=v[some[1]])
        maps.append(explanation.heatmaps[0])
        gammas.append(explanation.scores[0])
    deviation = np.std(maps, axis=0, ddof=1)
    assert found.deviation.shape == (32, 32)
    assert np.corrcoef(found.deviation.ravel(), deviation.ravel())[0, 1] > 0.95
    assert found.deviation.mean() == pytest.approx(deviation.mean(), rel=0.15)
    low, high = np.quantile(gammas, [0.025, 0.975])
    width = high - low
    assert (found.low, found.high) == (pytest.approx(low, abs=0.2 * width), pytest.approx(high, abs=0.2 * width))


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize("target", ["contrastive_corpus", "corpus", "contrastive_label_free", "label_free"])
def test_the_deviation_of_linear_scores_is_that_of_many_resampled_bins(prepared, target, similarity):
    """In closed form: no draws, so no noise, and more members than one product takes."""
    corpus, foil = randn(5) + 1, randn(150, seed=6) - 1
    how = {"corpus": corpus, "foil": foil, "target": target, "similarity": similarity}
    own = prepared.representations[0]
    drawn = resample(target, similarity, Members(corpus, foil), own, resamples=20_000)
    expected = prepared.operators[0].apply(drawn, (8, 8)).std(0).numpy()
    found = prepared.stability(**how, resamples=2, size=(8, 8))[0].deviation
    np.testing.assert_allclose(found, expected, rtol=0.04, atol=1e-6 * abs(expected).max())


def test_the_deviation_of_gaussian_scores_is_that_of_the_resampled_bins(prepared, corpus, foil):
    members = Members(prepared.members(corpus), prepared.members(foil))
    found = prepared.stability(corpus=corpus, foil=foil, similarity="gaussian", resamples=50)[0].deviation
    drawn = resample("contrastive_corpus", "gaussian", members, prepared.representations[0], resamples=50)
    np.testing.assert_allclose(found, prepared.operators[0].apply(drawn, (32, 32)).std(0).numpy(), rtol=1e-4)


def test_more_members_are_more_stable(convolutional, inputs):
    prepared = cw.Explainer(convolutional, cw.RISE(n_masks=64)).prepare(inputs[:1])
    few, many = (prepared.stability(corpus=randn(m, seed=5) + 0.3)[0] for m in (3, 300))
    assert many.correlation > few.correlation
    assert many.high - many.low < few.high - few.low
    assert many.correlation > 0.95


def test_the_seed_decides(prepared, corpus, foil):
    bins = {"corpus": corpus, "foil": foil}
    a, b, c = (prepared.stability(**bins, seed=s)[0] for s in (0, 0, 1))
    assert (a.low, a.high, a.correlation) == (b.low, b.high, b.correlation)
    assert (a.low, a.high, a.correlation) != (c.low, c.high, c.correlation)


def test_methods_without_operators_know_the_scores_interval(convolutional, inputs, corpus, foil):
    found = cw.Explainer(convolutional, "saliency").prepare(inputs).stability(corpus=corpus, foil=foil)[0]
    assert found.low < found.high
    assert found.deviation is None
    assert found.correlation is None
