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

from .design import SummedDesign, exact
from .error_model import ErrorModel
from .masks import MaskBank, cell_size, draw_grids, draw_shifts, shifted
from .resample import Size
from .spread import SeparableSpread

COARSE = 10
"""Least number of cells along each side of the grid of β; somewhat finer than the masks' own."""
NOISE = 0.2
"""Variance of the noise as a share of the variance of x·β; the same for every encoder."""
POOL = 512
"""Number of observations that are drawn; the most informative are used first."""
ORDERED = 128
"""Number of observations that are put in order; later ones hardly differ in what they add."""
SKETCH = 16
"""Number of sums of the residuals with random signs, from which the noise is estimated."""


class RegressionDesign(SummedDesign):
    """Masks and the regression on their scores.

    At p = ½ masks come in pairs of complements with the same shift. Half the difference of a pair's scores is one
    observation: what a mask and its complement do alike, such as hiding anything at all, cancels.

    The noise is estimated from the residuals r = s − X β. As `SKETCH` sums of residuals with random signs, they are
    linear in the direction, too: a standard error is off by about 18 % then, and exact where scores are given.
    """

    def __init__(self, n: int, grid: int, p: float, seed: int, height: int, width: int, device: torch.device) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.n, self._p, self._size, self._grid = n, p, (height, width), grid
        self._cell = cell_size(grid, height, width)
        self.group = 2 if p == 0.5 else 1
        self._coarse = max(COARSE, grid + 3)
        count = -(-n // self.group)
        self._device = torch.device("cpu")  # masks are drawn and put in order there
        self.spread = SeparableSpread((self._coarse, self._coarse), self._size, self._factors)
        self.k = self.spread.k
        pool = max(POOL, count)
        grids = draw_grids(pool, grid, p, True, generator)
        shifts = draw_shifts(pool, grid, height, width, generator)
        x = (MaskBank(grids, shifts, height, width).small((self._coarse, self._coarse)) - p).flatten(1)
        order = self._most_informative(x, min(ORDERED, count))[:count]
        grids = grids[order]
        if self.group == 2:
            grids = torch.stack([grids, 1 - grids], 1).flatten(0, 1)
        rows, columns = (shift[order].repeat_interleave(self.group)[:n].to(device) for shift in shifts)
        self._bank = MaskBank(grids[:n].to(device), (rows, columns), height, width)
        self._device = device
        self._ridge = NOISE * float(x[order].square().sum(1).mean())
        # X, the signs of the sketch, and ones: with the sums of the answers, others can be centred.
        signs = 2.0 * torch.randint(2, (count, SKETCH), generator=generator) - 1
        self._rows = torch.cat([x[order], signs, torch.ones(count, 1)], 1).to(device, exact(device))
        self.width = self._rows.shape[1]
        self._solutions: dict[int, Tensor] = {}
        self._models: dict[int, ErrorModel] = {}

    def masks(self, start: int, stop: int) -> Tensor:
        """Return masks (k, 1, H, W)."""
        return self._bank.masks(start, stop)

    def add(self, sums: Tensor, start: int, answers: Tensor) -> Tensor:
        """Return the sums with more answers: ``Xᵀ D``, a sketch of D, and the sum of D."""
        observed = (answers[0::2] - answers[1::2]) / 2 if self.group == 2 else answers
        first = start // self.group
        return torch.addmm(sums, self._rows[first : first + len(observed)].T, observed)

    def solve(self, sums: Tensor, n: int) -> Tensor:
        """Return β as a matrix (k, d), and the sketch of its residuals (`SKETCH`, d)."""
        return self._solution(n // self.group) @ sums

    def error_model(self, n: int) -> ErrorModel:
        """Return how the noise of the first n scores reaches heatmaps."""
        m = n // self.group
        if m not in self._models:
            if len(self._models) > 16:
                self._models.clear()
            root = torch.linalg.cholesky(self._solution(m)[: self.k, : self.k].cpu().double())
            self._models[m] = ErrorModel(m, self._ridge, root.float().to(self._device))
        return self._models[m]

    def errors(self, scores: Tensor, size: Size | None) -> Tensor:
        """Return the heatmaps' standard errors (k, h, w), from the residuals."""
        n = scores.shape[1] // self.group * self.group
        answers = scores[:, :n].T.to(self._rows)
        sums = self.add(answers.new_zeros(self.width, answers.shape[1]), 0, answers)
        beta = self.solve(sums, n).T[:, : self.k]
        observed = (answers[0::2] - answers[1::2]) / 2 if self.group == 2 else answers - answers.mean(0)
        residuals = observed.T - beta @ self._centred(len(observed))[:, : self.k].T
        return self.error_model(n).errors(beta, residuals.square().sum(1), self.spread, size)

    def _centred(self, m: int) -> Tensor:
        """Return the first m rows without their ones, less their mean unless masks come in pairs."""
        rows = self._rows[:m, :-1]
        return rows if self.group == 2 else rows - rows.mean(0)

    def _solution(self, m: int) -> Tensor:
        """Return the matrix from the sums over m observations to β and residuals: one solve for all scores."""
        if m not in self._solutions:
            if len(self._solutions) > 64:
                self._solutions.clear()
            k = self.k
            rows = self._centred(m).cpu().double()  # not every device has doubles
            shared = rows.T @ rows
            gram = shared[:k, :k].clone()
            gram.diagonal().add_(self._ridge)
            inverse = torch.linalg.inv(gram)
            solution = torch.zeros(k + SKETCH, self.width, dtype=torch.float64)
            solution[:k, :k] = inverse
            solution[k:, :k] = -shared[k:, :k] @ inverse
            solution[k:, k:-1].fill_diagonal_(1)
            if self.group == 1 and m:
                solution[:, -1] = -solution[:, :-1] @ self._rows[:m, :-1].cpu().double().mean(0)
            self._solutions[m] = solution.to(self._rows)
        return self._solutions[m]

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
        with_map = self.spread.maps(x, (self._coarse, self._coarse)).flatten(1)
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
