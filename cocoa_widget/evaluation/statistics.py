"""Means with 95 % confidence intervals, over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from pandas import DataFrame

Z = 1.96
"""The paper's quantile: two-sided 95 % of a normal distribution, whatever the number of runs."""


class Interval(NamedTuple):
    """A mean and half the width of its confidence interval."""

    mean: NDArray[np.float64]
    half_width: NDArray[np.float64]


def interval(values: ArrayLike) -> Interval:
    """Compute the mean over the first axis and half of its 95 % confidence interval, ``1.96 · std / √n``.

    Parameters
    ----------
    values : array
        (n, …), one for each run; `std` is the sample's, with n − 1.

    Returns
    -------
    Interval
        Arrays (…); the half-width of a single run is NaN. With few runs the normal quantile, which is the one that
        Lin et al. (ICLR 2023) report, is too small: for n = 3, Student's would be 4.30.
    """
    array = np.asarray(values, dtype=np.float64)
    if len(array) == 0:
        raise ValueError("There are no values to take a mean of.")
    mean = array.mean(0)
    if len(array) == 1:
        return Interval(mean, np.full_like(mean, np.nan))
    return Interval(mean, Z * array.std(0, ddof=1) / np.sqrt(len(array)))


def summarise(frame: DataFrame, by: Sequence[str], value: str = "auc", over: str = "seed") -> DataFrame:
    """Make the table "mean ± half-width" over seeds.

    Rows of the same seed are averaged first: explicands of one draw share a corpus and a foil, so only seeds are
    independent.

    Parameters
    ----------
    frame : DataFrame
        Tidy: one number a row.
    by : sequence of str
        Columns that tell the table's rows apart.
    value : str
        The column of the numbers.
    over : str
        The column of the seeds.

    Returns
    -------
    DataFrame
        The columns `by` in order of appearance, then mean, half_width, n (seeds) and text, which a pivot lays out as a
        table.

    Raises
    ------
    ValueError
        A column is missing.
    """
    missing = [column for column in (*by, value, over) if column not in frame.columns]
    if missing:
        raise ValueError(f"The table has no column {missing[0]!r}; it has {', '.join(map(str, frame.columns))}.")
    columns = list(by)
    runs = frame.groupby([*columns, over], sort=False, observed=True)[value].mean()
    grouped = runs.groupby(level=columns, sort=False, observed=True)
    table = grouped.mean().to_frame("mean")
    table["half_width"] = [float(interval(run.to_numpy()).half_width) for _, run in grouped]
    table["n"] = grouped.size()
    table["text"] = [_text(row) for row in table.itertuples()]
    flat: DataFrame = table.reset_index()
    return flat


def _text(row: Any) -> str:
    return f"{row.mean:.3f}" if np.isnan(row.half_width) else f"{row.mean:.3f} ± {row.half_width:.3f}"
