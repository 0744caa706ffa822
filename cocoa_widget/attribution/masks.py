"""RISE's random masks, kept as small grids and shifts: no mask is ever stored."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

from .resample import averaging, upsampling


class MaskBank:
    """Masks for images of H × W pixels, the same for every explicand.

    Mask i is ``R[r_i : r_i + H] · G_i · C[c_i : c_i + W]ᵀ``: a small grid G_i of zeros and ones, up-sampled bilinearly
    by R and C to one cell more than the image, and cropped at a shift within one cell.

    Parameters
    ----------
    grids : Tensor
        (n, g, g), 1 where a cell is kept.
    shifts : tuple of Tensor
        (n,) each: r and c, in pixels, below `cell_size`.
    height, width : int
        Size of the image in pixels.
    """

    def __init__(self, grids: Tensor, shifts: tuple[Tensor, Tensor], height: int, width: int) -> None:
        self.size = (height, width)
        self.grids = grids
        self._grid = grids.shape[-1]
        self._cell = cell_size(self._grid, height, width)
        self._rows, self._columns = shifts
        self._shift = self._rows * self._cell[1] + self._columns

    def masks(self, start: int, stop: int) -> Tensor:
        """Return the masks start … stop − 1 as (k, 1, H, W), float32, in 0..1."""
        device = self.grids.device
        left, right = (
            upsampling(self._grid, (self._grid + 1) * cell, device)[
                shift[start:stop, None] + torch.arange(length, device=device)
            ]
            for cell, shift, length in zip(self._cell, (self._rows, self._columns), self.size, strict=True)
        )
        return (left @ self.grids[start:stop] @ right.transpose(1, 2))[:, None]

    def small(self, size: tuple[int, int]) -> Tensor:
        """Return all masks averaged down to `size`: (n, h, w)."""
        left, right = (
            shifted(self._grid, cell, length, small, self.grids.device)
            .reshape(small, cell, self._grid)[:, shift]
            .transpose(0, 1)
            for cell, shift, length, small in zip(self._cell, (self._rows, self._columns), self.size, size, strict=True)
        )
        return left @ self.grids @ right.transpose(1, 2)

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
        rows = shifted(g, ch, self.size[0], size[0], weights.device)
        columns = shifted(g, cw, self.size[1], size[1], weights.device)
        return rows @ blocks @ columns.T


def cell_size(grid: int, height: int, width: int) -> tuple[int, int]:
    """Return how many pixels high and wide a cell is, and so how many shifts there are."""
    return math.ceil(height / grid), math.ceil(width / grid)


@lru_cache(maxsize=64)
def shifted(grid: int, cell: int, length: int, size: int, device: torch.device) -> Tensor:
    """Return the up-sampling of a grid at every shift, side by side, and averaged down: (size, cell · grid)."""
    up = upsampling(grid, (grid + 1) * cell, device)
    windows = up.unfold(0, length, 1)[:cell]  # (shift, grid, length)
    matrix = windows.permute(2, 0, 1).reshape(length, cell * grid)
    return matrix if size == length else averaging(length, size, device) @ matrix


def draw_grids(n: int, grid: int, p: float, balanced: bool, generator: torch.Generator) -> Tensor:
    """Draw grids (n, grid, grid), 1 where a cell is kept.

    Balanced grids keep a share `p` of their cells; in others each cell is kept with probability `p`.
    """
    cells = grid * grid
    noise = torch.rand(n, cells, generator=generator)
    if balanced:
        # The share need not be a whole number of cells: the remainder is distributed evenly over the masks.
        kept = torch.floor(torch.arange(n + 1, dtype=torch.float64) * cells * p).diff()
        return (noise.argsort(1).argsort(1) < kept[:, None]).float().reshape(n, grid, grid)
    return (noise < p).float().reshape(n, grid, grid)


def draw_shifts(n: int, grid: int, height: int, width: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw the shifts (n,) of masks down and to the right, in pixels."""
    tall, wide = cell_size(grid, height, width)
    return torch.randint(0, tall, (n,), generator=generator), torch.randint(0, wide, (n,), generator=generator)
