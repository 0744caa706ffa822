"""The file ``vectors.json``, against which the page's engine is tested, holds what the kernel computes.

It has products as they are sent to the page, and the kernel's heatmaps and scores. ``UPDATE_VECTORS=1`` writes it.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from cocoa_widget.attribution import (
    CAM,
    RISE,
    KernelSHAP,
    LinearMethod,
    Occlusion,
    Operator,
    PatchTokens,
    SeparableSpread,
)
from cocoa_widget.contrast import TARGETS, Reference, centred, score_of
from cocoa_widget.encoders import Encoded
from cocoa_widget.texts import is_text

FILE = Path(__file__).parents[2] / "js" / "tests" / "engine" / "vectors.json"
INPUT = (32, 48)
SIZE = (8, 12)
DIMENSION = 8
METHODS: dict[str, LinearMethod] = {
    "RISE": RISE(n_masks=128, seed=1),
    "RISE with p = 0.4": RISE(n_masks=128, p=0.4, seed=2),
    "CAM": CAM(),
    "patch tokens": PatchTokens(),
    "Occlusion": Occlusion(window=8, stride=8),
    "KernelSHAP": KernelSHAP(superpixels=4, n_samples=40, seed=3),
}
MEMBERS = ["a/1", "a/2", "b/1", "text:a cat", "text:a dog"]
BINS: list[tuple[list[str], list[str]]] = [
    (["a/1", "text:a cat", "a/2"], ["b/1", "text:a dog"]),
    (["a/2"], []),
    ([], ["text:a dog", "a/1"]),
    ([], []),
]


def vectors(count: int, seed: int) -> Tensor:
    return torch.randn(count, DIMENSION, generator=torch.Generator().manual_seed(seed)) + 1


def operator_of(method: LinearMethod) -> Operator:
    """Return a complete operator, with random representations in place of an encoder's."""
    operator = method.start(torch.zeros(3, *INPUT), torch.ones(3, *INPUT))
    seed = 100
    while not operator.complete:
        count, seed = len(operator.inputs(64)), seed + 1
        features = torch.randn(count, DIMENSION, 4, 6, generator=torch.Generator().manual_seed(seed))
        operator.accept(Encoded(vectors(count, seed), features))
    return operator


def compared(members: Tensor, similarity: str, *, centre: bool) -> Tensor:
    """Return the members' representations as a question compares them."""
    if centre:
        texts = torch.tensor([is_text(member) for member in MEMBERS])
        return centred(members, texts, Reference(vectors(9, 3), vectors(6, 4)), similarity)
    return F.normalize(members, dim=1) if similarity == "cosine" else members


def packed(values: Tensor) -> str:
    return base64.b64encode(values.detach().numpy().astype("<f4").tobytes()).decode()


def unpacked(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<f4")


def case(name: str, similarity: str, *, centre: bool) -> dict:
    """Return the message with an explicand's products, and the answers to questions that need no others."""
    method = METHODS[name]
    operator, own, representations = operator_of(method), vectors(1, 1)[0], vectors(len(MEMBERS), 2)
    coefficients, spread = operator.coefficients_for(similarity), operator.spread
    assert coefficients is not None
    assert isinstance(spread, SeparableSpread)
    mine = F.normalize(own, dim=0) if similarity == "cosine" else own
    each = torch.cat([mine[None], compared(representations, similarity, centre=centre)])
    products = torch.cat([each @ coefficients.T, (each @ mine)[:, None]], dim=1)
    settings = {"method": method.name, "baseline": "blur", "similarity": similarity, "template": "none"}
    return {
        "name": f"{name}, {similarity}{', centred' if centre else ''}",
        "message": {
            "kind": "products",
            "space": 1,
            "dropped": [],
            "settings": {**settings, "centred": centre},
            "members": MEMBERS,
            "cells": list(spread.cells),
            "size": list(SIZE),
            "items": [{"image": "x", "method": method.name, "preview": False, "progress": 1, "replaces": True}],
        },
        "base64": [packed(part) for part in (*spread.factors(SIZE), products)],
        "answers": list(answers(operator, own, each[1:], similarity)),
    }


def answers(operator: Operator, own: Tensor, members: Tensor, similarity: str) -> Iterator[dict]:
    """Yield the kernel's heatmap and score for every target and bins; `half` has half as many pixels a side."""
    for target, compared_with in TARGETS.items():
        for bins in BINS:
            if not compared_with.own and not any(compared_with.used(*bins)):
                continue
            # The cosine's unit vectors stay as they are when they are normalised once more.
            corpus, foil = (members[[MEMBERS.index(m) for m in bin]] if bin else None for bin in bins)
            (score,) = score_of(target, similarity, corpus=corpus, foil=foil, explicands=own[None])
            yield {
                "target": target,
                "corpus": bins[0],
                "foil": bins[1],
                "heatmap": packed(operator.apply(score, SIZE)[0]),
                "half": packed(operator.apply(score, (SIZE[0] // 2, SIZE[1] // 2))[0]),
                "score": float(score(own[None])[0]),
            }


@pytest.fixture(scope="module")
def found() -> list[dict]:
    cases = [case(name, similarity, centre=False) for name in METHODS for similarity in ("cosine", "dot")]
    return [*cases, *(case("RISE", similarity, centre=True) for similarity in ("cosine", "dot"))]


def test_the_pages_vectors_are_what_the_kernel_computes(found: list[dict]) -> None:
    if "UPDATE_VECTORS" in os.environ:
        FILE.write_text(json.dumps(found, separators=(",", ":")) + "\n", encoding="utf-8")
    assert FILE.stat().st_size <= 200_000
    stored = json.loads(FILE.read_text(encoding="utf-8"))
    assert [each["name"] for each in stored] == [each["name"] for each in found]
    for old, new in zip(stored, found, strict=True):
        assert old["message"] == new["message"]
        for a, b in zip(old["base64"], new["base64"], strict=True):
            near(unpacked(a), unpacked(b))
        for a, b in zip(old["answers"], new["answers"], strict=True):
            assert [a[key] for key in ("target", "corpus", "foil")] == [b[key] for key in ("target", "corpus", "foil")]
            assert a["score"] == pytest.approx(b["score"], abs=1e-5)
            for heatmap in ("heatmap", "half"):
                near(unpacked(a[heatmap]), unpacked(b[heatmap]))


def near(a: np.ndarray, b: np.ndarray) -> None:
    assert a.shape == b.shape
    assert np.abs(a - b).max() <= 1e-4 * np.abs(b).max()
