"""A parser of the page's declarations: enough of TypeScript to compare its types and constants with Python's.

A type is ``"string"``, ``"number"``, ``"boolean"``, ``"null"``, or one of ``("literal", value)``, ``("array", type)``,
``("tuple", types)``, ``("record", type)`` for values under any names, ``("union", types)`` and ``("object", fields)``;
a field is a pair of its name and its type, and the name of an optional field ends in ``?``. Names of other types are
replaced by what they stand for.
"""

from __future__ import annotations

import json
import re
import types
import typing
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "js" / "src"
TOKEN = re.compile(r'"[^"]*"|[\w$]+|\[\]|[^\s\w]')
PLAIN = {"string", "number", "boolean", "null"}


def source(name: str) -> str:
    """Return the text of a file of the page, whichever of its rooms holds it; without comments."""
    (path,) = SOURCES.rglob(name)
    return re.sub(r"/\*.*?\*/|^\s*//[^\n]*", "", path.read_text(encoding="utf-8"), flags=re.S | re.M)


class Declarations:
    """The exported types of a file, by name."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __getitem__(self, name: str):
        found = re.search(rf"\b(?:interface {name}\b|type {name}\s*=)", self._text)
        assert found, f"{name} is not declared"
        return _Parser(TOKEN.findall(self._text[found.end() :]), self).type()

    def words(self, name: str) -> list[str]:
        """Return the strings of a constant array."""
        return re.findall(r'"([\w-]+)"', re.search(rf"\b{name} = \[(.*?)\]", self._text, re.S)[1])

    def constant(self, name: str) -> dict:
        """Return a constant object of plain values."""
        body = re.search(rf"\b{name}\b[^=]*= (\{{.*?\n\}})", self._text, re.S)[1]
        return json.loads(re.sub(r",(\s*\})", r"\1", re.sub(r"(\w+):", r'"\1":', body)))


class _Parser:
    def __init__(self, tokens: list[str], declared: Declarations) -> None:
        self._tokens, self._declared, self._at = tokens, declared, 0

    def type(self):
        self._skip("|")
        alternatives = [self._intersection()]
        while self._skip("|"):
            alternatives.append(self._intersection())
        return union(alternatives)

    def _intersection(self):
        found = self._postfix()
        while self._skip("&"):
            (_, more) = self._postfix()
            found = union([("object", tuple(sorted({*each[1], *more}))) for each in alternatives(found)])
        return found

    def _postfix(self):
        found = self._primary()
        while self._skip("[]"):
            found = ("array", found)
        return found

    def _primary(self):
        token = self._next()
        if token.startswith('"'):
            return ("literal", token[1:-1])
        if token == "(":
            found = self.type()
            self._expect(")")
            return found
        if token == "[":
            items = [self.type()]
            while self._skip(","):
                items.append(self.type())
            self._expect("]")
            return ("tuple", tuple(items))
        if token == "{":
            return self._object()
        if token == "Record":
            for each in ("<", "string", ","):
                self._expect(each)
            found = self.type()
            self._expect(">")
            return ("record", found)
        return token if token in PLAIN else self._declared[token]

    def _object(self):
        fields = []
        while not self._skip("}"):
            name = self._next()
            name += "?" if self._skip("?") else ""
            self._expect(":")
            fields.append((name, self.type()))
            self._skip(";")
        return ("object", tuple(sorted(fields)))

    def _next(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1]

    def _skip(self, token: str) -> bool:
        found = self._tokens[self._at : self._at + 1] == [token]
        self._at += found
        return found

    def _expect(self, token: str) -> None:
        found = self._next()
        assert found == token, f"{token!r} expected, not {found!r}"


def union(found: list):
    """Return the union of some types, which is the type itself where there is one."""
    flat = {each for one in found for each in alternatives(one)}
    return flat.pop() if len(flat) == 1 else ("union", frozenset(flat))


def alternatives(kind) -> list:
    """Return the types of a union, or the only one."""
    return list(kind[1]) if kind[0] == "union" else [kind]


def by_kind(messages) -> dict[str, object]:
    """Return the messages of a union by each value of their ``kind``."""
    found = {}
    for message in alternatives(messages):
        fields = dict(message[1])
        for _, kind in alternatives(fields.pop("kind")):
            assert kind not in found, f"two messages of the kind {kind!r}"
            found[kind] = fields
    return found


def as_typescript(hint):
    """Return what an annotation of Python is on the page."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if typing.is_typeddict(hint):
        hints = typing.get_type_hints(hint, include_extras=True)
        return ("object", tuple(sorted(_field(name, each) for name, each in hints.items())))
    if origin is typing.Literal:
        return union([("literal", value) for value in arguments])
    if origin is list:
        return ("array", as_typescript(arguments[0]))
    if origin is dict:
        return ("record", as_typescript(arguments[1]))
    if origin is tuple:
        return ("tuple", tuple(map(as_typescript, arguments)))
    if origin in (typing.Union, types.UnionType):
        return union([as_typescript(each) for each in arguments])
    return {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}[hint]


def _field(name: str, hint):
    if typing.get_origin(hint) is typing.NotRequired:
        return f"{name}?", as_typescript(typing.get_args(hint)[0])
    return name, as_typescript(hint)
