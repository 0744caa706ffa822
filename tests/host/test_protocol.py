"""Both halves of the protocol say the same."""

from __future__ import annotations

import re
import typing
from pathlib import Path

import pytest

from cocoa_widget.host import protocol
from cocoa_widget.widget import CocoaWidget

SOURCE = (Path(__file__).parents[2] / "js/src/kernel/protocol.ts").read_text(encoding="utf-8")


def words(name):
    return tuple(re.findall(r'"([\w-]+)"', re.search(rf"{name} = \[(.*?)\]", SOURCE, re.S)[1]))


def fields(interface):
    body = re.search(rf"export interface {interface} \{{(.*?)\n\}}", SOURCE, re.S)[1]
    return {name: bool(optional) for name, optional in re.findall(r"^  (\w+)(\??):", body, re.M)}


def test_kinds():
    assert words("REQUEST_KINDS") == protocol.REQUEST_KINDS
    assert words("RESPONSE_KINDS") == protocol.RESPONSE_KINDS


@pytest.mark.parametrize(
    ("python", "typescript"),
    [
        (protocol.Catalogue, "Catalogue"),
        (protocol.Choice, "Choice"),
        (protocol.Thumbnail, "Thumbnail"),
        (protocol.Thumbnails, "Thumbnails"),
        (protocol.Heatmap, "Heatmap"),
        (protocol.Heatmaps, "Heatmaps"),
        (protocol.Sureness, "Sureness"),
        (protocol.Reliability, "Reliability"),
        (protocol.Member, "Member"),
        (protocol.Influence, "Influence"),
        (protocol.Curve, "Curve"),
        (protocol.Curves, "Curves"),
        (protocol.Task, "Task"),
        (protocol.Status, "Status"),
        (protocol.History, "History"),
        (protocol.Texts, "Texts"),
        (protocol.SearchResult, "SearchResult"),
        (protocol.Pong, "Pong"),
        (protocol.Error, "Failure"),
    ],
)
def test_fields(python, typescript):
    hints = typing.get_type_hints(python, include_extras=True)
    expected = {name: typing.get_origin(hint) is typing.NotRequired for name, hint in hints.items()}
    assert fields(typescript) == expected


def test_traits():
    own = {
        name
        for name, trait in CocoaWidget.class_traits(sync=True).items()
        if not name.startswith("_") and trait.this_class is CocoaWidget
    }
    assert set(fields("Traits")) == own
