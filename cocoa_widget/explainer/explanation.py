"""Explanations: heatmaps, scores and their errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Explanation:
    """Heatmaps of explicands for one corpus and foil.

    Attributes
    ----------
    heatmaps : ndarray
        (n, H, W), float32, at the encoder's input size; positive where the image is like the corpus.
    scores : ndarray
        (n,), float32: gamma of each explicand.
    gaps : ndarray or None
        (n,), float32: what each heatmap's sum lacks for completeness, for integrated gradients.
    errors : ndarray or None
        (n, H, W), float32: the heatmaps' standard errors per pixel, for RISE. Its default estimator knows them to about
        18 %, from a random sketch of the residuals, and exactly with the Gaussian similarity.
    """

    heatmaps: NDArray[np.float32]
    scores: NDArray[np.float32]
    gaps: NDArray[np.float32] | None = None
    errors: NDArray[np.float32] | None = None
