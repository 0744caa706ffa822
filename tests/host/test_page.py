"""The kernel's end of the wire: messages of the page, and what the engine finds."""

from __future__ import annotations

import time
from base64 import b64decode

import numpy as np
import pytest

import cocoa_widget as cw
from tests.computing import Computing
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
    # The page cannot compute the heatmaps of this method itself.
    widget = make_widget(**BINS, method=cw.RISE(n_masks=128, estimator="plain"))
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


@pytest.mark.parametrize(
    ("method", "pixelwise"), [("saliency", True), ("integrated_gradients", True), ("grad_cam", False), ("cam", False)]
)
def test_the_page_knows_which_heatmaps_differ_from_pixel_to_pixel(make_widget, method, pixelwise):
    widget = make_widget(**BINS, method=method)
    wire = Wire(widget)
    wire.ask("watch", explicands=32, gallery=0, visible=[])
    widget.wait(120)
    found = [item for message, _ in wire.messages if message["kind"] == "heatmaps" for item in message["items"]]
    assert {item.get("pixelwise", False) for item in found if item["method"] == method} <= {pixelwise}
    if pixelwise:
        assert any(item["method"] == method for item in found)
    assert not any(item.get("pixelwise") for item in found if item["preview"])


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


def test_the_catalogue_brings_every_byte(make_widget):
    wire = Wire(make_widget())
    message, buffers = wire.reply(wire.ask("hello"))
    assert message["kind"] == "catalogue"
    assert buffers == [bytes(range(256))]


def test_buffers_become_strings_for_a_view_that_gets_none(make_widget):
    wire = Wire(make_widget())
    _, (picture,) = wire.reply(wire.ask("thumbnails", images=["p0"], size=24))
    wire.ask("base64")
    message, buffers = wire.reply(wire.ask("thumbnails", images=["p0"], size=24))
    assert (buffers, list(map(b64decode, message["base64"]))) == ([], [picture])
    message, buffers = wire.reply(wire.ask("hello"))
    assert (buffers, list(map(b64decode, message["base64"]))) == ([], [bytes(range(256))])
    message, buffers = wire.reply(wire.ask("ping"))
    assert "base64" not in message, "it has no buffers"


def test_products_are_sent_with_the_settings_that_they_depend_on(shown):
    widget, wire = shown(method=cw.CAM(), similarity="dot")
    page = Computing()
    for message, buffers in wire.messages:
        if message["kind"] == "products":
            page.take(message, buffers)
    assert page.settings == {name: trait for name, trait in widget.get_state().items() if name in page.settings}
    assert page.settings == {
        "method": "cam",
        "baseline": "blur",
        "similarity": "dot",
        "template": "none",
        "centred": False,
    }
    values, score = page.heatmap("p0", "contrastive_corpus", widget.corpus, widget.foil)
    expected = widget.heatmap("p0")
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-5 * abs(expected).max())
    assert score == pytest.approx(values.sum(), rel=1e-4), "CAM is complete"


def test_a_view_that_watches_anew_is_sent_all_products(shown):
    _, wire = shown()
    wire.wait(lambda m: m["kind"] == "stability")  # all else was sent
    count = len(wire.messages)
    wire.ask("watch", explicands=32, gallery=0, visible=[])
    wire.ask("watch", explicands=32, gallery=0, visible=[], renew=True)
    with wire.arrived:
        assert wire.arrived.wait_for(lambda: any(m["kind"] == "heatmaps" for m, _ in wire.messages[count:]), 120)
    (message,) = (m for m, _ in wire.messages[count:] if m["kind"] == "products" and "p1" in m["members"])
    assert [item["replaces"] for item in message["items"]] == [True]


def test_cells_come_to_a_view_that_points_at_places(shown):
    widget, wire = shown(method=cw.CAM())
    wire.ask("watch", explicands=32, gallery=0, visible=[], cells_of="p0")
    message, _ = wire.wait(lambda m: m["kind"] == "products" and m["members"][-1].startswith("cell:"))
    rows, columns = widget._engine._state.store.get("p0", (cw.CAM(), None)).grid
    assert [m for m in message["members"] if m.startswith("cell:")] == [
        f"cell:cam.1:{rows}x{columns}:{i}:p0" for i in range(rows * columns)
    ]
    wire.ask("leave")
    assert widget._engine._state.pointed() == []


def test_an_unknown_image_that_is_pointed_at_is_reported(make_widget):
    widget = make_widget(**BINS)
    wire = Wire(widget)
    message, _ = wire.reply(wire.ask("watch", explicands=32, gallery=0, visible=["p3"], cells_of="nope"))
    assert (message["kind"], "nope" in message["message"]) == ("error", True)
    assert (widget._engine._state.visible(), widget._engine._state.pointed()) == (["p3"], [])


def test_failed_members_are_listed(make_widget, pictures, tmp_path):
    for name, picture in pictures.items():
        picture.save(tmp_path / f"{name}.png")
    images = cw.ImageSet(tmp_path)
    (tmp_path / "p2.png").unlink()
    wire = Wire(make_widget(images, corpus=["p1.png", "p2.png"], foil=["p3.png"], explicands=["p0.png"]))
    wire.ask("watch", explicands=32, gallery=0, visible=[])
    wire.wait(lambda m: m["kind"] == "heatmaps" and m["failed"] == ["p2.png"])
