"""Answers to questions of the page that take a moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch

from ..evaluation import Curves
from ..images import ImageSet
from ..live import Influences, LiveEngine
from ..texts import class_names
from . import protocol
from .prompts import Prompts

Answer = Iterator[tuple[protocol.Response, list[bytes]]]
"""Messages and their buffers, in the order in which they are sent."""


def influence(request: protocol.Ask, images: ImageSet, engine: LiveEngine) -> Answer:
    """Answer with the influence of the bins' members on the heatmap of an image."""
    images.check([request["image"]])
    yield _influence(request, engine.inspector.influence(request["image"])), []


def curves(
    request: protocol.Ask, images: ImageSet, engine: LiveEngine, goes_on: Callable[[protocol.Curves], bool]
) -> Answer:
    """Answer with the insertion and deletion curves of an image's heatmap.

    `goes_on` is called with the progress after each batch, and returns whether the answer is still wanted.
    """
    image = request["image"]
    images.check([image])
    heatmap = engine.heatmap(image)
    if heatmap is None:
        raise ValueError(f"There is nothing to explain in {image}: put images into the corpus, the foil, or both.")
    found = engine.inspector.curves(
        image, torch.from_numpy(heatmap.values), lambda done, total: goes_on(_curves(request, done, total, None))
    )
    if found is not None:
        yield _curves(request, 1, 1, found), []


def texts(request: protocol.AddTexts, prompts: Prompts) -> Answer:
    """Put prompts into a bin, and answer with what became of them."""
    name = request["list"]
    given = class_names(name) if name else request["texts"]
    added, skipped = prompts.take(given, request["bin"])
    reply: protocol.Texts = {
        "id": request["id"],
        "kind": "texts",
        "added": added,
        "skipped": [{"text": text, "reason": reason} for text, reason in skipped],
        "cut": [] if name else prompts.cut(given),
    }
    yield reply, []


def search(request: protocol.Search, images: ImageSet, engine: LiveEngine) -> Answer:
    """Answer with the images nearest to a prompt, among those that have been encoded."""
    found = engine.search(request["text"])
    reply: protocol.SearchResult = {
        "id": request["id"],
        "kind": "search",
        "images": found.images,
        "scores": found.scores,
        "compared": found.compared,
        "total": len(images),
    }
    yield reply, []


def _influence(request: protocol.Ask, found: Influences) -> protocol.Influence:
    members: list[protocol.Member] = []
    for name, (ids, part) in (("corpus", found.corpus), ("foil", found.foil)):
        for i, image in enumerate(ids if part is not None else []):
            assert part is not None
            members.append(
                {
                    "image": image,
                    "bin": name,  # type: ignore[typeddict-item]
                    "share": float(part.shares[i]),
                    "change": None if part.changes is None else float(part.changes[i]),
                    "outlier": bool(part.outliers[i]),
                }
            )
    members.sort(key=lambda member: -abs(member["share"]))
    return {
        "id": request["id"],
        "kind": "influence",
        "image": request["image"],
        "score": found.score,
        "members": members,
    }


def _curves(request: protocol.Ask, done: int, total: int, found: Curves | None) -> protocol.Curves:
    message: protocol.Curves = {
        "id": request["id"],
        "kind": "curves",
        "image": request["image"],
        "done": done,
        "total": total,
        "fractions": [],
        "curves": [],
    }
    if found is not None:
        message["fractions"] = found.fractions.tolist()
        message["curves"] = [
            {
                "measure": measure,
                "label": found.labels[i],
                "insertion": found.insertion[i, 0].tolist(),
                "deletion": found.deletion[i, 0].tolist(),
                "insertion_auc": float(found.insertion_auc[i, 0]),
                "deletion_auc": float(found.deletion_auc[i, 0]),
            }
            for i, measure in enumerate(found.measures)
        ]
    return message
