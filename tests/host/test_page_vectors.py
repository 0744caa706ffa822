"""The file ``vectors.json``, against which the page's engine is tested, holds what the kernel computes.

It has products as they are sent to the page, and the kernel's heatmaps and scores. ``UPDATE_VECTORS=1`` writes it.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from cocoa_widget.attribution import (
    CAM,
    RISE,
    Blur,
    GuidedFilter,
    KernelSHAP,
    LinearMethod,
    Occlusion,
    Operator,
    PatchTokens,
    SharpCAM,
)
from cocoa_widget.attribution.guided_filter import GuidedOperator
from cocoa_widget.contrast import TARGETS, Reference, centred, score_of
from cocoa_widget.encoders import Encoded
from cocoa_widget.host import events
from cocoa_widget.insight.stability import Members, deviation
from cocoa_widget.live import Product, Products, Question, SharedSpread
from cocoa_widget.live.page_spread import PageSpread
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


def bands(explicand: Tensor) -> Tensor:
    """Return labels whose borders lie within the pixels of smaller heatmaps."""
    return (3 * torch.arange(explicand.shape[1])[:, None] + torch.arange(explicand.shape[2])) // 30


OTHERS: dict[str, LinearMethod] = {
    "superpixels": KernelSHAP(superpixels=bands, n_samples=30, seed=4),
    "sum": SharpCAM(masks=64, follow_edges=False),
    "guided filter": CAM(follow_edges=True),
    "constant guide": CAM(follow_edges=True),
}
"""Methods whose spreads are of other kinds: for them, the file has the cosine and `PAIRS` alone."""
PAIRS = [(["a/1", "text:a cat"], ["b/1", "text:a dog"])]
"""Bins that are small enough for the page to compute a deviation, and large enough to have one."""
MEMBERS = ["a/1", "a/2", "b/1", "text:a cat", "text:a dog"]
BINS: list[tuple[list[str], list[str]]] = [
    (["a/1", "text:a cat", "a/2"], ["b/1", "text:a dog"]),
    (["a/2"], []),
    ([], ["text:a dog", "a/1"]),
    ([], []),
]


def vectors(count: int, seed: int) -> Tensor:
    return torch.randn(count, DIMENSION, generator=torch.Generator().manual_seed(seed)) + 1


def guide_of(name: str) -> Tensor:
    """Return a guide (3, h, w) of the heatmaps' size."""
    if name == "constant guide":
        return torch.full((3, *SIZE), 0.5)
    return torch.rand(3, *SIZE, generator=torch.Generator().manual_seed(7))


def operator_of(name: str) -> Operator:
    """Return a complete operator, with random representations in place of an encoder's."""
    method = (METHODS | OTHERS)[name]
    operator = method.start(torch.zeros(3, *INPUT), torch.ones(3, *INPUT))
    seed = 100
    while not operator.complete:
        count, seed = len(operator.inputs(64)), seed + 1
        features = torch.randn(count, DIMENSION, 4, 6, generator=torch.Generator().manual_seed(seed))
        operator.accept(Encoded(vectors(count, seed), features))
    return GuidedOperator(operator, GuidedFilter(guide_of(name), 2), INPUT) if method.follow_edges else operator


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


def case(name: str, similarity: str, bins: list[tuple[list[str], list[str]]], *, centre: bool = False) -> dict:
    """Return the message with an explicand's products, and the answers to questions that need no others."""
    method = (METHODS | OTHERS)[name]
    operator, own, representations = operator_of(name), vectors(1, 1)[0], vectors(len(MEMBERS), 2)
    coefficients = operator.coefficients_for(similarity)
    assert coefficients is not None
    assert operator.spread is not None
    spread = PageSpread.of(operator.spread)
    assert spread is not None
    spread = replace(spread, size=SIZE)
    mine = F.normalize(own, dim=0) if similarity == "cosine" else own
    each = torch.cat([mine[None], compared(representations, similarity, centre=centre)])
    values = torch.cat([each @ coefficients.T, (each @ mine)[:, None]], dim=1)
    question = Question((), (), ("x",), method, "corpus", similarity, Blur(), template="none", centred=centre)
    shared = SharedSpread(spread.size, spread.terms(), spread.settings)
    item = Product("x", method.name, False, 1, True, values.numpy(), spread.picture)
    message, buffers = events.products(Products(1, question, MEMBERS, shared, [item], []))
    return {
        "name": f"{name}, {similarity}{', centred' if centre else ''}",
        "message": json.loads(json.dumps(message)),
        "base64": [base64.b64encode(buffer).decode() for buffer in buffers],
        "answers": list(answers(operator, own, each[1:], similarity, bins)),
    }


def answers(
    operator: Operator, own: Tensor, members: Tensor, similarity: str, binned: list[tuple[list[str], list[str]]]
) -> Iterator[dict]:
    """Yield the kernel's heatmap and score for every target and bins; `half` has half as many pixels a side."""
    for target, compared_with in TARGETS.items():
        seen: list[tuple[list[str] | None, list[str] | None]] = []
        for bins in binned:
            used = compared_with.used(*bins)
            if used in seen or not (compared_with.own or any(used)):
                continue
            seen.append(used)
            # The cosine's unit vectors stay as they are when they are normalised once more.
            corpus, foil = (members[[MEMBERS.index(m) for m in bin]] if bin else None for bin in bins)
            (score,) = score_of(target, similarity, corpus=corpus, foil=foil, explicands=own[None])
            found = {
                "target": target,
                "corpus": bins[0],
                "foil": bins[1],
                "heatmap": packed(operator.apply(score, SIZE)[0]),
                "half": packed(operator.apply(score, (SIZE[0] // 2, SIZE[1] // 2))[0]),
                "score": float(score(own[None])[0]),
            }
            if binned is PAIRS:
                of = Members(corpus, foil).used_by(target)
                found["deviation"] = packed(deviation(operator, score, of, SIZE))
            yield found


@pytest.fixture(scope="module")
def found() -> list[dict]:
    cases = [case(name, similarity, BINS) for name in METHODS for similarity in ("cosine", "dot")]
    cases += [case("RISE", similarity, BINS, centre=True) for similarity in ("cosine", "dot")]
    return [*cases, *(case(name, "cosine", PAIRS) for name in OTHERS)]


def test_the_pages_vectors_are_what_the_kernel_computes(found: list[dict]) -> None:
    if "UPDATE_VECTORS" in os.environ:
        FILE.write_text(json.dumps(found, separators=(",", ":")) + "\n", encoding="utf-8")
    assert FILE.stat().st_size <= 200_000
    stored = json.loads(FILE.read_text(encoding="utf-8"))
    assert [each["name"] for each in stored] == [each["name"] for each in found]
    for old, new in zip(stored, found, strict=True):
        assert old["message"] == new["message"]
        for a, b in zip(old["base64"], new["base64"], strict=True):
            assert a == b or near(unpacked(a), unpacked(b))
        for a, b in zip(old["answers"], new["answers"], strict=True):
            assert [a[key] for key in ("target", "corpus", "foil")] == [b[key] for key in ("target", "corpus", "foil")]
            assert a["score"] == pytest.approx(b["score"], abs=1e-5)
            for heatmap in {"heatmap", "half", "deviation"} & a.keys():
                assert near(unpacked(a[heatmap]), unpacked(b[heatmap]))


def near(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and bool(np.abs(a - b).max() <= 1e-4 * np.abs(b).max())
