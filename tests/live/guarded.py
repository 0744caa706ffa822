"""A shared state that notes where it is touched without its lock."""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path

import cocoa_widget
from cocoa_widget.live.state import State

PACKAGE = str(Path(cocoa_widget.__file__).parent)
CONSTANT = {"store", "shares_processor", "changed", "lanes"}
"""Set when the engine is made, and never again."""
GUARDED = {field.name for field in fields(State)} - CONSTANT


class GuardedState(State):
    """Notes in `violations` which lines of the package have touched it without holding `changed`."""

    violations: set[str]

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        object.__setattr__(self, "violations", set())

    def _check(self, name):
        own = object.__getattribute__(self, "__dict__")
        if name not in GUARDED or "violations" not in own or own["changed"]._is_owned():
            return
        frame = sys._getframe(2)
        if frame.f_code.co_filename.startswith(PACKAGE):
            own["violations"].add(f"{frame.f_code.co_filename}:{frame.f_lineno} touches {name}")

    def __getattribute__(self, name):
        object.__getattribute__(self, "_check")(name)
        return object.__getattribute__(self, name)

    def __setattr__(self, name, value):
        object.__getattribute__(self, "_check")(name)
        object.__setattr__(self, name, value)
