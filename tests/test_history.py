import pytest

from cocoa_widget.history import Bins, History, describe


def bins(corpus="", foil="", explicands=""):
    return Bins(tuple(corpus), tuple(foil), tuple(explicands))


def test_back_and_forth():
    history = History(bins())
    assert history.undo_label is history.redo_label is None
    assert history.record(bins("a"))
    assert not history.record(bins("a"))
    assert history.record(bins("a", "b"))
    assert history.step(-1) == bins("a")
    assert history.step(-1) == bins()
    assert history.step(-1) is None
    assert history.step(1) == bins("a")
    assert history.redo_label == "Add b to foil"
    history.record(bins("ac"))
    assert history.step(1) is None
    assert history.undo_label == "Add c to corpus"


def test_the_line_has_an_end():
    history = History(bins())
    for i in range(3 * History.LIMIT):
        history.record(Bins((str(i),), (), ()))
    steps = 0
    while history.step(-1):
        steps += 1
    assert steps == History.LIMIT - 1


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
