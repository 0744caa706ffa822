"""RISE's random masks, kept as small grids and shifts: no mask is ever stored."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

from .resample import averaging, upsampling


class MaskBank:
    """`n` masks for images of H × W pixels, the same for every explicand.

    Mask i is ``R[r_i : r_i + H] · G_i · C[c_i : c_i + W]ᵀ``: a small grid G_i of zeros and ones, up-sampled bilinearly
    by R and C to one cell more than the image, and cropped at a shift of its own within one cell.

    Parameters
    ----------
    n : int
        Number of masks.
    grid : int
        Cells along each side of G_i.
    p : float
        Share of the cells that are kept (1).
    balanced : bool
        Keep exactly that share of every mask's cells, instead of each cell with that probability.
    seed : int
        Same seed, same masks, on every device.
    height, width : int
        Of the image, in pixels.
    device : torch.device
        Where the masks are made.
    """

    def __init__(
        self, n: int, grid: int, p: float, balanced: bool, seed: int, height: int, width: int, device: torch.device
    ) -> None:
        generator = torch.Generator().manual_seed(seed)
        cells = grid * grid
        noise = torch.rand(n, cells, generator=generator)
        if balanced:
            # The share need not be a whole number of cells: the remainder is dealt out evenly over the masks.
            kept = torch.floor(torch.arange(1, n + 1, dtype=torch.float64) * cells * p).diff(
                prepend=torch.zeros(1, dtype=torch.float64)
            )
            flat = (noise.argsort(1).argsort(1) < kept[:, None]).float()
        else:
            flat = (noise < p).float()
        self.size = (height, width)
        self._cell = (math.ceil(height / grid), math.ceil(width / grid))
        shifts = [torch.randint(0, cell, (n,), generator=generator) for cell in self._cell]
        self.grids = flat.reshape(n, grid, grid).to(device)
        self._grid = grid
        self._rows, self._columns = (shift.to(device) for shift in shifts)
        self._shift = self._rows * self._cell[1] + self._columns
        self._up = tuple(upsampling(grid, (grid + 1) * cell, device) for cell in self._cell)

    def masks(self, start: int, stop: int) -> Tensor:
        """Return the masks start … stop − 1 as (k, 1, H, W), float32, in 0..1."""
        left, right = (
            up[shift[start:stop, None] + torch.arange(length, device=up.device)]
            for up, shift, length in zip(self._up, (self._rows, self._columns), self.size, strict=True)
        )
        return (left @ self.grids[start:stop] @ right.transpose(1, 2))[:, None]

    def combine(self, weights: Tensor, size: tuple[int, int]) -> Tensor:
        """Return ``Σ_i weights[k, i] · mask_i``, averaged down to `size`, for the first masks: (k, n) → (k, h, w).

        Masks of equal shift share their up-sampling, so the weighted grids are added up for each shift first. What
        remains is two matrix products, whatever the number of masks.
        """
        k, n = weights.shape
        g, (ch, cw) = self._grid, self._cell
        weighted = weights.T[:, :, None] * self.grids[:n].reshape(n, 1, g * g)
        per_shift = weights.new_zeros(ch * cw, k, g * g).index_add_(0, self._shift[:n], weighted)
        # (row shift, column shift, k, a, b) → k matrices with rows (row shift, a) and columns (column shift, b)
        blocks = per_shift.reshape(ch, cw, k, g, g).permute(2, 0, 3, 1, 4).reshape(k, ch * g, cw * g)
        rows = _shifted(g, ch, self.size[0], size[0], weights.device)
        columns = _shifted(g, cw, self.size[1], size[1], weights.device)
        return rows @ blocks @ columns.T


@lru_cache(maxsize=64)
def _shifted(grid: int, cell: int, length: int, size: int, device: torch.device) -> Tensor:
    """Return the up-sampling of a grid at every shift, side by side, and averaged down: (size, cell · grid)."""
    up = upsampling(grid, (grid + 1) * cell, device)
    windows = up.unfold(0, length, 1)[:cell]  # (shift, grid, length)
    matrix = windows.permute(2, 0, 1).reshape(length, cell * grid)
    return matrix if size == length else averaging(length, size, device) @ matrix


@lru_cache(maxsize=8)
def mask_bank(
    n: int, grid: int, p: float, balanced: bool, seed: int, height: int, width: int, device: torch.device
) -> MaskBank:
    """Return the `MaskBank` of these settings; explicands share it."""
    return MaskBank(n, grid, p, balanced, seed, height, width, device)
