"""What is remembered of what the page was sent: nothing is sent twice, and nothing that does not add up."""

from __future__ import annotations

import gc
from dataclasses import replace

import torch

from cocoa_widget.attribution.spread import bilinear
from cocoa_widget.live import sent as module
from cocoa_widget.live.page_spread import Guide, PageSpread
from cocoa_widget.live.sent import Due, Offer, Sent

SPREAD = PageSpread.of(bilinear((3, 3), (9, 9), torch.device("cpu")))


class Prepared:
    """An operator as far as `Sent` looks at it."""

    def __init__(self, done=8, total=8):
        self.done, self.total = done, total

    @property
    def complete(self):
        return self.done >= self.total


def guided(pixels):
    return replace(SPREAD, guide=Guide(pixels, 2, 3e-4))


def give(sent, image, operator, members, needed=(), preview=False, spread=SPREAD):
    """Send what is due of an image, and return it."""
    offer = Offer(operator, spread, preview)
    due = sent.due(image, offer, members, needed)
    if due is not None:
        sent.add(image, offer, operator.done, due)
    return due


def test_nothing_is_sent_twice():
    sent, operator = Sent(), Prepared()
    assert give(sent, "x", operator, ["a", "b"]) == Due(("a", "b"), True, True)
    assert give(sent, "x", operator, ["b", "a"]) is None
    assert give(sent, "x", operator, ["a", "c", "b", "d"]) == Due(("c", "d"), False, False)
    assert give(sent, "x", operator, ["d", "c"]) is None
    assert sent.covers("x", {"a", "b", "c", "d"})
    assert not sent.covers("x", {"e"})
    assert not sent.covers("y", set())


def test_an_image_has_its_own_product_without_members():
    sent, operator = Sent(), Prepared()
    assert give(sent, "x", operator, []) == Due((), True, True)
    assert give(sent, "x", operator, []) is None
    assert sent.covers("x", set())


def test_an_operator_that_is_complete_without_a_further_pass_is_sent_again():
    sent, operator = Sent(), Prepared(8, 100)
    give(sent, "x", operator, ["a"])
    operator.total = 8
    assert give(sent, "x", operator, ["a"]) == Due(("a",), True, False)
    assert give(sent, "x", operator, ["a"]) is None


def test_a_sharper_operator_replaces_when_it_has_two_and_a_half_times_the_passes_or_all():
    sent, operator = Sent(), Prepared(8, 100)
    sends = []
    for operator.done in range(8, 101):
        if give(sent, "x", operator, ["a"]) is not None:
            sends.append(operator.done)
    assert sends == [8, 20, 50, 100]


def test_further_members_wait_while_an_operator_sharpens_unless_they_are_needed():
    sent, operator = Sent(), Prepared(8, 100)
    give(sent, "x", operator, ["a"])
    assert give(sent, "x", operator, ["a", "b"]) == Due(("b",), False, False), "of the same passes: they add up"
    operator.done = 9
    assert give(sent, "x", operator, ["a", "b", "c"], needed={"a", "b"}) is None
    assert give(sent, "x", operator, ["a", "b", "c"], needed={"c"}) == Due(("a", "b", "c"), True, False)
    operator.done = 23
    assert give(sent, "x", operator, ["a", "b", "c", "d"]) == Due(("a", "b", "c", "d"), True, False)


def test_large_products_of_an_incomplete_operator_are_sent_as_far_as_they_are_needed(monkeypatch):
    monkeypatch.setattr(module, "EARLY_BYTES", 2 * 10 * 4)
    sent, operator = Sent(), Prepared(8, 100)
    assert give(sent, "x", operator, ["a", "b", "c"], needed={"b"}) == Due(("b",), True, True)
    assert give(sent, "x", operator, ["a", "b", "c"], needed={"b"}) is None
    assert give(sent, "x", operator, ["a", "b", "c"], needed={"b", "c"}) == Due(("c",), False, False)
    operator.done = 100
    assert give(sent, "x", operator, ["a", "b", "c"], needed={"b"}) == Due(("a", "b", "c"), True, False)


def test_the_method_replaces_its_preview_and_never_the_other_way_round():
    sent, cam, operator = Sent(), Prepared(1, 1), Prepared(8, 100)
    give(sent, "x", cam, ["a"], preview=True)
    assert sent.is_preview("x")
    assert give(sent, "x", operator, ["a"]) == Due(("a",), True, False)
    assert not sent.is_preview("x")
    assert give(sent, "x", cam, ["a"], preview=True) is None, "the store has dropped the operator"
    assert not sent.is_preview("x")


