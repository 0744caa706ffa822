"""Sizes of heatmaps."""

from __future__ import annotations

from ..attribution import Size


def fitting(side: int, full: Size) -> Size:
    """Return the height and width with the proportions of `full` whose longer side is `side` pixels."""
    longer = max(full)
    return max(1, round(side * full[0] / longer)), max(1, round(side * full[1] / longer))
