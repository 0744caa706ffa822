"""Slices keep to their time, and a busy moment does not make them small for good."""

import pytest

from cocoa_widget.live.slices import SLICE_SECONDS, SliceSize


def settle(size, cost, slices=40, batch=64):
    """Run slices of which one of n passes takes `cost(n)` seconds; returns their passes."""
    seen = []
    for _ in range(slices):
        passes = min(size.passes, batch)
        seen.append(passes)
        size.learn(passes, cost(passes))
    return seen


@pytest.mark.parametrize("each", [0.0005, 0.004, 0.012, 0.03, 0.2])
def test_a_slice_has_as_many_passes_as_fit(each):
    fitting = max(1, min(64, int(SLICE_SECONDS / each)))
    assert {*settle(SliceSize(), lambda n: each * n)[20:]} <= {fitting, fitting + 1}


def test_slices_grow_again_after_a_busy_moment():
    def cost(passes):  # measured on two cores: small batches use them badly
        return {1: 0.030, 2: 0.039, 3: 0.047, 4: 0.048}.get(passes, 0.012 * passes)

    size = SliceSize()
    settle(size, lambda n: 0.2 * n, slices=5)
    assert size.passes == 1
    assert min(settle(size, cost)[4:]) >= 3


def test_a_last_smaller_slice_changes_nothing():
    size = SliceSize()
    settle(size, lambda n: 0.012 * n)
    before = size.passes
    size.learn(1, 0.01)
    assert size.passes == before
