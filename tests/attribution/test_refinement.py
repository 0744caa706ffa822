"""The mean of two methods' heatmaps."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import cocoa_widget as cw
from cocoa_widget.attribution import Operator
from cocoa_widget.attribution.batches import advance
from cocoa_widget.attribution.refinement import RefinedOperator
from cocoa_widget.contrast import GaussianScore, LinearScore

WEIGHTS = torch.randn(2, 16, generator=torch.Generator().manual_seed(0))


def finished(encoder: cw.Encoder, operator: Operator) -> Operator:
    while not operator.complete:
        advance(encoder, [operator], 64)
    return operator


def parts(encoder: cw.Encoder, x: Tensor) -> tuple[Operator, Operator]:
    return cw.SharpCAM(follow_edges=False).start(x, x * 0), cw.RISE(n_masks=64).start(x, x * 0)


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_the_heatmap_is_the_mean_of_both_in_one_unit(convolutional, inputs, similarity: str) -> None:
    first, second = (finished(convolutional, each) for each in parts(convolutional, inputs[0]))
    refined = finished(convolutional, RefinedOperator(*parts(convolutional, inputs[0])))
    every = LinearScore(torch.eye(16), "cosine")
    spreads = [each.apply(every, (28, 28)) for each in (first, second)]
    a, b = (float((maps - maps.mean((1, 2), keepdim=True)).square().mean().sqrt()) for maps in spreads)
    score = LinearScore(WEIGHTS, similarity)
    expected = (first.apply(score) + second.apply(score) * a / b) / 2
    torch.testing.assert_close(refined.apply(score), expected, rtol=1e-4, atol=1e-6)
    spread, coefficients = refined.spread, refined.coefficients_for(similarity)
    assert coefficients.shape == (spread.k, 16)
    assert spread.k == first.spread.k + second.spread.k
    assert spread.full == (32, 32)
    torch.testing.assert_close(spread.maps(WEIGHTS @ coefficients.T), expected, rtol=1e-4, atol=1e-6)
    small = spread.maps(WEIGHTS @ coefficients.T, (16, 16))
    torch.testing.assert_close(refined.apply(score, (16, 16)), small, rtol=1e-4, atol=1e-6)


def test_the_first_is_shown_until_the_second_has_a_heatmap(convolutional, inputs) -> None:
    first, second = parts(convolutional, inputs[0])
    refined, score = RefinedOperator(first, second), LinearScore(WEIGHTS, "cosine")
    assert (refined.total, refined.done, refined.features) == (32 + 64, 0, "pooled")
    advance(convolutional, [refined], 1)
    assert refined.presentable
    while not first.complete:
        advance(convolutional, [refined], 64)
    assert (refined.done, second.done, refined.weight) == (32, 0, 1)
    while not second.presentable:
        torch.testing.assert_close(refined.apply(score), first.apply(score))
        torch.testing.assert_close(refined.coefficients, first.coefficients)
        early = refined.spread
        assert early.k == first.spread.k
        advance(convolutional, [refined], 16)
    assert not refined.complete
    assert float((refined.apply(score) - first.apply(score)).abs().max()) > 0
    assert finished(convolutional, refined).done == 96
    late = early.maps(WEIGHTS @ refined.coefficients.T)
    torch.testing.assert_close(late, refined.apply(score), rtol=1e-4, atol=1e-6)  # a spread that was taken earlier
    assert refined.nbytes == first.nbytes + second.nbytes


def test_a_refined_sharp_heatmap_follows_edges_and_takes_a_baseline(convolutional, inputs, corpus) -> None:
    found = [
        cw.Explainer(convolutional, cw.SharpCAM(masks=64), baseline=baseline).explain(inputs, corpus=corpus).heatmaps
        for baseline in ("blur", "constant")
    ]
    plain = cw.Explainer(convolutional, "sharp").explain(inputs, corpus=corpus).heatmaps
    assert abs(found[0] - found[1]).max() > 1e-3 * abs(found[0]).max()
    assert abs(found[0] - plain).max() > 1e-3 * abs(plain).max()


def test_it_is_stored_and_gives_up_answers(convolutional, inputs, corpus) -> None:
    first, second = parts(convolutional, inputs[0])
    refined = RefinedOperator(first, second)
    assert not refined.supports("gaussian")
    refined.keep_answers()
    assert refined.supports("gaussian")
    while not first.complete:
        advance(convolutional, [refined], 64)
    assert refined.stored() is None
    finished(convolutional, refined)
    gaussian = GaussianScore(convolutional.encode(corpus), None)
    assert torch.isfinite(refined.apply(gaussian)).all()
    smaller, stored = refined.without_answers(), refined.stored()
    assert smaller.nbytes < refined.nbytes
    assert not smaller.supports("gaussian")
    assert smaller.without_answers() is smaller
    score = LinearScore(WEIGHTS, "cosine")
    assert len(stored.coefficients) == refined.spread.k
    for other in (smaller, stored):
        torch.testing.assert_close(other.apply(score), refined.apply(score), rtol=1e-4, atol=1e-7)
    torch.testing.assert_close(refined.values(score), WEIGHTS @ refined.coefficients.T, rtol=1e-4, atol=1e-7)
