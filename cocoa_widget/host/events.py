"""What the engine finds, as messages of the protocol."""

from __future__ import annotations

import numpy as np

from ..insight import ENOUGH
from ..live import Picture, Progress, Sureness
from . import protocol


def heatmaps(version: int, pictures: list[Picture], nothing: str | None) -> tuple[protocol.Heatmaps, list[bytes]]:
    """Return the heatmaps of one update, in one message, and their values."""
    message: protocol.Heatmaps = {"kind": "heatmaps", "version": version, "items": []}
    if nothing is not None:
        message["nothing"] = nothing
    buffers = []
    for picture in pictures:
        item, buffer = _packed(picture)
        message["items"].append(item)
        buffers.append(buffer)
    return message, buffers


def reliability(version: int, items: list[Sureness], smallest: int) -> protocol.Reliability:
    """Return how stable the answers are."""
    return {
        "kind": "reliability",
        "version": version,
        "items": [
            {"image": item.image, "low": item.low, "high": item.high, "agreement": item.agreement} for item in items
        ],
        "smallest": smallest,
        "few": 0 < smallest < ENOUGH,
    }


def status(progress: Progress, device: str) -> protocol.Status:
    """Return the progress of the preparation."""
    task: protocol.Task | None = None
    if progress.label is not None:
        task = {"label": progress.label, "done": progress.done, "total": progress.total}
    return {
        "kind": "status",
        "device": device,
        "task": task,
        "ready": progress.ready,
        "explicands": progress.explicands,
        "memory": progress.memory,
        "budget": progress.budget,
    }


def _packed(picture: Picture) -> tuple[protocol.Heatmap, bytes]:
    # Relative to the peak, since float16 has few digits left for values as small as a pixel's share of a score.
    peak = float(np.abs(picture.values).max(initial=0.0))
    relative = picture.values / peak if peak > 0 else np.zeros_like(picture.values)
    item: protocol.Heatmap = {
        "image": picture.image,
        "method": picture.method,
        "layer": picture.layer,
        "preview": picture.preview,
        "shape": (picture.values.shape[0], picture.values.shape[1]),
        "peak": peak,
        "score": picture.score,
        "progress": picture.progress,
    }
    if picture.gap is not None:
        item["gap"] = picture.gap
    return item, relative.astype("<f2").tobytes()
