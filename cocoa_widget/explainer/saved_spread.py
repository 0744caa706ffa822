"""Spreads as tensors with names, for the file of prepared explicands.

A spread with factors has ``rows`` (H, r) and ``columns`` (W, c). One of superpixels has ``labels`` (H, W). One that
ends with a guided filter has ``guide`` (c, h, w) in 8 bits, the numbers ``radius`` and ``epsilon``, and the tensors of
the spread before the filter under ``inner.``. A sum has the tensors of its parts under ``0.``, ``1.`` and so on.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ..attribution import (
    GuidedFilter,
    GuidedSpread,
    SeparableSpread,
    Spread,
    SumSpread,
    SuperpixelSpread,
    separable,
)


def tensors_of(spread: Spread, prefix: str) -> dict[str, Tensor]:
    """Return a spread's tensors by their names, each after `prefix`."""
    if isinstance(spread, SeparableSpread):
        rows, columns = spread.factors()
        return {f"{prefix}rows": rows, f"{prefix}columns": columns}
    if isinstance(spread, GuidedSpread):
        guided, inner = spread.guided, tensors_of(spread.inner, f"{prefix}inner.")
        numbers = {f"{prefix}radius": torch.tensor(guided.radius), f"{prefix}epsilon": torch.tensor(guided.epsilon)}
        return {f"{prefix}guide": guided.pixels, **numbers, **inner}
    if isinstance(spread, SumSpread):
        parts = [tensors_of(part, f"{prefix}{i}.") for i, part in enumerate(spread.parts())]
        return {name: tensor for part in parts for name, tensor in part.items()}
    assert isinstance(spread, SuperpixelSpread)
    return {f"{prefix}labels": spread.labels}


def spread_of(tensors: Mapping[str, Tensor], prefix: str) -> Spread:
    """Return the spread whose tensors `tensors_of` has returned.

    Raises
    ------
    KeyError
        A tensor is missing.
    """
    if (labels := tensors.get(f"{prefix}labels")) is not None:
        return SuperpixelSpread(labels)
    if (guide := tensors.get(f"{prefix}guide")) is not None:
        radius, epsilon = int(tensors[f"{prefix}radius"]), float(tensors[f"{prefix}epsilon"])
        return GuidedSpread(spread_of(tensors, f"{prefix}inner."), GuidedFilter(guide / 255, radius, epsilon))
    if (rows := tensors.get(f"{prefix}rows")) is not None:
        return separable(rows, tensors[f"{prefix}columns"])
    parts: list[Spread] = []
    while any(name.startswith(f"{prefix}{len(parts)}.") for name in tensors):
        parts.append(spread_of(tensors, f"{prefix}{len(parts)}."))
    if not parts:
        raise KeyError(prefix)
    return SumSpread(lambda: parts)
