"""Heatmaps of many explicands at once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..contrast import LinearScore, Score
from .method import Operator
from .resample import Size
from .spread import Spread


def apply_together(
    operators: Sequence[Operator], scores: Sequence[Score], sizes: Sequence[Size | None]
) -> list[Tensor]:
    """Compute what `Operator.apply` gives for each operator with its own score and size.

    The values of operators that have coefficients, and share spread and size, are spread in one product.

    Parameters
    ----------
    operators : sequence of Operator
    scores : sequence of Score
    sizes : sequence of (int, int) or None
        Height and width to average each heatmap down to; the encoder's input size if None.

    Returns
    -------
    list of Tensor
        (k, h, w) for each operator, float32.
    """
    found: dict[int, Tensor] = {}
    stacks: dict[tuple[Spread, Size | None], list[tuple[int, Tensor]]] = {}
    for i, (operator, score, size) in enumerate(zip(operators, scores, sizes, strict=True)):
        spread = operator.spread  # first: values that are read later belong to it, too
        values = operator.values(score) if spread is not None and isinstance(score, LinearScore) else None
        if spread is None or values is None:
            found[i] = operator.apply(score, size)
        else:
            stacks.setdefault((spread, size), []).append((i, values))
    for (spread, size), stack in stacks.items():
        maps = spread.maps(torch.cat([values for _, values in stack]), size)
        parts = torch.split(maps, [len(values) for _, values in stack])
        found.update(zip([i for i, _ in stack], parts, strict=True))
    return [found[i] for i in range(len(operators))]
