"""Bins as a value: what each function makes of them, and what no bins can be."""

from __future__ import annotations

import pytest

from cocoa_widget.sessions import Bins, describe, move, put, replace


def bins(corpus="", foil="", explicands=""):
    return Bins(tuple(corpus), tuple(foil), tuple(explicands))


def test_corpus_and_foil_are_disjoint():
    with pytest.raises(ValueError, match="b cannot be in both corpus and foil"):
        bins("ab", "bc")
    with pytest.raises(ValueError, match="explicands names an image twice"):
        bins("", "", "aa")
    with pytest.raises(ValueError, match="in both"):
        replace(bins("ab"), {"foil": "a"})


@pytest.mark.parametrize(
    ("before", "ids", "to", "after"),
    [
        (bins("ab", "c"), "c", "corpus", bins("abc")),
        (bins("ab", "c"), "ba", "foil", bins("", "cba")),
        (bins("ab", "c"), "ad", "explicands", bins("ab", "c", "ad")),
        (bins("ab", "c", "ac"), "ac", "gallery", bins("b")),
        (bins("ab"), "aa", "corpus", bins("ab")),
    ],
)
def test_move(before, ids, to, after):
    assert move(before, ids, to) == after


def test_one_text_moves_and_several_leave_the_other_bin_alone():
    before = bins("ab")
    assert put(before, "a", "foil") == (bins("b", "a"), ["a"])
    assert put(before, "acc", "foil") == (bins("ab", "c"), ["c"])


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (bins(), bins("abc"), "Add 3 images to corpus"),
        (bins("a"), bins("", "a"), "Add a to foil"),
        (bins("ab", "c"), bins("c", "ab"), "Swap corpus and foil"),
        (bins("ab"), bins(), "Clear corpus"),
        (bins("ab"), bins("b"), "Remove a from corpus"),
        (bins("ab"), bins("ba"), "Reorder"),
        (bins("a", "b", "c"), bins(), "Clear corpus, clear foil, clear explicands"),
    ],
)
def test_changes_in_words(old, new, words):
    assert describe(old, new) == words
