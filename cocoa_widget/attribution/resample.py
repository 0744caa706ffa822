"""Resizing as fixed matrices, so that it commutes with everything linear."""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

Size = tuple[int, int]
"""Height and width in pixels."""


@lru_cache(maxsize=256)
@torch.inference_mode(False)  # cached: the first caller's mode must not decide what later callers can do with it
def upsampling(cells: int, length: int, device: torch.device) -> Tensor:
    """Return the matrix (length, cells) of bilinear up-sampling; its rows sum to 1."""
    identity = torch.eye(cells, device=device)[None]
    return F.interpolate(identity, size=length, mode="linear", align_corners=False)[0].T.contiguous()


@lru_cache(maxsize=256)
@torch.inference_mode(False)  # cached: the first caller's mode must not decide what later callers can do with it
def distributing(cells: int, length: int, device: torch.device) -> Tensor:
    """Return the matrix (length, cells) that distributes cells bilinearly over the pixels and keeps their sum.

    The columns sum to 1; where `length` is a multiple of `cells` it is `upsampling` divided by their ratio.
    """
    matrix = upsampling(cells, length, device)
    return matrix / matrix.sum(0)


@lru_cache(maxsize=256)
@torch.inference_mode(False)  # cached: the first caller's mode must not decide what later callers can do with it
def averaging(length: int, size: int, device: torch.device) -> Tensor:
    """Return the matrix (size, length) of area averages; its rows sum to 1."""
    edges = torch.linspace(0, length, size + 1, dtype=torch.float64)
    pixels = torch.arange(length, dtype=torch.float64)
    lower = torch.maximum(edges[:-1, None], pixels[None])
    upper = torch.minimum(edges[1:, None], pixels[None] + 1)
    overlap = (upper - lower).clamp(min=0)
    return (overlap / overlap.sum(1, keepdim=True)).float().to(device)


def resampling(cells: int, length: int, device: torch.device) -> Tensor:
    """Return the matrix (length, cells) that interpolates to more cells and averages to fewer; its rows sum to 1."""
    return averaging(cells, length, device) if length < cells else upsampling(cells, length, device)


def smaller(size: Size | None, full: Size) -> Size:
    """Return `size`, limited to `full`, which None stands for: an enlarged heatmap holds no more detail."""
    return full if size is None else (min(size[0], full[0]), min(size[1], full[1]))


def shrink(maps: Tensor, size: Size | None) -> Tensor:
    """Average maps (…, H, W) down to `size`."""
    full = maps.shape[-2], maps.shape[-1]
    size = smaller(size, full)
    if size == full:
        return maps
    return averaging(full[0], size[0], maps.device) @ maps @ averaging(full[1], size[1], maps.device).T


def distribute(cells: Tensor, full: Size, size: Size | None) -> Tensor:
    """Distribute cells (…, h, w) bilinearly over `full` pixels, which keeps their sum, and average down to `size`."""
    tall, wide = smaller(size, full)
    rows = distributing_to(cells.shape[-2], full[0], tall, cells.device)
    columns = distributing_to(cells.shape[-1], full[1], wide, cells.device)
    return rows @ cells @ columns.T


def distributing_to(cells: int, length: int, size: int, device: torch.device) -> Tensor:
    """Return the matrix (size, cells) that distributes cells over `length` pixels and averages down to `size`."""
    matrix = distributing(cells, length, device)
    return matrix if size == length else averaging(length, size, device) @ matrix


def enlarge(maps: Tensor, full: Size, size: Size | None) -> Tensor:
    """Interpolate maps (…, h, w) bilinearly to `full` pixels, and average down to `size`."""
    rows, columns = (
        _enlarging(cells, length, small, maps.device)
        for cells, length, small in zip(maps.shape[-2:], full, smaller(size, full), strict=True)
    )
    return rows @ maps @ columns.T


@lru_cache(maxsize=256)
@torch.inference_mode(False)  # cached: the first caller's mode must not decide what later callers can do with it
def _enlarging(cells: int, length: int, size: int, device: torch.device) -> Tensor:
    matrix = upsampling(cells, length, device)
    return matrix if size == length else averaging(length, size, device) @ matrix
