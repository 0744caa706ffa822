"""Means with 95 % confidence intervals, over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from pandas import DataFrame

Z = 1.96
"""Quantile of Lin et al. (ICLR 2023): two-sided 95 % of a normal distribution, for any number of runs."""


class Interval(NamedTuple):
    """A mean and half the width of its confidence interval."""

    mean: NDArray[np.float64]
    half_width: NDArray[np.float64]


def interval(values: ArrayLike) -> Interval:
    """Return the mean over the first axis and half the width of its 95 % confidence interval, ``1.96 · std / √n``.

    Parameters
    ----------
    values : array
        (n, …), one value for each run; their standard deviation is the sample's, with n − 1.

    Returns
    -------
    Interval
        Arrays (…); the half-width of a single run is NaN. With few runs the normal quantile, which
        Lin et al. (ICLR 2023) use, is too small: for n = 3, Student's is 4.30.

    Raises
    ------
    ValueError
        There are no values.
    """
    array = np.asarray(values, dtype=np.float64)
    if len(array) == 0:
        raise ValueError("There are no values: give at least one to take a mean of.")
    mean = array.mean(0)
    if len(array) == 1:
        return Interval(mean, np.full_like(mean, np.nan))
    return Interval(mean, Z * array.std(0, ddof=1) / np.sqrt(len(array)))


def summarise(frame: DataFrame, by: Sequence[str], value: str = "auc", over: str = "seed") -> DataFrame:
    """Return a table of "mean ± half-width" over seeds.

    Rows of the same seed are averaged first: explicands of one seed share a corpus and a foil, so only seeds are
    independent.

    Parameters
    ----------
    frame : DataFrame
        A tidy table: one number in each row.
    by : sequence of str
        Columns that identify a row of the result.
    value : str
        The column of the numbers.
    over : str
        The column of the seeds.

    Returns
    -------
    DataFrame
        The columns `by`, in order of appearance, then mean, half_width, n (the number of seeds) and text.

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
