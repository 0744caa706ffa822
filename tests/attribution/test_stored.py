"""Operators apart from their method."""

from __future__ import annotations

import pytest
import torch

from cocoa_widget.attribution import RISE, Random
from cocoa_widget.contrast import GaussianScore, LinearScore
from cocoa_widget.encoders import Encoded

from .test_spread import DIMENSION, METHODS, SIZE, completed


@pytest.mark.parametrize("method", METHODS, ids=str)
@pytest.mark.parametrize("size", [None, (20, 28)])
def test_a_stored_operator_gives_the_same_answers(method, size) -> None:
    operator = completed(method)
    stored = operator.stored()
    assert stored is not None
    assert stored.complete
    score = LinearScore(torch.randn(3, DIMENSION, generator=torch.Generator().manual_seed(1)), "dot")
    torch.testing.assert_close(stored.apply(score, size), operator.apply(score, size))
    errors, expected = stored.error(score, size), operator.error(score, size)
    assert (errors is None) == (expected is None)
    if errors is not None:
        torch.testing.assert_close(errors, expected)


def test_what_a_stored_operator_lacks_is_named() -> None:
    stored = completed(RISE(n_masks=8)).stored()
    assert stored is not None
    assert stored.supports("dot")
    assert not stored.supports("gaussian")
    with pytest.raises(ValueError, match="not linear"):
        stored.apply(GaussianScore(torch.ones(2, DIMENSION), None))
    with pytest.raises(RuntimeError, match="no inputs left"):
        stored.inputs(1)
    with pytest.raises(RuntimeError, match="no inputs left"):
        stored.accept(Encoded(torch.ones(1, DIMENSION), None))


def test_operators_that_are_incomplete_or_without_coefficients_are_not_stored() -> None:
    assert completed(RISE(n_masks=64), passes=28).stored() is None
    assert completed(RISE(n_masks=8, estimator="plain")).stored() is None
    assert Random().start(torch.zeros(3, *SIZE), torch.zeros(3, *SIZE)).stored() is None
