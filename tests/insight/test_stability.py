"""How sure, and which images: against the direct computation."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import cocoa_widget as cw
from cocoa_widget.insight.influence import outliers
from cocoa_widget.insight.stability import Members, resample
from tests.conftest import Convolutional, encoder_of


@pytest.fixture
def prepared(convolutional, inputs):
    return cw.Explainer(convolutional, cw.RISE(n_masks=64)).prepare(inputs)


def randn(n, d=16, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize("m", [2, 3, 10, 40])
def test_the_bootstrap_has_the_variance_of_the_mean(similarity, m):
    """For a linear score it is known: the members' variance by their number."""
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


def test_a_bin_of_one_says_nothing_about_others(prepared, corpus, foil):
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


def test_more_members_agree_more(convolutional, inputs):
    prepared = cw.Explainer(convolutional, cw.RISE(n_masks=64)).prepare(inputs[:1])
    few, many = (prepared.stability(corpus=randn(m, seed=5) + 0.3)[0] for m in (3, 300))
    assert many.correlation > few.correlation
    assert many.high - many.low < few.high - few.low
    assert many.correlation > 0.95


def test_the_seed_decides(prepared, corpus, foil):
    bins = {"corpus": corpus, "foil": foil}
    a, b, c = (prepared.stability(**bins, seed=s)[0].deviation for s in (0, 0, 1))
    np.testing.assert_array_equal(a, b)
    assert abs(a - c).max() > 0


def test_methods_without_operators_know_the_scores_interval(convolutional, inputs, corpus, foil):
    found = cw.Explainer(convolutional, "saliency").prepare(inputs).stability(corpus=corpus, foil=foil)[0]
    assert found.low < found.high
    assert found.deviation is None
    assert found.correlation is None


# ---- which images did it ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_shares_sum_to_gamma(prepared, corpus, foil, similarity):
    gammas = prepared.explain(corpus=corpus, foil=foil, similarity=similarity).scores
    for (c, v), gamma in zip(prepared.influence(corpus=corpus, foil=foil, similarity=similarity), gammas, strict=True):
        assert len(c.shares) == len(corpus)
        assert len(v.shares) == len(foil)
        assert c.shares.sum() + v.shares.sum() == pytest.approx(gamma, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("target", ["contrastive_corpus", "corpus", "contrastive_label_free"])
def test_changes_are_what_leaving_out_does(inputs, corpus, foil, target):
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


def test_the_only_member_is_everything(prepared, corpus):
    only, none = prepared.influence(corpus=corpus[:1], target="corpus")[0]
    assert none is None
    assert only.changes[0] == pytest.approx(1.0, rel=1e-4)


def test_a_stranger_in_a_bin_is_found():
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
