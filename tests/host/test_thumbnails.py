"""Thumbnails: sent in parts, as buffers, with the frame that the encoder sees."""

from __future__ import annotations

import pytest

from tests.wire import Wire


def test_thumbnails_come_as_buffers_with_their_frame(make_widget, pictures):
    widget = make_widget()
    wire = Wire(widget)
    request = wire.ask("thumbnails", images=["p0", "p1"], size=24)
    wire.reply(request)
    parts = [(m, b) for m, b in wire.messages if m.get("id") == request]
    items = {item["image"]: (item, buffer) for m, b in parts for item, buffer in zip(m["items"], b, strict=True)}
    assert set(items) == {"p0", "p1"}
    item, buffer = items["p0"]
    assert (item["width"], item["height"]) == (48, 40)
    assert item["frame"] == pytest.approx(widget.encoder.frame(48, 40))
    assert item["type"].startswith("image/")
    assert len(buffer) > 50


def test_an_unknown_image_is_reported_and_the_others_are_answered(make_widget):
    widget = make_widget()
    wire = Wire(widget)
    message, buffers = wire.reply(wire.ask("thumbnails", images=["p0", "nope", "p1"], size=24))
    items = {item["image"]: (item, buffer) for item, buffer in zip(message["items"], buffers, strict=True)}
    assert "nope" in items["nope"][0]["error"]
    assert len(items["p0"][1]) > 50 < len(items["p1"][1])
    message, _ = wire.reply(wire.ask("watch", explicands=0, gallery=0, visible=["p3", "nope"]))
    assert (message["kind"], "nope" in message["message"]) == ("error", True)
    assert widget._engine._state.visible() == ["p3"]
