"""Insertion and deletion curves, the areas under them, as a table and as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..optional import require
from .statistics import interval

if TYPE_CHECKING:
    from pandas import DataFrame

_COLORS = {"insertion": "#0072b2", "deletion": "#d55e00"}  # distinguishable with any colour vision


@dataclass(frozen=True, eq=False)
class Curves:
    """The result of `insertion_deletion`: insertion and deletion curves of n explicands by m measures.

    Attributes
    ----------
    fractions : ndarray
        (steps + 1,), the share of features that has been inserted or deleted, 0..1.
    measures, labels : tuple of str
        Names and labels of the m measures.
    insertion, deletion : ndarray
        (m, n, steps + 1), float32: each measure of each explicand at each step.
    """

    fractions: NDArray[np.float64]
    measures: tuple[str, ...]
    labels: tuple[str, ...]
    insertion: NDArray[np.float32]
    deletion: NDArray[np.float32]

    @classmethod
    def joined(cls, parts: Sequence[Curves]) -> Curves:
        """Join the explicands of several results with the same measures and fractions."""
        first = parts[0]
        insertion = np.concatenate([part.insertion for part in parts], axis=1)
        deletion = np.concatenate([part.deletion for part in parts], axis=1)
        return cls(first.fractions, first.measures, first.labels, insertion, deletion)

    @property
    def insertion_auc(self) -> NDArray[np.float64]:
        """(m, n), the areas under the insertion curves, by trapezoids; larger is better."""
        return self._auc(self.insertion)

    @property
    def deletion_auc(self) -> NDArray[np.float64]:
        """(m, n), the areas under the deletion curves, by trapezoids; smaller is better."""
        return self._auc(self.deletion)

    def _auc(self, curves: NDArray[np.float32]) -> NDArray[np.float64]:
        middles = (curves[..., 1:].astype(np.float64) + curves[..., :-1]) / 2
        areas: NDArray[np.float64] = middles @ np.diff(self.fractions)
        return areas

    def to_frame(self) -> DataFrame:
        """Return the areas as a table with the columns explicand (its index), measure, kind and auc.

        Raises
        ------
        ImportError
            pandas is not installed.
        """
        pandas = require("pandas", "demo", "A table of curves")
        rows = [
            (explicand, measure, kind, float(auc[row, explicand]))
            for kind, auc in (("insertion", self.insertion_auc), ("deletion", self.deletion_auc))
            for row, measure in enumerate(self.measures)
            for explicand in range(auc.shape[1])
        ]
        frame: DataFrame = pandas.DataFrame(rows, columns=["explicand", "measure", "kind", "auc"])
        return frame

    def plot(self, ax: Any = None) -> list[Any]:
        """Draw the curves' means over the explicands, with 95 % bands.

        Parameters
        ----------
        ax : matplotlib Axes, or as many as there are measures, optional
            Where to draw; a new figure by default, a panel for each measure.

        Returns
        -------
        list of Axes

        Raises
        ------
        ImportError
            matplotlib is not installed.
        """
        count = len(self.measures)
        if ax is None:
            size = (4.2 * count, 3.4)
            ax = require("matplotlib.pyplot", "demo", "A figure").subplots(
                1, count, figsize=size, squeeze=False, layout="constrained"
            )[1]
        axes = list(np.ravel(ax))
        if len(axes) != count:
            raise ValueError(f"There are {count} measures but {len(axes)} axes to draw them on.")
        for row, axis in enumerate(axes):
            for kind, values, auc in (
                ("insertion", self.insertion[row], self.insertion_auc[row]),
                ("deletion", self.deletion[row], self.deletion_auc[row]),
            ):
                mean, half = interval(values)
                axis.plot(self.fractions, mean, color=_COLORS[kind], label=f"{kind} (area {auc.mean():.3f})")
                if np.isfinite(half).all():
                    axis.fill_between(self.fractions, mean - half, mean + half, color=_COLORS[kind], alpha=0.2, lw=0)
            axis.set(xlabel="Share of features inserted or deleted", ylabel=self.labels[row], xlim=(0, 1))
            axis.legend(frameon=False)
        return axes
