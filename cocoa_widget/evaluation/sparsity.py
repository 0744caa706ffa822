"""Sparsity: how concentrated a heatmap is."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .heatmaps import as_heatmaps


def gini(heatmaps: Any) -> NDArray[np.float64]:
    """Compute the Gini index of each heatmap's absolute values (Hurley & Rickard 2009; Chalasani et al., ICML 2020).

    Parameters
    ----------
    heatmaps : ndarray or Tensor
        (n, H, W) or (H, W).

    Returns
    -------
    ndarray
        (n,), from 0 (all pixels are alike) to 1 − 1 / (H · W) (one pixel alone is not zero). A heatmap of zeros
        gets 0.
    """
    values = as_heatmaps(heatmaps).abs().flatten(1).sort(1).values
    count = values.shape[1]
    total = values.sum(1)
    weights = (count - torch.arange(1, count + 1, dtype=torch.float64) + 0.5) / count
    index = 1 - 2 * (values @ weights) / total.clamp(min=torch.finfo(torch.float64).tiny)
    result: NDArray[np.float64] = torch.where(total > 0, index, 0.0).clamp(min=0).numpy()
    return result
