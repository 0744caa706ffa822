import numpy as np
import pytest

from cocoa_widget.evaluation import gini


def test_gini_of_known_maps():
    flat, peak, zero = np.full((4, 5), 0.3), np.zeros((4, 5)), np.zeros((4, 5))
    peak[2, 3] = -7
    np.testing.assert_allclose(gini([flat, peak, zero]), [0, 1 - 1 / 20, 0], atol=1e-12)
    # By hand: sorted 0, 1, 1, 2 → 1 − 2 (0·3.5 + 1·2.5 + 1·1.5 + 2·0.5) / (4 · 4) = 1 − 10/16.
    np.testing.assert_allclose(gini(np.array([[1.0, -2.0], [0.0, 1.0]])), [0.375])


def test_gini_is_the_mean_difference():
    """Another definition of the same: the mean of |x_i − x_j| over twice the mean."""
    heatmap = np.random.default_rng(0).standard_normal((6, 7))
    x = abs(heatmap).ravel()
    expected = abs(x[:, None] - x).mean() / (2 * x.mean())
    np.testing.assert_allclose(gini(heatmap), [expected])
    np.testing.assert_allclose(gini(-1e-3 * heatmap), [expected])  # no scale, no sign


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="not finite"):
        gini(np.array([[np.inf, 0.0]]))
    with pytest.raises(ValueError, match=r"not \(4,\)"):
        gini(np.zeros(4))
