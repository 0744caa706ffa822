"""Requests that are answered on threads: once at a time, until they are cancelled, while a view is there."""

from __future__ import annotations

import threading

from tests.wire import BINS, Wire, wait_until


def test_cancels_of_unknown_requests_are_not_kept(make_widget):
    widget = make_widget()
    wire = Wire(widget)
    for i in range(50):
        wire.ask("cancel", cancels=f"never-{i}")
    wire.reply(wire.ask("thumbnails", images=["p0"], size=24))
    wire.reply(wire.ask("hello"))
    assert wait_until(lambda: not widget._page._requests._pending)


def test_a_request_that_is_sent_again_is_answered_once_at_a_time(make_widget):
    widget = make_widget()
    wire, gate, calls = Wire(widget), threading.Event(), []
    thumbnails = widget.images.thumbnails

    def slowly(ids, size):
        calls.append(ids)
        gate.wait(120)
        yield from thumbnails(ids, size)

    widget.images.thumbnails = slowly
    message = {"id": "a-1", "kind": "thumbnails", "view": "a", "images": ["p0"], "size": 24}
    for _ in range(5):
        wire.receive(message)
    gate.set()
    wire.reply("a-1")
    assert wait_until(lambda: not widget._page._requests._pending)
    assert calls == [["p0"]]
    wire.receive(message)  # the answer was lost
    assert wait_until(lambda: sum(m.get("id") == "a-1" for m, _ in wire.messages) == 2)


def test_a_cancelled_request_goes_unanswered(make_widget):
    widget = make_widget()
    wire = Wire(widget)
    gate = threading.Event()
    thumbnails = widget.images.thumbnails

    def slowly(ids, size):
        gate.wait(120)
        yield from thumbnails(ids, size)

    widget.images.thumbnails = slowly
    first = wire.ask("thumbnails", images=["p0"], size=24)
    second = wire.ask("thumbnails", images=["p1"], size=24)
    wire.ask("cancel", cancels=first)
    gate.set()
    wire.reply(second)
    assert not any(m.get("id") == first for m, _ in wire.messages)


def test_a_widget_without_views_has_no_threads_and_wakes_when_it_is_needed(make_widget, monkeypatch, own_threads):
    monkeypatch.setattr("cocoa_widget.live.state.LINGER_SECONDS", 0.05)
    widget = make_widget(**BINS)
    wire = Wire(widget)
    wire.ask("watch", explicands=32, gallery=0, visible=["p5"])
    wire.reply(wire.ask("thumbnails", images=["p0"], size=24))
    widget.wait(120)
    assert own_threads()
    wire.ask("leave")
    assert wait_until(lambda: not own_threads())
    widget.corpus = ["p4"]
    assert not own_threads()
    assert widget.heatmap("p0", 120).shape == (32, 32)
    count = len(wire.messages)
    wire.ask("watch", explicands=32, gallery=0, visible=["p5"])
    assert wait_until(lambda: {"products", "heatmaps"} <= {m["kind"] for m, _ in wire.messages[count:]})
    wire.reply(wire.ask("thumbnails", images=["p1"], size=24))


def test_silent_views_expire(make_widget, monkeypatch, own_threads):
    monkeypatch.setattr("cocoa_widget.live.state.LINGER_SECONDS", 0.05)
    monkeypatch.setattr("cocoa_widget.live.state.VIEW_SECONDS", 0.2)
    widget = make_widget(**BINS)
    wire = Wire(widget)
    wire.ask("watch", explicands=32, gallery=0, visible=["p5"])
    widget.wait(120)
    assert wait_until(lambda: not own_threads())
    assert not widget._engine._state.views
