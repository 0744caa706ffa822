"""Answers kept for scores that are not linear, against the representations themselves."""

from __future__ import annotations

import pytest
import torch

from cocoa_widget.attribution import RISE
from cocoa_widget.attribution.answers import Answers
from cocoa_widget.contrast import GaussianScore, LinearScore, Score


def randn(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


SCORES = [
    LinearScore(randn(3, 40, seed=2), "cosine"),
    LinearScore(randn(3, 40, seed=2), "dot"),
    GaussianScore(randn(4, 40, seed=3), randn(5, 40, seed=4)),
]


@pytest.mark.parametrize("score", SCORES, ids=lambda score: getattr(score, "similarity", "gaussian"))
def test_scores_are_those_of_the_representations(score: Score) -> None:
    """Even where representations differ by a hundredth of their length, so that rounding them would show."""
    vectors = randn(1, 40, seed=0) + 0.01 * randn(20, 40, seed=1)
    answers = Answers(RISE(n_masks=20)._design(32, 32, torch.device("cpu")))
    for start in (0, 1, 8):
        answers.add(vectors[start : {0: 1, 1: 8, 8: 15}[start]])
    found, expected = answers.scores(score), score(vectors[:15])
    assert found.shape == expected.shape
    spread = expected.max(1).values - expected.min(1).values
    assert ((found - expected).abs().amax(1) <= 1e-4 * spread + 1e-6 * expected.abs().amax(1)).all()


def test_the_first_one_of_zeros_is_no_obstacle() -> None:
    answers = Answers(RISE(n_masks=4)._design(32, 32, torch.device("cpu")))
    answers.add(torch.zeros(4, 40))
    assert not answers.scores(SCORES[0]).any()
