"""Localisation: whether a heatmap lies where it should."""

from __future__ import annotations

from collections.abc import Iterator
from math import isqrt
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from .heatmaps import as_heatmaps, check_count


def energy(heatmaps: Any, regions: Any) -> NDArray[np.float64]:
    """Return the share of each heatmap's positive part that lies in its region (Wang et al., CVPR workshops 2020).

    Parameters
    ----------
    heatmaps : ndarray or Tensor
        (n, H, W) or (H, W).
    regions : ndarray or Tensor
        The same shape, boolean.

    Returns
    -------
    ndarray
        (n,), 0..1; 0 for a heatmap without a positive value.
    """
    maps, inside = _pair(heatmaps, regions)
    positive = maps.clamp(min=0)
    total = positive.sum((1, 2))
    share = (positive * inside).sum((1, 2)) / total.clamp(min=torch.finfo(torch.float64).tiny)
    result: NDArray[np.float64] = torch.where(total > 0, share, 0.0).numpy()
    return result


def hits(heatmaps: Any, regions: Any, tolerance: float = 0) -> NDArray[np.bool_]:
    """Return which heatmaps have their maximum in their region: the pointing game (Zhang et al., ECCV 2016, IJCV 2018).

    Parameters
    ----------
    heatmaps : ndarray or Tensor
        (n, H, W) or (H, W). Of several maxima the first in reading order counts.
    regions : ndarray or Tensor
        The same shape, boolean.
    tolerance : float
        Largest distance from the region, in pixels, at which the maximum is still a hit; the authors take 15.

    Returns
    -------
    ndarray
        (n,), bool; False for a heatmap without a positive value, and for an empty region.
    """
    if tolerance < 0:
        raise ValueError(f"tolerance is a distance in pixels, at least 0, not {tolerance}.")
    maps, inside = _pair(heatmaps, regions)
    found = []
    for heatmap, region in zip(maps, inside, strict=True):
        at = int(heatmap.argmax())
        row, column = divmod(at, heatmap.shape[1])
        offsets = region.nonzero() - torch.tensor([row, column])
        near = bool(((offsets**2).sum(1) <= tolerance**2).any())
        found.append(near and float(heatmap[row, column]) > 0)
    return np.array(found, dtype=np.bool_)


def average_precision(heatmaps: Any, regions: Any) -> NDArray[np.float64]:
    """Return how well each heatmap ranks the pixels of its region above the others.

    It is the mean of the precision over the region's pixels: the share of region among the pixels whose values are at
    least as high. It depends on the order of the values alone.

    Parameters
    ----------
    heatmaps : ndarray or Tensor
        (n, H, W) or (H, W).
    regions : ndarray or Tensor
        The same shape, boolean.

    Returns
    -------
    ndarray
        (n,), 0..1; the region's share of the pixels by chance, and 0 for an empty region.
    """
    found = []
    for hit, chosen, size in _ranked(heatmaps, regions):
        gained = torch.diff(hit, prepend=hit.new_zeros(1))
        found.append(float((gained * hit / chosen).sum() / max(size, 1)))
    return np.array(found, dtype=np.float64)


def overlap(heatmaps: Any, regions: Any, level: float | None = None) -> NDArray[np.float64]:
    """Return the intersection over union of each region and the pixels above a threshold.

    Parameters
    ----------
    heatmaps : ndarray or Tensor
        (n, H, W) or (H, W).
    regions : ndarray or Tensor
        The same shape, boolean.
    level : float, optional
        The threshold, as a share of the heatmap's maximum; by default the one that gives the most, for each heatmap.

    Returns
    -------
    ndarray
        (n,), 0..1; 0 at a level of a heatmap without a positive value.
    """
    if level is None:
        return np.array(
            [float((hit / (chosen + size - hit)).max()) for hit, chosen, size in _ranked(heatmaps, regions)]
        )
    maps, inside = _pair(heatmaps, regions)
    highest = maps.amax((1, 2), keepdim=True)
    above = (maps >= level * highest) & (highest > 0)
    both, either = (above & inside).sum((1, 2)), (above | inside).sum((1, 2))
    result: NDArray[np.float64] = (both / either.clamp(min=1)).double().numpy()
    return result


def _ranked(heatmaps: Any, regions: Any) -> Iterator[tuple[Tensor, Tensor, int]]:
    """Count the pixels that are at least as high as each of a heatmap's values.

    Yields
    ------
    hit, chosen : Tensor
        Those in the region and all of them, for the values in descending order.
    size : int
        Pixels of the region.
    """
    for heatmap, region in zip(*_pair(heatmaps, regions), strict=True):
        values, order = heatmap.flatten().sort(descending=True)
        last = torch.cat([values.diff() != 0, torch.tensor([True])]).nonzero()[:, 0]  # equal values count together
        hit = region.flatten()[order].double().cumsum(0)[last]
        yield hit, (last + 1).double(), int(region.sum())


def mosaic(explicands: Tensor) -> tuple[Tensor, Tensor]:
    """Put explicands together in a square, for the grid pointing game (Böhle et al., CVPR 2021).

    A heatmap for a corpus of one cell's class should have its `energy` in that cell. Each explicand is shrunk by area
    averaging, so that the mosaic has the encoder's input size; the authors' mosaic is larger instead.

    Parameters
    ----------
    explicands : Tensor
        (k², 3, H, W), preprocessed, in reading order; 4 for a mosaic of 2 × 2.

    Returns
    -------
    mosaic : Tensor
        (3, H, W).
    regions : Tensor
        (k², H, W), bool: where each explicand lies. Every pixel is in one region.

    Raises
    ------
    ValueError
        The number of explicands is not a square k², or k is more than the shorter side in pixels.
    """
    if explicands.ndim != 4 or len(explicands) == 0 or isqrt(len(explicands)) ** 2 != len(explicands):
        raise ValueError(f"A mosaic needs explicands (k², 3, H, W), such as 4 or 9, not {tuple(explicands.shape)}.")
    side = isqrt(len(explicands))
    height, width = explicands.shape[-2:]
    if side > min(height, width):
        raise ValueError(
            f"{len(explicands)} explicands are too many for a mosaic of {height} × {width} pixels: give at most"
            f" {min(height, width) ** 2}."
        )
    whole = torch.empty_like(explicands[0])
    regions = torch.zeros(len(explicands), height, width, dtype=torch.bool, device=explicands.device)
    for index, explicand in enumerate(explicands):
        row, column = divmod(index, side)
        top, bottom = height * row // side, height * (row + 1) // side
        left, right = width * column // side, width * (column + 1) // side
        whole[:, top:bottom, left:right] = F.interpolate(explicand[None], (bottom - top, right - left), mode="area")[0]
        regions[index, top:bottom, left:right] = True
    return whole, regions


def _pair(heatmaps: Any, regions: Any) -> tuple[Tensor, Tensor]:
    maps = as_heatmaps(heatmaps)
    inside = torch.as_tensor(regions if isinstance(regions, Tensor) else np.asarray(regions)).cpu()
    if inside.dtype != torch.bool:
        raise TypeError(f"regions must be boolean, not {inside.dtype}: for a label map, give labels == label.")
    if inside.ndim == 2:
        inside = inside[None]
    check_count(len(maps), len(inside), "regions")
    if maps.shape != inside.shape:
        raise ValueError(f"Heatmaps {tuple(maps.shape)} and regions {tuple(inside.shape)} differ in shape.")
    return maps, inside
