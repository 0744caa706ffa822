"""Libraries that only some encoders need: imported when used, and named with their `pip install` when missing."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any


def require(package: str, extra: str, what: str) -> Any:
    """Import an optional package.

    Parameters
    ----------
    package : str
        What to import.
    extra : str
        The extra of cocoa-widget that brings it.
    what : str
        What needs it, for the error.

    Raises
    ------
    ImportError
        The package is not installed; the message says what to install.
    """
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise ImportError(f'{what} needs {package}: pip install "cocoa-widget[{extra}]".') from error


def installed(*packages: str) -> bool:
    """Tell whether all packages are installed, without importing any."""
    return all(find_spec(package) is not None for package in packages)
