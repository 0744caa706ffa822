"""Operations on the bins, in Python and on the page alike.

``python -m tests.sessions.test_operations`` writes the sequences that the page's tests repeat.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from cocoa_widget.sessions import BINS, Bins, History, apply
from tests.sessions.test_bins import bins

VECTORS = Path(__file__).parents[2] / "js" / "tests" / "bins" / "operations.json"
IDS = ["a", "b", "c", "d", "e", "text:x", "text:" + "long " * 9 + "prompt"]
PLACES = [*BINS, "gallery"]


@pytest.mark.parametrize(
    ("operation", "after"),
    [
        ({"kind": "move", "ids": ["a", "d"], "origin": "gallery", "to": "foil"}, bins("b", "cad", "a")),
        ({"kind": "move", "ids": ["a"], "origin": "corpus", "to": "gallery"}, bins("b", "c", "a")),
        ({"kind": "move", "ids": ["a", "c"], "origin": "gallery", "to": "gallery"}, bins("b")),
        ({"kind": "move", "ids": ["text:x", "c"], "origin": "foil", "to": "explicands"}, bins("ab", "c", "ac")),
        ({"kind": "clear", "bin": "corpus"}, bins("", "c", "a")),
        ({"kind": "swap"}, bins("c", "ab", "a")),
        ({"kind": "set", "corpus": ["e", "e"], "foil": [], "explicands": ["c"]}, bins("e", "", "c")),
    ],
)
def test_apply(operation, after):
    assert apply(bins("ab", "c", "a"), operation) == after


def test_an_operation_cannot_put_an_image_into_both_bins():
    with pytest.raises(ValueError, match="both corpus and foil"):
        apply(bins(), {"kind": "set", "corpus": ["a"], "foil": ["a"], "explicands": []})


def sequence(seed: int, length: int = 25) -> list[dict]:
    """Return random operations, each with the bins that it leaves and the steps next to them."""
    rng, history, now, found = random.Random(seed), History(Bins()), Bins(), []
    for number in range(length):
        operation = _random(rng, history)
        if operation["kind"] in ("undo", "redo"):
            now = getattr(history, operation["kind"])(operation["step"]) or now
        else:
            now = apply(now, operation)
            history.record(now, f"page-{number}")
        members = [now[name] for name in BINS]
        found.append({"operation": operation, "bins": members, "steps": history.newest(2, 1000)})
    return found


def _random(rng: random.Random, history: History) -> dict:
    kind = rng.choice(["move", "move", "move", "clear", "swap", "set", "undo", "undo", "redo"])
    ids = rng.sample(IDS, rng.randint(1, 4))
    if kind == "move":
        return {"kind": kind, "ids": ids, "origin": rng.choice(PLACES), "to": rng.choice(PLACES)}
    if kind == "clear":
        return {"kind": kind, "bin": rng.choice(BINS)}
    if kind == "set":
        cut = rng.randint(0, len(ids))
        images = [i for i in ids if not i.startswith("text:")]
        return {"kind": kind, "corpus": ids[:cut], "foil": ids[cut:], "explicands": images}
    if kind == "swap":
        return {"kind": kind}
    steps = history.newest()[kind]
    return {"kind": kind, "step": steps[-1]["id"] if steps and rng.random() < 0.9 else "other-1"}


def vectors() -> str:
    """Return the sequences as JSON, one operation a line."""
    lines = (",\n".join(f"    {json.dumps(each)}" for each in sequence(seed)) for seed in range(4))
    return "[\n" + ",\n".join(f"  [\n{each}\n  ]" for each in lines) + "\n]\n"


def test_the_page_is_tested_with_what_the_kernel_does():
    assert VECTORS.read_text(encoding="utf-8") == vectors(), "Run python -m tests.sessions.test_operations."


if __name__ == "__main__":
    VECTORS.write_text(vectors(), encoding="utf-8")
