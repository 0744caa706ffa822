"""The coefficients of an operator, against its answers and against other slices of the same passes."""

from __future__ import annotations

import pytest
import torch

from cocoa_widget.attribution import RISE, KernelSHAP, LinearMethod, Occlusion
from cocoa_widget.attribution.perturbation import PerturbationOperator
from cocoa_widget.contrast import LinearScore
from cocoa_widget.encoders import Encoded

DIMENSION = 64
METHODS = [
    RISE(n_masks=65),
    RISE(n_masks=50, p=0.4),
    KernelSHAP(superpixels=4, n_samples=60),
    Occlusion(window=16, stride=12),
]


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def prepared(
    method: LinearMethod, slices: int = 7, answers: bool = False, passes: int | None = None, dimension: int = DIMENSION
) -> PerturbationOperator:
    """Return an operator after some or all passes, with representations that differ little, as those of masks do."""
    operator = method.start(randn(3, 40, 56), torch.zeros(3, 40, 56))
    assert isinstance(operator, PerturbationOperator)
    if answers:
        operator.keep_answers()
    stop = operator.total if passes is None else min(passes, operator.total)
    vectors = 3 * randn(dimension, seed=1) + randn(operator.total, dimension, seed=2)
    while operator.done < stop:
        count = len(operator.inputs(min(slices, stop - operator.done)))
        operator.accept(Encoded(vectors[operator.done : operator.done + count], None))
    return operator


@pytest.mark.parametrize("method", METHODS, ids=str)
@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_slices_of_any_size_give_the_same_coefficients(method: LinearMethod, similarity: str) -> None:
    first, *others = (prepared(method, slices).coefficients_for(similarity) for slices in (1, 7, 64))
    assert first is not None
    assert first.abs().max() > 0
    for other in others:
        assert other is not None
        assert torch.equal(first, other)


@pytest.mark.parametrize("method", METHODS, ids=str)
@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize("passes", [None, 13])
def test_coefficients_give_the_heatmap_of_the_answers(
    method: LinearMethod, similarity: str, passes: int | None
) -> None:
    operator = prepared(method, answers=True, passes=passes)
    score = LinearScore(randn(5, DIMENSION, seed=3), similarity)
    assert operator._answers is not None
    for found, expected in zip(operator.apply(score), operator._answers.heatmaps(score, None), strict=True):
        assert (found - expected).abs().max() <= 1e-4 * expected.abs().max()


def test_half_a_pair_waits_for_the_other_half() -> None:
    method = RISE(n_masks=65)
    before, half, whole, last = (prepared(method, passes=passes).coefficients for passes in (32, 33, 34, 64))
    assert torch.equal(before, half)
    assert not torch.equal(half, whole)
    torch.testing.assert_close(prepared(method).coefficients, last, rtol=0, atol=1e-4 * float(last.abs().max()))


def test_standard_errors_from_the_sketch_are_off_by_about_a_fifth() -> None:
    operator = prepared(RISE(n_masks=256), answers=True)
    score = LinearScore(randn(200, DIMENSION, seed=4), "cosine")
    assert operator._answers is not None
    found, exact = operator.error(score), operator._answers.errors(score, None)
    assert found is not None
    assert exact is not None
    ratios = (found / exact).flatten(1)
    torch.testing.assert_close(ratios, ratios[:, :1].expand_as(ratios))  # the noise's share is one number
    assert ratios[:, 0].square().mean().item() == pytest.approx(1, abs=0.15)
    assert ratios[:, 0].std() < 0.25


@pytest.mark.parametrize("p", [0.5, 0.4])
def test_exact_standard_errors_are_those_of_the_ridge_regression(p: float) -> None:
    """The noise is that of the maximum likelihood: o · (1 + X Xᵀ / ridge)⁻¹ · o / m for the observations o."""
    operator = prepared(RISE(n_masks=60, p=p), answers=True)
    design = operator._design
    scores = randn(1, 60, seed=5)
    o = (scores[0, 0::2] - scores[0, 1::2]) / 2 if p == 0.5 else scores[0] - scores[0].mean()
    x = design._rows[: len(o), :100]
    x = x if p == 0.5 else x - x.mean(0)
    inverse = torch.linalg.inv(torch.eye(len(o)).double() + x @ x.T / design._ridge)
    noise = o.double() @ inverse @ o.double() / len(o)
    expected = (noise * design.error_model(60).variance(design.spread, (40, 56))).sqrt()
    torch.testing.assert_close(design.errors(scores, None)[0].double(), expected.double(), rtol=1e-4, atol=0)


def test_an_operator_takes_300_kilobytes_for_each_similarity() -> None:
    operator = prepared(RISE(n_masks=1024), slices=512, dimension=1280)
    assert operator.nbytes <= 2 * 300_000
    with_answers = prepared(RISE(n_masks=1024), slices=512, dimension=1280, answers=True)
    assert with_answers.nbytes - operator.nbytes == 1024 * (2 * 1280 + 4 + 4) + 4 * 1280
    assert with_answers.without_answers().nbytes == operator.nbytes


def test_where_coefficients_outnumber_a_limit_the_answers_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    method = Occlusion(window=2, stride=1)
    many = prepared(method, slices=500, dimension=4)
    assert many.spread is None
    assert many.coefficients is None
    assert many.supports("gaussian")
    assert many.without_answers() is many
    monkeypatch.setattr("cocoa_widget.attribution.perturbation.MOST", 5000)
    other = prepared(method, slices=500, dimension=4)
    assert other.spread is not None
    score = LinearScore(randn(1, 4, seed=3), "dot")
    found, expected = many.apply(score), other.apply(score)
    assert (found - expected).abs().max() <= 1e-4 * expected.abs().max()


def test_scores_that_are_not_linear_need_the_answers() -> None:
    operator = prepared(RISE(n_masks=64))
    assert operator.supports("dot")
    assert not operator.supports("gaussian")
    with pytest.raises(RuntimeError, match="from the first pass on"):
        operator.keep_answers()
    assert prepared(RISE(n_masks=64), answers=True).supports("gaussian")
