"""Heatmaps of all operators at once."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import cocoa_widget as cw
from cocoa_widget.attribution import advance
from cocoa_widget.contrast import LinearScore
from cocoa_widget.insight import Members
from cocoa_widget.live.attributions import attributions
from cocoa_widget.live.members import Known
from cocoa_widget.live.operators import PREVIEW, OperatorStore

from .helpers import RISE, question

RECIPE = RISE, cw.Blur()


@pytest.fixture
def known(convolutional, inputs):
    vectors = convolutional.encode(inputs)
    scores = [LinearScore(torch.randn(1, 16, generator=torch.Generator().manual_seed(i)), "cosine") for i in range(3)]
    return Known(["a", "b", "c"], vectors, scores, ([], []), lambda: Members(None, None))


def test_an_operator_comes_before_a_preview_and_nothing_before_either(convolutional, inputs, known):
    store = OperatorStore(1 << 30)
    operator, unready = (RISE.start(inputs[i], cw.Blur()(inputs)[i]) for i in (0, 1))
    previews = [cw.CAM().start(x, x) for x in inputs[:2]]
    advance(convolutional, [operator], 64)
    for preview in previews:
        advance(convolutional, [preview], 1)
    for image, ours, preview in zip("ab", (operator, unready), previews, strict=True):
        store.put(image, RECIPE, ours)
        store.put(image, PREVIEW, preview)
    first, second = attributions(store, question(), known, {"a": (16, 16), "b": None, "c": None})
    assert (first.image, first.method, first.preview, first.progress) == ("a", "rise", False, 0.5)
    assert (second.image, second.method, second.preview, second.progress) == ("b", "cam", True, 0.0)
    np.testing.assert_allclose(first.values, operator.apply(known.scores[0], (16, 16))[0].numpy(), rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(second.values, previews[1].apply(known.scores[1])[0].numpy(), rtol=1e-5, atol=1e-9)
    assert first.score == pytest.approx(float(known.scores[0](known.vectors[:1])[0, 0]))


def test_nothing_prepared_gives_nothing(known):
    assert attributions(OperatorStore(1 << 30), question(), known, dict.fromkeys("abc")) == []
