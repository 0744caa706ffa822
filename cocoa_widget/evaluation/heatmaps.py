"""Conversion of the heatmaps that users give: arrays or tensors, one heatmap or several."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor


def as_heatmaps(heatmaps: Any, name: str = "heatmaps") -> Tensor:
    """Return heatmaps as a tensor (n, H, W), float64, on the CPU.

    Parameters
    ----------
    heatmaps : ndarray or Tensor
        (n, H, W), or (H, W) for one.
    name : str
        Their name in error messages.

    Raises
    ------
    ValueError
        The shape is not one of these, or a value is not finite.
    """
    maps = torch.as_tensor(heatmaps if isinstance(heatmaps, Tensor) else np.asarray(heatmaps))
    maps = maps.detach().to("cpu", torch.float64)
    if maps.ndim == 2:
        maps = maps[None]
    if maps.ndim != 3 or maps.shape[1] * maps.shape[2] == 0:
        raise ValueError(f"{name} must have the shape (n, H, W) or (H, W), not {tuple(maps.shape)}.")
    if not bool(torch.isfinite(maps).all()):
        raise ValueError(f"{name} hold values that are not finite (NaN or infinity).")
    return maps


def check_count(found: int, expected: int, name: str) -> None:
    """Raise `ValueError` unless there are as many heatmaps as things to compare them with, called `name`."""
    if found != expected:
        raise ValueError(f"There are {found} heatmaps but {expected} {name}; each heatmap needs its own.")
