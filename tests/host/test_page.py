"""The kernel's end of the wire: messages of the page, and what the engine finds."""

from __future__ import annotations

import time

import numpy as np
import pytest

from tests.conftest import Convolutional, encoder_of, headless
from tests.wire import BINS, Wire


@pytest.mark.parametrize(
    "content", ["nonsense", 5, None, [], {}, {"kind": []}, {"kind": "anywidget-command", "id": "1"}]
)
def test_messages_of_others_are_ignored(make_widget, content):
    wire = Wire(make_widget())
    wire.receive(content)
    wire.reply(wire.ask("thumbnails", images=["p0"], size=24))
    assert not [m for m, _ in wire.messages if m["kind"] == "error"]


def test_the_handler_does_not_wait_for_the_encoder(make_widget):
    class Slow(Convolutional):
        def forward(self, images):
            time.sleep(0.5)
            return super().forward(images)

    widget = make_widget(encoder=encoder_of(Slow()), **BINS)
    wire = Wire(widget)
    wire.ask("hello")
    begun = time.monotonic()
    wire.ask("watch", explicands=32, gallery=16, visible=["p5"])
    widget.set_state({"corpus": ["p4"]})
    wire.operate("swap")
    wire.ask("thumbnails", images=["p0"], size=24)
    assert time.monotonic() - begun < 0.4


def test_heatmaps_come_as_float16_relative_to_their_peak(make_widget):
    widget = make_widget(**BINS)
    wire = Wire(widget)
    wire.ask("watch", explicands=32, gallery=0, visible=[])
    widget.wait(120)
    message, buffers = next((m, b) for m, b in reversed(wire.messages) if m["kind"] == "heatmaps" and m["items"])
    (item,) = message["items"]
    values = np.frombuffer(buffers[0], "<f2").reshape(item["shape"]).astype(np.float32) * item["peak"]
    expected = widget.heatmap("p0")
    np.testing.assert_allclose(values, expected, atol=1e-3 * item["peak"])
    assert item["peak"] == pytest.approx(float(abs(expected).max()))
    assert (item["progress"], item["preview"], item["method"]) == (1, False, "rise")
    assert len(buffers[0]) == 32 * 32 * 2


def test_stability_follows_the_heatmaps(shown):
    widget, wire = shown()
    message, _ = wire.wait(
        lambda m: m["kind"] == "stability" and m["items"] and m["items"][0]["correlation"] is not None
    )
    (item,) = message["items"]
    prepared, bins = headless(widget)
    expected = prepared.stability(**bins)[0]
    assert item["image"] == "p0"
    assert item["low"] == pytest.approx(expected.low, abs=1e-5)
    assert item["high"] == pytest.approx(expected.high, abs=1e-5)
    assert -1 <= item["correlation"] <= 1
    assert message["smallest"] == 2
    assert message["few"]


def test_stability_is_unknown_where_a_bin_has_one_member(shown):
    _, wire = shown(foil=["p3"])
    message, _ = wire.wait(lambda m: m["kind"] == "stability" and m["items"])
    assert message["items"] == [{"image": "p0", "low": None, "high": None, "correlation": None}]
    assert message["smallest"] == 1


def test_stability_is_sent_for_every_question(shown):
    widget, wire = shown()
    first, _ = wire.wait(lambda m: m["kind"] == "stability")
    widget.move("p5", "corpus")
    second, _ = wire.wait(lambda m: m["kind"] == "stability" and m["version"] > first["version"])
    assert second["items"][0]["low"] != first["items"][0]["low"]


def test_a_ping_is_answered_with_whether_the_view_is_known(make_widget):
    widget = make_widget(**BINS)
    wire = Wire(widget)
    assert wire.reply(wire.ask("ping"))[0]["known"] is False
    wire.ask("watch", explicands=32, gallery=0, visible=[])
    assert wire.reply(wire.ask("ping"))[0]["known"] is True
    wire.ask("leave")
    assert wire.reply(wire.ask("ping"))[0]["known"] is False
