"""The noise of scores under random masks, and how it reaches heatmaps."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from .resample import Size, smaller
from .spread import Spread


@dataclass(frozen=True, eq=False)
class ErrorModel:
    """What the standard errors of a ridge regression's heatmaps depend on, apart from the scores.

    Attributes
    ----------
    observations : int
        Number of observations.
    ridge : float
        The penalty's factor.
    root : Tensor
        (k, k), R with the coefficients' covariance ``R Rᵀ``, in units of the noise's variance.
    """

    observations: int
    ridge: float
    root: Tensor
    _variances: dict[tuple[Spread, Size], Tensor] = field(default_factory=dict, repr=False)

    def errors(self, values: Tensor, residuals: Tensor, spread: Spread, size: Size | None) -> Tensor:
        """Return the standard errors (j, h, w) of heatmaps, without that of the offset, which has no meaning.

        Parameters
        ----------
        values : Tensor
            (j, k), the coefficients' products with the directions.
        residuals : Tensor
            (j,), the sum of the squared residuals.
        spread : Spread
        size : (int, int) or None
            As for `Spread.maps`.
        """
        # Maximum likelihood estimate: observed · (1 + X Xᵀ / ridge)⁻¹ · observed / observations.
        noise = (residuals + self.ridge * values.square().sum(1)) / max(self.observations, 1)
        return (noise.float()[:, None, None] * self.variance(spread, smaller(size, spread.full))).sqrt()

    def variance(self, spread: Spread, size: Size) -> Tensor:
        """Return the variance (h, w) of any heatmap, in units of the noise's variance."""
        key = spread, size
        if key not in self._variances:
            if len(self._variances) > 16:
                self._variances.clear()
            modes = spread.maps(self.root.T, size)
            self._variances[key] = (modes - modes.mean((1, 2), keepdim=True)).square().sum(0)
        return self._variances[key]
