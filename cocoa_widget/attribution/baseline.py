"""What replaces the parts of an explicand that a method removes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor


class Baseline(Protocol):
    """Maps preprocessed explicands (n, 3, H, W) to what stands for their absence, in the same shape."""

    def __call__(self, explicands: Tensor) -> Tensor:
        """Return the baselines."""
        ...


@dataclass(frozen=True)
class Blur:
    """The explicand itself, blurred by a Gaussian: the paper's baseline.

    Parameters
    ----------
    kernel_size : int
        Side of the kernel in pixels, odd.
    sigma : float
        Standard deviation in pixels.
    """

    kernel_size: int = 21
    sigma: float = 5.0

    def __post_init__(self) -> None:
        if self.kernel_size < 1 or self.kernel_size % 2 == 0:
            raise ValueError(f"Blur needs an odd kernel_size of at least 1, not {self.kernel_size}.")
        if self.sigma <= 0:
            raise ValueError(f"Blur needs a positive sigma, not {self.sigma}.")

    def __call__(self, explicands: Tensor) -> Tensor:
        """Return the blurred explicands (n, 3, H, W)."""
        half = self.kernel_size // 2
        offsets = torch.arange(-half, half + 1, device=explicands.device, dtype=explicands.dtype)
        kernel = torch.exp(-0.5 * (offsets / self.sigma) ** 2)
        kernel = (kernel / kernel.sum()).expand(explicands.shape[1], 1, 1, -1)
        # A border cannot be mirrored further than the image reaches; repeating it is what is left for tiny ones.
        mode = "reflect" if half < min(explicands.shape[-2:]) else "replicate"
        channels = explicands.shape[1]
        rows = F.conv2d(F.pad(explicands, (half, half, 0, 0), mode), kernel, groups=channels)
        return F.conv2d(F.pad(rows, (0, 0, half, half), mode), kernel.transpose(2, 3), groups=channels)
