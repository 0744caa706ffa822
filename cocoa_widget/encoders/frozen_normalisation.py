"""Batch normalisation in eval mode, made cheap to differentiate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode


class _Scale(torch.autograd.Function):
    """``x · scale + shift``, which keeps only `scale` for the backward pass."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        ctx.save_for_backward(scale)
        return torch.addcmul(shift, x, scale)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (scale,) = ctx.saved_tensors
        return gradients[0] * scale, None, None


class FrozenNormalisation(TorchFunctionMode):
    """A context in which batch normalisation by running statistics is a scale and a shift.

    PyTorch's own keeps its whole input for the backward pass. Only the gradients by its weights need that, and they are
    never computed here. This takes a third less memory, and less time where normalisation is much of the work.
    """

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Replace `torch.nn.functional.batch_norm`."""
        if function is F.batch_norm:
            return _normalised(*args, **(kwargs or {}))
        return function(*args, **(kwargs or {}))


def _normalised(
    x: Tensor,
    mean: Tensor | None,
    variance: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    if training or mean is None or variance is None:
        return F.batch_norm(x, mean, variance, weight, bias, training, momentum, eps)
    scale = (variance + eps).rsqrt()
    scale = scale if weight is None else scale * weight
    shift = -mean * scale
    shift = shift if bias is None else shift + bias
    shape = (1, -1) + (1,) * (x.ndim - 2)
    found: Tensor = _Scale.apply(x, scale.detach().view(shape).to(x), shift.detach().view(shape).to(x))
    return found
