"""Find an encoder's final feature map, and where it is pooled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from .hooks import watchable


def find_pooling(module: nn.Module, run: Callable[[], Tensor]) -> str | None:
    """Name the submodule whose 4-D input, averaged over its positions, *is* the representation.

    Found by running the encoder once (`run` returns its output) and comparing numbers, not by type: so it holds for
    every architecture that ends in global average pooling in a module, and for no other.

    Returns
    -------
    str or None
        The submodule's dotted name; "" if `module` returns the map; None without such pooling.
    """
    inputs: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[[nn.Module, tuple[Any, ...]], None]:
        def hook(_: nn.Module, args: tuple[Any, ...]) -> None:
            # A map of one position has been pooled already.
            if args and isinstance(args[0], Tensor) and args[0].ndim == 4 and args[0].shape[2] * args[0].shape[3] > 1:
                inputs.pop(name, None)  # the last call counts, and lies last
                inputs[name] = args[0]

        return hook

    handles = [m.register_forward_pre_hook(keep(name)) for name, m in watchable(module) if name]
    try:
        output = run()
    finally:
        for handle in handles:
            handle.remove()
    if output.ndim == 4:
        return ""
    for name, tensor in reversed(inputs.items()):
        pooled = tensor.float().mean((2, 3))
        if pooled.shape == output.shape and same(pooled, output):
            return name
    return None


def same(computed: Tensor, output: Tensor) -> bool:
    """Return whether a float32 tensor is what a module returned, up to the rounding of the module's own precision."""
    digits = 8 * torch.finfo(output.dtype).eps
    reference = output.float()
    atol = max(1e-6, digits * float(reference.abs().max())) if output.dtype != torch.float32 else 1e-6
    return torch.allclose(computed, reference, rtol=max(1e-4, digits), atol=atol)


def find_last_map(module: nn.Module, run: Callable[[], Any]) -> str | None:
    """Name the submodule that returns a feature map (B, c, h, w) last; "" for `module` itself, None without any.

    A map has the aspect ratio of the input and is no larger. That excludes the heads of an attention layer, which have
    four dimensions too, and maps with their channels last.
    """
    names: list[str] = []
    images: list[Tensor] = []

    def is_map(output: Any) -> bool:
        if not isinstance(output, Tensor) or output.ndim != 4 or not images:
            return False
        (height, width), (h, w) = images[0].shape[-2:], output.shape[2:]
        return h * w > 1 and h <= height and abs(w - h * width / height) <= 1

    def keep(name: str) -> Callable[[nn.Module, tuple[Any, ...], Any], None]:
        def hook(_: nn.Module, __: tuple[Any, ...], output: Any) -> None:
            if is_map(output):
                names.append(name)

        return hook

    handles = [m.register_forward_hook(keep(name)) for name, m in watchable(module)]
    handles.append(module.register_forward_pre_hook(lambda _, args: images.append(args[0])))
    try:
        run()
    finally:
        for handle in handles:
            handle.remove()
    return names[-1] if names else None
