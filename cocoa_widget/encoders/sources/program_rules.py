"""Rules for what a TorchScript program may do, checked before any of it runs.

A TorchScript file is an archive of weights and source code. The code runs in PyTorch's interpreter, which cannot
run Python, but has operations that write files. Parts of the code run as soon as the file is opened: the default values
of arguments, and ``__setstate__``. So the source is checked first, and then the graphs that PyTorch makes of it.

Allowed are the operations of PyTorch on tensors, numbers, texts and containers (``aten``, ``prim``), of quantised
networks (``quantized``) and of detection networks (``torchvision``), without the few of `REFUSED`. Everything else is
refused, whatever it does: other namespaces hold what libraries add, such as ``image::write_file``, messages between
processes (``c10d``) and unchecked access to memory (``inductor``).
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

NAMESPACES = ("aten", "prim", "quantized", "torchvision")

REFUSED = {
    "from_file": "it opens a file, and can write to it",
    "save": "it writes a file",
    "rpc_async": "it runs functions in other processes",
    "rpc_sync": "it runs functions in other processes",
    "rpc_remote": "it runs functions in other processes",
    "PythonOp": "it calls Python",
    "IgnoredPythonOp": "it calls Python",
}

CLASSES = ("quantized", "rnn")
"""Namespaces of the C++ classes that quantised networks keep their weights in."""

MOST_CODE = 64 << 20
"""Limit in bytes for source code; torchvision's largest networks have half a megabyte."""

_FILES = re.compile(r"\.(py|pkl|debug_pkl)$")
_OWN_NAME = re.compile(r"\b__torch__(\.\w+)+")
_CLASS = re.compile(rf"__torch__\.torch\.classes\b(?!\.(?:{'|'.join(CLASSES)})\.\w)(?:\.\w+)*")
# Without a name behind it, the namespace could be assigned to a variable, and the name be looked up later.
_NAMESPACE = re.compile(r"__torch__(?:\.torch)?\b(?!\.\w)")
_TEXT = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_TEXTS = re.compile(rf"(?:{_TEXT.pattern}\s*)+")
_WORD = re.compile(rf"\b({'|'.join(REFUSED)})\b")
_LIBRARY = re.compile(rf"(?<![\w.])ops\b(?!\.({'|'.join(NAMESPACES)})\.)(\.\w+)*")


class Refused(ValueError):
    """A program does something that is not allowed; the message continues a sentence that begins with its path."""


def check_archive(path: Path) -> None:
    """Read the source code in a TorchScript file, without running any.

    Raises
    ------
    Refused
        The code does something that is not allowed, or cannot be distinguished from such code.
    RuntimeError
        The file is not an archive of PyTorch.
    """
    with path.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":  # PyTorch would read it in one of its older or mobile formats
            raise RuntimeError("no archive")
    # PyTorch's own reader is used, as another could find different contents in a manipulated archive.
    reader: Any = torch._C.PyTorchFileReader(str(path))
    names: list[str] = reader.get_all_records()
    twice = [name for name, count in Counter(name.lower() for name in names).items() if count > 1]
    if twice:
        raise Refused(f"holds two files named {twice[0]!r}")
    if reader.has_record("model.json"):
        raise Refused("is of a format from before PyTorch 1.2, of which the code is not checked")
    names = [name for name in names if _FILES.search(name.lower())]
    size = sum(reader.get_record_size(name) for name in names if name.lower().endswith("py"))
    if size > MOST_CODE:
        raise Refused(f"holds {size / 1e6:,.0f} MB of code")
    for name in names:
        # Pickles name a class in two lines.
        text = reader.get_record(name).decode("latin-1")
        _check_classes(text.replace("\n", ".") if name.lower().endswith("pkl") else text, name)
        if name.lower().endswith(".py"):
            _check_source(text, name)


def _check_classes(text: str, file: str) -> None:
    if found := _CLASS.search(text):
        raise Refused(f"uses {found[0]} in {file}, a C++ class that a library may have added")


def _check_source(source: str, file: str) -> None:
    """Look for names in code; once strings are removed, no parser is needed for that."""
    code = _TEXT.sub('""', source)
    # PyTorch writes strings in double quotes, and no comments; otherwise it would be unclear where a string ends.
    if '"""' in code or any(sign in code.replace('""', "") for sign in "\"'#"):
        raise Refused(f"has code in {file} that PyTorch did not write")
    if namespace := _NAMESPACE.search(code):
        raise Refused(f"uses {namespace[0]} in {file} without the name of anything in it")
    code = _OWN_NAME.sub("", code)  # the program's own modules and classes may be called anything
    if word := _WORD.search(code):
        raise Refused(f"uses {word[1]} in {file}: {REFUSED[word[1]]}")
    if library := _LIBRARY.search(code):
        raise Refused(f"uses {library[0]} in {file}, an operation that is not PyTorch's")
    if "getattr" not in code:
        return
    # A name may also be a string, with escapes and in pieces: getattr(torch, "\\146rom_" "file").
    for texts in _TEXTS.finditer(source):
        joined = "".join(text[1] for text in _TEXT.finditer(texts[0]))
        try:
            name = codecs.decode(joined.encode("latin-1"), "unicode_escape")
        except UnicodeDecodeError as error:
            raise Refused(f"has a string in {file} that cannot be decoded") from error
        if name in REFUSED:
            raise Refused(f"uses {name} in {file}: {REFUSED[name]}")


def check_graphs(program: Any) -> None:
    """Check every operation of a loaded program: its methods, those of its modules, and the functions that they call.

    Raises
    ------
    Refused
        One of them is not allowed.
    """
    for name, module in program.named_modules():
        methods = [module._c._get_method(each) for each in module._c._method_names()]
        for method in methods:
            for graph in (method.graph, *(() if name else (method.inlined_graph,))):
                for kind in _operations(graph):
                    _check_operation(kind)


def _check_operation(kind: str) -> None:
    namespace, _, operation = kind.partition("::")
    if operation in REFUSED:
        raise Refused(f"uses {kind}: {REFUSED[operation]}")
    if namespace not in NAMESPACES:
        raise Refused(f"uses {kind}, an operation that is not PyTorch's")


def _operations(graph: Any) -> Iterator[str]:
    """Walk through a graph, the blocks of its loops and branches, and the graphs that its nodes hold."""
    waiting = [graph]
    while waiting:
        for node in waiting.pop().nodes():
            yield node.kind()
            waiting += node.blocks()
            for attribute in node.attributeNames():
                kind = node.kindOf(attribute)
                if kind in ("g", "gs"):
                    waiting += [node.g(attribute)] if kind == "g" else node.gs(attribute)
