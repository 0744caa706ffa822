"""What the engine finds, as messages of the protocol."""

from __future__ import annotations

import numpy as np

from ..insight import ENOUGH, Stability
from ..live import Heatmap, Products, Progress, SeparableTerm, SharedSpread, Update
from . import protocol
from .traits import baseline_name


def products(found: Products) -> tuple[protocol.Products, list[bytes]]:
    """Return products, in one message, and the arrays of their spread, their values and the guides."""
    question, spread = found.question, found.spread
    message: protocol.Products = {
        "kind": "products",
        "space": found.space,
        "settings": {
            "method": question.method.name,
            "baseline": baseline_name(question.baseline),
            "similarity": question.similarity,
            "template": question.template,
            "centred": question.centred,
        },
        "members": found.members,
        "spread": None if spread is None else _spread(spread),
        "items": [
            {
                "image": each.image,
                "method": each.method,
                "preview": each.preview,
                "progress": each.progress,
                "replaces": each.replaces,
            }
            for each in found.items
        ],
        "dropped": found.dropped,
    }
    terms = [array for term in (spread.terms if spread else ()) for array in term.arrays]
    guides = [each.guide for each in found.items if each.guide is not None]
    arrays = [*terms, *(each.values for each in found.items), *guides]
    return message, [each.astype(each.dtype.newbyteorder("<")).tobytes() for each in arrays]


def _spread(spread: SharedSpread) -> protocol.Spread:
    terms: list[protocol.SeparableTerm | protocol.SparseTerm] = [
        {"kind": "separable", "cells": (term.rows.shape[1], term.columns.shape[1])}
        if isinstance(term, SeparableTerm)
        else {"kind": "sparse", "k": term.k, "entries": len(term.cells)}
        for term in spread.terms
    ]
    last: protocol.Filter | None = None
    if spread.filter is not None:
        last = {"radius": spread.filter[0], "epsilon": spread.filter[1]}
    return {"size": spread.size, "terms": terms, "filter": last}


def heatmaps(update: Update) -> tuple[protocol.Heatmaps, list[bytes]]:
    """Return the heatmaps of one update, in one message, and their values."""
    message: protocol.Heatmaps = {
        "kind": "heatmaps",
        "version": update.version,
        "space": update.space,
        "items": [],
        "failed": update.failed,
        "waiting": update.waiting,
    }
    if update.nothing is not None:
        message["nothing"] = update.nothing
    buffers = []
    for heatmap in update.heatmaps:
        item, buffer = _packed(heatmap)
        message["items"].append(item)
        buffers.append(buffer)
    return message, buffers


def stability(version: int, found: dict[str, Stability | None], smallest: int) -> protocol.StabilityReport:
    """Return how stable the answers are."""
    return {
        "kind": "stability",
        "version": version,
        "items": [
            {"image": image, "low": None, "high": None, "correlation": None}
            if each is None
            else {"image": image, "low": each.low, "high": each.high, "correlation": each.correlation}
            for image, each in found.items()
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
        "alike": progress.alike,
    }


def _packed(heatmap: Heatmap) -> tuple[protocol.Heatmap, bytes]:
    # Relative to the peak, since float16 has few digits left for values as small as a pixel's share of a score.
    peak = float(np.abs(heatmap.values[np.isfinite(heatmap.values)]).max(initial=0.0))
    relative = heatmap.values / peak if peak > 0 else np.zeros_like(heatmap.values)
    item: protocol.Heatmap = {
        "image": heatmap.image,
        "method": heatmap.method,
        "layer": heatmap.layer,
        "preview": heatmap.preview,
        "shape": (heatmap.values.shape[0], heatmap.values.shape[1]),
        "peak": peak,
        "score": heatmap.score,
        "progress": heatmap.progress,
    }
    if heatmap.gap is not None:
        item["gap"] = heatmap.gap
    if heatmap.pixelwise:
        item["pixelwise"] = True
    return item, relative.astype("<f2").tobytes()
