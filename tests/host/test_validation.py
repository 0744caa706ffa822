"""Malformed messages of the page are reported, and nothing ends by them."""

from __future__ import annotations

import pytest

from tests.wire import BINS, Wire

WATCH = {
    "id": "1",
    "kind": "watch",
    "view": "a",
    "explicands": 32,
    "gallery": 0,
    "visible": [],
    "seen": [],
    "cells_of": None,
    "renew": False,
}


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ({**WATCH, "id": [1]}, "'id' must be a string"),
        ({**WATCH, "id": None}, "'id' must be a string"),
        ({**WATCH, "id": "x" * 300}, "'id' must be a string of 1 to 256"),
        ({"kind": "thumbnails", "view": "a", "images": ["p0"], "size": 24}, "'id' must be a string"),
        ({**WATCH, "view": {}}, "'view' must be a string"),
        ({**WATCH, "explicands": "x"}, "'explicands' of 'watch' has the wrong type"),
        ({**WATCH, "explicands": True}, "'explicands' of 'watch' has the wrong type"),
        ({**WATCH, "visible": "p0"}, "'visible' of 'watch' has the wrong type"),
        ({**WATCH, "visible": [["p0"]]}, "'visible' of 'watch' has the wrong type"),
        ({**WATCH, "cells_of": 3}, "'cells_of' of 'watch' has the wrong type"),
        ({name: WATCH[name] for name in WATCH if name != "cells_of"}, "'watch' needs 'cells_of'"),
        ({"id": "1", "kind": "thumbnails", "view": "a", "images": ["p0"], "size": None}, "'size'"),
        ({"id": "1", "kind": "thumbnails", "view": "a", "size": 24}, "'thumbnails' needs 'images'"),
        ({"id": "1", "kind": "influence", "view": "a", "image": 0}, "'image'"),
        ({"id": "1", "kind": "add_texts", "view": "a", "bin": "explicands", "texts": ["x"], "list": None}, "'bin'"),
        ({"id": "1", "kind": "add_texts", "view": "a", "bin": "foil", "texts": [5], "list": None}, "'texts'"),
        ({"id": "1", "kind": "search", "view": "a", "text": {}}, "'text'"),
        ({"id": "1", "kind": "cancel", "view": "a", "cancels": []}, "'cancels'"),
        ({"id": "1", "kind": "operation", "view": "a", "number": 1, "operation": {"kind": "clear"}}, "'operation'"),
        ({"id": "1", "kind": "operation", "view": "a", "number": 1, "operation": {"kind": "clear", "bin": "x"}}, "'op"),
        ({"id": "1", "kind": "operation", "view": "a", "number": 1, "operation": {"kind": "boil"}}, "'operation'"),
        ({"id": "1", "kind": "operation", "view": "a", "number": 1, "operation": "swap"}, "'operation'"),
        ({"id": "1", "kind": "operation", "view": "a", "number": "1", "operation": {"kind": "swap"}}, "'number'"),
    ],
)
def test_malformed_messages_are_reported_and_end_nothing(make_widget, message, says):
    widget = make_widget(**BINS)
    wire = Wire(widget)
    wire.receive(message)
    error, _ = wire.wait(lambda m: m["kind"] == "error")
    assert says in error["message"]
    assert error.get("id") == (message.get("id") if message.get("id") == "1" else None)
    # Thumbnails, the engine and the handler work on.
    assert wire.reply(wire.ask("thumbnails", images=["p0"], size=24))[0]["items"][0]["image"] == "p0"
    wire.ask("watch", explicands=32, gallery=0, visible=["p0"])
    assert widget.heatmap("p0", 120).shape == (32, 32)
