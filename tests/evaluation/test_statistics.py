import numpy as np
import pandas as pd
import pytest

from cocoa_widget.evaluation import interval, summarise


def test_interval_by_hand():
    mean, half = interval([1.0, 2.0, 3.0, 6.0])  # squares of deviations: 4 + 1 + 0 + 9 = 14
    assert mean == 3
    assert half == pytest.approx(1.96 * (14 / 3) ** 0.5 / 2)
    mean, half = interval(np.array([[1.0, 5.0], [3.0, 5.0]]))
    np.testing.assert_allclose(mean, [2, 5])
    np.testing.assert_allclose(half, [1.96 * 2**0.5 / 2**0.5, 0])
    mean, half = interval([4.0])
    assert mean == 4
    assert np.isnan(half)
    with pytest.raises(ValueError, match="no values"):
        interval([])


def test_summarise_by_hand():
    """Explicands of one seed are averaged first: seeds are what is independent."""
    rows = [("x", 1, 0.0), ("x", 1, 2.0), ("x", 2, 3.0), ("x", 2, 3.0), ("x", 2, 3.0), ("y", 1, 0.5)]
    frame = pd.DataFrame(rows, columns=["method", "seed", "auc"])
    table = summarise(frame, ["method"])
    assert list(table.columns) == ["method", "mean", "half_width", "n", "text"]
    assert table["mean"].tolist() == [2, 0.5]  # x: of 1 and 3
    assert table["half_width"][0] == pytest.approx(1.96)
    assert np.isnan(table["half_width"][1])
    assert table["n"].tolist() == [2, 1]
    assert table["text"].tolist() == ["2.000 ± 1.960", "0.500"]
    renamed = summarise(frame.rename(columns={"auc": "gap", "seed": "run"}), ["method"], value="gap", over="run")
    assert renamed["mean"].tolist() == table["mean"].tolist()
    with pytest.raises(ValueError, match="no column 'gap'.*method, seed, auc"):
        summarise(frame, ["method"], value="gap")
