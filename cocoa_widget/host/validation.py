"""Checks of the page's messages, once, where they come in, against their declarations in `protocol`."""

from __future__ import annotations

import types
import typing
from typing import Any, Literal, get_args, get_origin

from . import protocol

LONGEST_ID = 256


class BadMessage(ValueError):
    """A message that is not as the protocol declares it.

    Attributes
    ----------
    request : str or None
        The message's id, if it has one that can be answered.
    """

    def __init__(self, reason: str, request: str | None) -> None:
        super().__init__(f"A message of the page was malformed: {reason}.")
        self.request = request


def checked(message: dict[str, Any]) -> protocol.Request:
    """Return a message as a request of its ``kind``: with the declared fields, of the declared types, and no others.

    Raises
    ------
    BadMessage
        A field is missing or has another type.
    """
    request = message.get("id")
    answerable = request if _is_name(request) else None
    for name in ("id", "view"):
        if not _is_name(message.get(name)):
            raise BadMessage(f"{name!r} must be a string of 1 to {LONGEST_ID} characters", answerable)
    fields = _FIELDS[message["kind"]]
    for name, kind in fields.items():
        if name not in message:
            raise BadMessage(f"{message['kind']!r} needs {name!r}", answerable)
        if not _fits(message[name], kind):
            raise BadMessage(f"{name!r} of {message['kind']!r} has the wrong type", answerable)
    return typing.cast(protocol.Request, {name: message[name] for name in fields})


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= LONGEST_ID


def _fits(value: object, kind: Any) -> bool:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return isinstance(value, str) and value in arguments
    if origin is list:
        return isinstance(value, list) and all(_fits(each, arguments[0]) for each in value)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, each) for each in arguments)
    if typing.is_typeddict(kind):
        fields = typing.get_type_hints(kind)
        return isinstance(value, dict) and {*value} == {*fields} and all(_fits(value[n], fields[n]) for n in fields)
    # True is an int in Python, but no number of pixels.
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))


def _fields() -> dict[str, dict[str, Any]]:
    """Collect the declared fields of each kind of request."""
    found: dict[str, dict[str, Any]] = {}
    for declaration in get_args(protocol.Request):
        hints = typing.get_type_hints(declaration)
        for kind in get_args(hints["kind"]):
            found[kind] = hints
    return found


_FIELDS = _fields()
