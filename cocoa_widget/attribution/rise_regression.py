"""RISE's converged heatmap from few masks: pairs of complements, the most informative first, and a ridge regression.

Let m be a mask, s its score, and x the mask averaged to a coarse grid, less its mean. Up to an offset, plain RISE
converges to ``T(λ) = Cov(s, m(λ)) / p`` over the distribution of masks. With the model s = x·β + noise this is
``Cov(m, x) β / p``, and Cov(m, x) follows exactly from how masks are drawn. So the scores only have to determine β, a
hundred numbers, and not every pixel of the heatmap.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from .masks import MaskBank, cell_size, draw_grids, draw_shifts, shifted
from .resample import Size, smaller
from .spread import SeparableSpread

COARSE = 10
"""Least number of cells along each side of the grid of β; somewhat finer than the masks' own."""
NOISE = 0.2
"""Variance of the noise as a share of the variance of x·β; the same for every encoder."""
POOL = 512
"""Number of observations that are drawn; the most informative are used first."""
ORDERED = 128
"""Number of observations that are put in order; later ones hardly differ in what they add."""


class RegressionDesign:
    """Masks and the regression on their scores.

    At p = ½ masks come in pairs of complements with the same shift. Half the difference of a pair's scores is one
    observation: what a mask and its complement do alike, such as hiding anything at all, cancels.
    """

    def __init__(self, n: int, grid: int, p: float, seed: int, height: int, width: int, device: torch.device) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.n, self._p, self._size, self._grid = n, p, (height, width), grid
        self._cell = cell_size(grid, height, width)
        self._paired = p == 0.5
        self._coarse = max(COARSE, grid + 3)
        step = 2 if self._paired else 1
        count = -(-n // step)
        self._device = torch.device("cpu")  # masks are drawn and put in order there
        self._spread = SeparableSpread((self._coarse, self._coarse), self._size, self._factors)
        pool = max(POOL, count)
        grids = draw_grids(pool, grid, p, True, generator)
        shifts = draw_shifts(pool, grid, height, width, generator)
        x = (MaskBank(grids, shifts, height, width).small((self._coarse, self._coarse)) - p).flatten(1)
        order = self._most_informative(x, min(ORDERED, count))[:count]
        grids = grids[order]
        if self._paired:
            grids = torch.stack([grids, 1 - grids], 1).flatten(0, 1)
        rows, columns = (shift[order].repeat_interleave(step)[:n].to(device) for shift in shifts)
        self._bank = MaskBank(grids[:n].to(device), (rows, columns), height, width)
        self._x = x[order].to(device)
        self._device = device
        self._ridge = NOISE * float(self._x.square().sum(1).mean())
        self._solutions: dict[int, tuple[Tensor, Tensor]] = {}
        self._variances: dict[tuple[int, Size], Tensor] = {}

    def masks(self, start: int, stop: int) -> Tensor:
        """Return masks (k, 1, H, W)."""
        return self._bank.masks(start, stop)

    def heatmaps(self, scores: Tensor, size: Size | None) -> Tensor:
        """Turn scores (k, n) into heatmaps (k, h, w), linearly."""
        return self._map(self._fit(self._observed(scores)), smaller(size, self._size))

    def spread(self, n: int) -> SeparableSpread | None:
        """Return the map from β to heatmaps, ``Cov(m, x) / p``; None before the first pair."""
        return self._spread if n >= (2 if self._paired else 1) else None

    def coefficients(self, representations: Tensor) -> Tensor:
        """Turn the representations (n, d) under the first n masks into the matrix (cells, d) from directions to β."""
        return self._fit(self._observed(representations.T)).T

    def errors(self, scores: Tensor, size: Size | None) -> Tensor:
        """Return the heatmaps' standard errors (k, h, w), without that of the offset, which has no meaning."""
        size = smaller(size, self._size)
        observed = self._observed(scores)
        x, _ = self._solution(observed.shape[1])
        # Maximum likelihood estimate: observed · (1 + X Xᵀ / ridge)⁻¹ · observed.
        noise = (observed * (observed - self._fit(observed) @ x.T)).mean(1).clamp(min=0)
        return (noise[:, None, None] * self._variance(observed.shape[1], size)).sqrt()

    def _observed(self, scores: Tensor) -> Tensor:
        """Turn scores (k, n) into observations (k, m): half of each pair's difference, or what exceeds the mean."""
        if self._paired:
            whole = scores[:, : scores.shape[1] // 2 * 2]
            return (whole[:, 0::2] - whole[:, 1::2]) / 2
        return scores - scores.mean(1, keepdim=True)

    def _fit(self, observed: Tensor) -> Tensor:
        """Return β (k, cells): (XᵀX + ridge)⁻¹ Xᵀ · observed."""
        x, inverse = self._solution(observed.shape[1])
        return observed @ x @ inverse

    def _solution(self, m: int) -> tuple[Tensor, Tensor]:
        """Return X of the first m observations, and the inverse of XᵀX + ridge: one solve for all scores."""
        if m not in self._solutions:
            if len(self._solutions) > 64:
                self._solutions.clear()
            x = self._x[:m] if self._paired else self._x[:m] - self._x[:m].mean(0)
            gram = (x.T @ x).cpu().double()  # not every device has doubles
            gram.diagonal().add_(self._ridge)
            self._solutions[m] = x, torch.linalg.inv(gram).to(x)
        return self._solutions[m]

    def _variance(self, m: int, size: Size) -> Tensor:
        """Return the variance (h, w) of any heatmap after m observations, in units of the noise's variance."""
        key = m, size
        if key not in self._variances:
            if len(self._variances) > 16:
                self._variances.clear()
            inverse = self._solution(m)[1]
            root = torch.linalg.cholesky(inverse.cpu().double()).to(inverse)
            modes = self._map(root.T, size)
            self._variances[key] = (modes - modes.mean((1, 2), keepdim=True)).square().sum(0)
        return self._variances[key]

    def _map(self, beta: Tensor, size: Size) -> Tensor:
        """Return ``Cov(m, x) β / p`` for β (k, cells): (k, h, w)."""
        return self._spread.maps(beta, size)

    def _factors(self, size: Size) -> tuple[Tensor, Tensor]:
        """Return ``Cov(m, x) / p`` at a size as a product of two matrices, (h, coarse) and (w, coarse)."""
        rows, columns = (
            _covariance(self._grid, cell, length, small, self._coarse, self._device)
            for cell, length, small in zip(self._cell, self._size, size, strict=True)
        )
        return (1 - self._p) * rows, columns

    def _most_informative(self, x: Tensor, first: int) -> Tensor:
        """Order observations x (pool, cells) greedily: each next one leaves the heatmap the least variance."""
        ridge = NOISE * x.square().sum(1).mean()
        # Given those chosen so far: covariance of each observation with the heatmap and with β, and its variance.
        with_map = self._map(x, (self._coarse, self._coarse)).flatten(1)
        with_map = with_map - with_map.mean(1, keepdim=True)
        with_beta, variance = x.clone(), x.square().sum(1)
        left, order = torch.ones(len(x)), []
        for _ in range(first):
            best = int((left * with_map.square().sum(1) / (ridge + variance)).argmax())
            order.append(best)
            left[best] = 0
            total = ridge + variance[best]
            shared = x @ with_beta[best] / total
            with_beta = with_beta - shared[:, None] * with_beta[best].clone()
            with_map = with_map - shared[:, None] * with_map[best].clone()
            variance = variance - shared.square() * total
        return torch.cat([torch.tensor(order, dtype=torch.long), left.nonzero()[:, 0]])


@lru_cache(maxsize=32)
def _covariance(grid: int, cell: int, length: int, size: int, coarse: int, device: torch.device) -> Tensor:
    """Return one axis of Cov(m, x) / (p (1 − p)): (size, coarse). Shifts are independent, so the axes multiply."""
    there, here = (shifted(grid, cell, length, small, device) for small in (size, coarse))
    return there @ here.T / cell


@lru_cache(maxsize=8)
def regression_design(
    n: int, grid: int, p: float, seed: int, height: int, width: int, device: torch.device
) -> RegressionDesign:
    """Return the design of these settings; explicands share it."""
    return RegressionDesign(n, grid, p, seed, height, width, device)
