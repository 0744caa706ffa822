"""How a page finds out whether its kernel is there, and whether it is the one that it knows."""

from __future__ import annotations

from tests.wire import BINS, Wire


def test_a_ping_is_answered_with_whether_the_view_is_known(make_widget):
    widget = make_widget(**BINS)
    wire = Wire(widget)
    assert wire.reply(wire.ask("ping"))[0]["known"] is False
    wire.ask("watch", explicands=32, gallery=0, visible=[])
    assert wire.reply(wire.ask("ping"))[0]["known"] is True
    wire.ask("leave")
    assert wire.reply(wire.ask("ping"))[0]["known"] is False


def test_names(make_widget):
    first, second = make_widget(**BINS), make_widget(**BINS)
    assert first.name
    assert first.name != second.name
    named = make_widget(**BINS, name="cats")
    assert named.name == "cats"
    assert named.get_state()["name"] == "cats"


def test_the_catalogue_names_the_model(make_widget):
    widget = make_widget(**BINS)
    wire = Wire(widget)
    catalogue, _ = wire.reply(wire.ask("hello"))
    assert catalogue["model"] == widget.model_id
