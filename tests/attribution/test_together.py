"""Heatmaps of many explicands at once are those of each alone."""

from __future__ import annotations

import torch

from cocoa_widget.attribution import CAM, RISE, KernelSHAP, Occlusion, Random, apply_together
from cocoa_widget.contrast import GaussianScore, LinearScore

from .test_spread import DIMENSION, completed, segments

METHODS = [
    RISE(n_masks=64),
    RISE(n_masks=64),
    RISE(n_masks=8, estimator="plain"),
    CAM(),
    RISE(n_masks=64),
    Occlusion(window=16, stride=12),
    KernelSHAP(superpixels=segments, n_samples=20),
    Random(),
]
SIZES = [None, (20, 28), None, (20, 28), (20, 28), None, (20, 28), None]


def test_each_heatmap_is_that_of_the_operator_alone() -> None:
    operators = [completed(method) for method in METHODS]
    generator = torch.Generator().manual_seed(3)
    scores = [
        LinearScore(torch.randn(1 + i % 3, DIMENSION, generator=generator), ("cosine", "dot")[i % 2])
        for i in range(len(operators))
    ]
    found = apply_together(operators, scores, SIZES)
    for operator, score, size, heatmap in zip(operators, scores, SIZES, found, strict=True):
        torch.testing.assert_close(heatmap, operator.apply(score, size))


def test_unfinished_operators_and_other_scores_are_computed_alone() -> None:
    operators = [completed(Occlusion(window=16, stride=12), passes=7), completed(RISE(n_masks=64), passes=28)]
    operators.append(completed(CAM()))
    scores = [LinearScore(torch.ones(1, DIMENSION), "dot") for _ in range(2)]
    scores.append(GaussianScore(torch.ones(2, DIMENSION), None))
    found = apply_together(operators, scores, [None] * 3)
    for operator, score, heatmap in zip(operators, scores, found, strict=True):
        torch.testing.assert_close(heatmap, operator.apply(score))


def test_explicands_of_one_method_share_their_spread() -> None:
    for method in (RISE(n_masks=64), CAM(), Occlusion(window=16, stride=12), KernelSHAP(superpixels=4, n_samples=60)):
        one, other = completed(method), completed(method)
        assert one.spread is other.spread


def test_nothing_gives_nothing() -> None:
    assert apply_together([], [], []) == []