def test_another_operator_of_the_image_is_told_apart_after_the_first_is_gone():
    sent = Sent()
    give(sent, "x", Prepared(), ["a"])
    gc.collect()
    assert give(sent, "x", Prepared(), ["a"]) is None, "what was sent still holds"
    assert give(sent, "x", Prepared(), ["a", "b"]) == Due(("a", "b"), True, False), "but does not add up with another's"


def test_a_spread_is_sent_again_only_when_it_has_changed():
    sent, cam, operator = Sent(), Prepared(1, 1), Prepared(8, 100)
    guide, other = torch.zeros(3, 9, 9, dtype=torch.uint8), torch.ones(3, 9, 9, dtype=torch.uint8)
    spreads = []
    for done, spread in (
        (8, guided(guide)),
        (20, guided(guide.clone())),
        (50, guided(other)),
        (100, replace(guided(other), size=(6, 6))),
    ):
        operator.done = done
        spreads.append(give(sent, "x", operator, ["a"], spread=spread).spread)
    assert spreads == [True, False, True, True]
    give(sent, "y", cam, ["a"], preview=True)
    assert give(sent, "y", operator, ["a"], spread=guided(guide)).spread
    sent.forget({"x"})
    assert give(sent, "x", operator, ["a"], spread=guided(other)).spread


def test_what_is_forgotten_is_sent_again():
    sent, operator = Sent(), Prepared()
    for image in ("x", "y", "z"):
        give(sent, image, operator, ["a"])
    sent.forget({"x"})
    sent.keep(["x", "y"])
    assert [sent.covers(image, {"a"}) for image in ("x", "y", "z")] == [False, True, False]
    assert give(sent, "z", operator, ["a"]) == Due(("a",), True, True)


def test_another_meaning_is_another_space():
    sent, operator = Sent(), Prepared()
    spaces = []
    for meaning in ("cosine", "cosine", "dot", "cosine"):
        sent.enter(meaning)
        spaces.append((sent.space, give(sent, "x", operator, ["a"]) is not None))
    assert spaces == [(1, True), (1, False), (2, True), (3, True)]


def test_images_beyond_the_pages_room_are_left_out(monkeypatch):
    monkeypatch.setattr(module, "KEPT_BYTES", 2 * 10 * 4 * 3)
    sent, operator = Sent(), Prepared(8, 100)
    found = [give(sent, image, operator, ["a", "b"]) is not None for image in ("x", "y", "z")]
    assert found == [True, True, False]
    assert give(sent, "x", operator, ["a", "b", "c"]) is None
    operator.done = 20
    assert give(sent, "x", operator, ["a", "b"]) is not None, "what it replaces makes room"
    sent.keep(["x"])
    assert give(sent, "z", operator, ["a", "b"]) is not None


def test_the_memory_of_a_filter_counts(monkeypatch):
    spread = guided(torch.zeros(3, 9, 9, dtype=torch.uint8))
    monkeypatch.setattr(module, "KEPT_BYTES", 2 * 10 * 4 * 2 + 2 * 48 * 81 - 1)
    sent = Sent()
    found = [give(sent, image, Prepared(), ["a"], spread=spread) is not None for image in ("x", "y")]
    assert found == [True, False]


def test_a_long_scroll_starts_anew(monkeypatch):
    monkeypatch.setattr(module, "KEPT_MEMBERS", 4)
    sent, operator = Sent(), Prepared()
    assert give(sent, "x", operator, ["a", "b"]) == Due(("a", "b"), True, True)
    assert give(sent, "x", operator, ["a", "c", "d"]) == Due(("c", "d"), False, False)
    assert give(sent, "x", operator, ["a", "e"]) == Due(("a", "e"), True, False)
    assert not sent.covers("x", {"b"})


def test_images_that_were_seen_least_recently_make_room_for_those_on_screen(monkeypatch):
    monkeypatch.setattr(module, "KEPT_BYTES", 2 * 10 * 4 * 3)
    sent, operator, every = Sent(), Prepared(), ["w", "x", "y", "z"]
    sent.keep(every, ["x"])
    for image in ("x", "w"):
        assert give(sent, image, operator, ["a", "b"]) is not None
    assert give(sent, "y", operator, ["a", "b"]) is None, "it is out of view, too"
    sent.keep(every, ["w"])
    sent.keep(every, ["z"])  # x was on screen before w
    assert give(sent, "z", operator, ["a", "b"]) is not None
    assert (sent.take_dropped(), sent.take_dropped()) == (["x"], [])
    assert [sent.covers(image, {"a"}) for image in every] == [True, False, False, True]
    sent.keep(every, ["w", "z", "y"])
    assert give(sent, "y", operator, ["a", "b"]) is None, "what is on screen stays"
