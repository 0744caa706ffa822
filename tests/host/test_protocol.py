"""Both halves of the protocol declare the same messages and traits."""

from __future__ import annotations

import inspect
import re

import anywidget
import pytest
import traitlets

from cocoa_widget.host import protocol
from cocoa_widget.live import sender, sent
from cocoa_widget.sessions import Steps
from cocoa_widget.widget import CocoaWidget
from tests.host.typescript import Declarations, as_typescript, by_kind, source, union

PAGE = Declarations(source("protocol.ts"))
DEFAULTS = Declarations(source("traits.ts")).constant("DEFAULTS")
TRAITS = {
    name: trait
    for name, trait in CocoaWidget.class_traits(sync=True).items()
    if name not in anywidget.AnyWidget.class_trait_names() and not name.startswith("_")
}


def test_kinds():
    assert sorted(PAGE.words("REQUEST_KINDS")) == sorted(protocol.REQUEST_KINDS)
    assert sorted(PAGE.words("RESPONSE_KINDS")) == sorted(protocol.RESPONSE_KINDS)


@pytest.mark.parametrize(
    ("python", "typescript"), [(protocol.Request, "Request"), (protocol.Response, "Response")], ids=["page", "kernel"]
)
def test_fields(python, typescript):
    """All fields of all messages, with their types and whether they may be left out."""
    assert by_kind(PAGE[typescript]) == by_kind(as_typescript(python))


def test_the_traits_that_come_with_the_bins():
    """Those that only the kernel sets, which have no default on the page."""
    assert dict(PAGE["KernelTraits"][1]) == {"_applied": as_typescript(dict[str, int]), "_steps": as_typescript(Steps)}


def test_traits():
    types = dict(PAGE["Traits"][1])
    assert set(types) == set(TRAITS)
    for name, trait in TRAITS.items():
        assert types[name] in _types_of(trait), name


def _types_of(trait) -> list:
    """Return the types on the page that are right for a trait."""
    if isinstance(trait, traitlets.Enum):
        return ["string", union([("literal", value) for value in trait.values])]
    if isinstance(trait, traitlets.Bool):
        return ["boolean"]
    if isinstance(trait, traitlets.Int | traitlets.Float):
        return ["number"]
    return [("array", "string")] if trait.default_value == [] else ["string"]


def test_the_page_has_the_defaults_of_the_traits():
    assert {name: trait.default_value for name, trait in TRAITS.items()} == DEFAULTS


def test_the_constructor_has_the_defaults_of_the_traits():
    arguments = inspect.signature(CocoaWidget).parameters
    own = {"name", "method"}  # the constructor chooses them
    named = {name: arguments[name].default for name in TRAITS if name in arguments and name not in own}
    assert len(named) == 10
    assert {name: list(value) if value == () else value for name, value in named.items()} == {
        name: TRAITS[name].default_value for name in named
    }


@pytest.mark.parametrize(("name", "value"), [("MOST_MAPS", sender.MOST_MAPS), ("FILTER_COST", sent.FILTER_COST)])
def test_the_page_computes_the_deviations_that_the_kernel_leaves_to_it(name, value):
    assert re.findall(rf"\b{name} = (\d+);", source("compute.ts")) == [str(value)]


def test_types_of_the_page_are_read_as_they_are_written():
    declared = Declarations(
        """
        type Pair = [number, string];
        interface Item { name: string; pairs: (Pair | null)[]; other?: { kind: "a" | "b" } }
        type Message = ({ kind: "a" } | { kind: "b"; item: Item }) & { id: string };
        """
    )
    pairs = ("array", ("union", frozenset({("tuple", ("number", "string")), "null"})))
    kind = ("union", frozenset({("literal", "a"), ("literal", "b")}))
    item = ("object", (("name", "string"), ("other?", ("object", (("kind", kind),))), ("pairs", pairs)))
    assert declared["Item"] == item
    assert by_kind(declared["Message"]) == {"a": {"id": "string"}, "b": {"id": "string", "item": item}}
