"""The choice of a device, and of the precision that is fast on it."""

from __future__ import annotations

import torch
from torch import nn

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def choose_device(device: str | torch.device) -> torch.device:
    """Resolve ``"auto"`` to CUDA, else MPS, else the CPU."""
    if str(device) != "auto":
        return torch.device(device)
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def choose_precision(precision: str, device: torch.device) -> torch.dtype:
    """Resolve ``"auto"`` to bfloat16 where the device multiplies it faster than float32, else to float32."""
    if precision != "auto":
        if precision not in PRECISIONS:
            raise ValueError(f"Unknown precision {precision!r}: choose one of auto, {', '.join(PRECISIONS)}.")
        return PRECISIONS[precision]
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.get_device_capability(device) >= (8, 0) else torch.float32
    if device.type == "cpu":
        # PyTorch has no public names for these; if one is missing, the answer is no.
        fast = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
        return torch.bfloat16 if any(getattr(torch.cpu, name, bool)() for name in fast) else torch.float32
    return torch.float32


def choose_dtype(precision: str, device: torch.device, module: nn.Module) -> torch.dtype:
    """Return the number format that a module runs in: that of its weights, or of `precision` if they are float32."""
    chosen, weights = choose_precision(precision, device), weights_dtype(module)
    return chosen if weights == torch.float32 else weights


def weights_dtype(module: nn.Module) -> torch.dtype:
    """Return the number format of a module's weights; float32 if it has none."""
    return next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.float32)


def out_of_memory(error: BaseException) -> bool:
    """Return whether an exception means that a smaller batch may succeed (the CPU has no exception class for it)."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
