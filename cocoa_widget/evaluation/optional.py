"""Import of libraries that only some functions need."""

from __future__ import annotations

import importlib
from typing import Any


def need(module: str) -> Any:
    """Return an optional module; raise an `ImportError` that says how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        name = {"skimage": "scikit-image"}.get(package := module.partition(".")[0], package)
        raise ImportError(f'This needs {name}, which is not installed: pip install "cocoa-widget[demo]".') from error
