"""A function of arrays, wrapped as a module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


class FunctionModule(nn.Module):
    """A function of arrays, wrapped as a module.

    Parameters
    ----------
    function : callable
        Maps a float32 array (B, 3, H, W) to representations (B, d).
    """

    def __init__(self, function: Callable[[np.ndarray], Any]) -> None:
        if not callable(function):
            raise TypeError(f"function must map arrays (B, 3, H, W) to (B, d), not be a {type(function).__name__}.")
        super().__init__()
        self.function = function

    def forward(self, images: Tensor) -> Tensor:
        """Call the function."""
        found = self.function(np.ascontiguousarray(images.detach().cpu().numpy()))
        return found if isinstance(found, Tensor) else torch.from_numpy(np.array(found, dtype=np.float32))

    def extra_repr(self) -> str:
        """Return the function's `repr`, which distinguishes it in the fingerprint: it has no weights."""
        return f"{self.function!r}"
