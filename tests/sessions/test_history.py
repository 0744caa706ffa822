"""Undo and redo: exact, bounded, and small for large bins."""

from __future__ import annotations

import random
import sys

from cocoa_widget.sessions import Bins, History
from tests.sessions.test_bins import bins


def test_back_and_forth():
    history = History(bins())
    assert history.undo_label is history.redo_label is None
    assert history.record(bins("a"))
    assert not history.record(bins("a"))
    assert history.record(bins("a", "b"))
    assert history.undo() == bins("a")
    assert history.undo() == bins()
    assert history.undo() is None
    assert history.redo() == bins("a")
    assert history.redo_label == "Add b to foil"
    history.record(bins("ac"))
    assert history.redo() is None
    assert history.undo_label == "Add c to corpus"


def test_the_number_of_steps_is_bounded():
    history = History(bins())
    for i in range(3 * History.LIMIT):
        history.record(Bins((str(i),), (), ()))
    steps = 0
    while history.undo():
        steps += 1
    assert steps == History.LIMIT


def test_any_sequence_of_changes_is_undone_and_redone_exactly():
    rng = random.Random(0)
    states = [bins()]
    history = History(states[0])
    while len(states) <= 150:
        ids = rng.sample("abcdefghijkl", 12)
        first, second = sorted((rng.randint(0, 12), rng.randint(0, 12)))
        state = Bins(tuple(ids[:first]), tuple(ids[first:second]), tuple(rng.sample(ids, rng.randint(0, 12))))
        if history.record(state):
            states.append(state)
    for state in reversed(states[:-1]):
        assert history.undo() == state
    for state in states[1:]:
        assert history.redo() == state


def test_a_change_of_one_image_keeps_one_image():
    many = tuple(f"image-{i}" for i in range(50_000))
    history = History(Bins(many))
    for i in range(100):
        history.record(Bins((*many[:i], *many[i + 1 :])))
    kept = sum(
        sys.getsizeof(edit["removed"]) + sys.getsizeof(edit["added"])
        for s in history._steps
        for edit in s["edits"].values()
    )
    assert kept < 100 * 1_000
    for _ in range(100):
        history.undo()
    assert history._bins == Bins(many)


def test_a_step_is_undone_and_redone_by_its_id():
    history = History(bins())
    history.record(bins("a"), "page-1")
    history.record(bins("ab"))
    assert history.undo("page-1") is None
    assert history.undo("code-1") == bins("a")
    assert history.redo("page-1") is None
    assert history.undo("page-1") == bins()
    assert history.redo("code-1") is None
    assert history.redo("page-1") == bins("a")


def test_the_newest_steps_have_edits_while_these_are_short():
    history = History(bins())
    for members in ("abcdefgh", "abcdefghi", "abcdefghij"):
        history.record(bins(members))
    history.undo()
    found = history.newest(count=2, ids=3)
    assert [(step["id"], step["edits"]) for step in found["undo"]] == [
        ("code-1", None),  # eight ids
        ("code-2", {"corpus": {"removed": [], "added": [(8, "i")]}}),
    ]
    assert [(step["id"], step["label"]) for step in found["redo"]] == [("code-3", "Add j to corpus")]
    assert [step["id"] for step in history.newest(count=1)["undo"]] == ["code-2"]
    while history.undo():
        pass
    found = history.newest(count=2, ids=8)
    assert [(step["id"], step["edits"] is None) for step in found["redo"]] == [("code-2", True), ("code-1", False)]
