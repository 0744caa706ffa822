"""Libraries that only some encoders need: imported when used, and named with their `pip install` when missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def needing(extra: str, what: str) -> Iterator[None]:
    """Say what to install where a library misses another one that it needs for this, for `what`."""
    try:
        yield
    except ImportError as error:
        if "cocoa-widget[" in str(error):
            raise
        reason = error.name or str(error).strip().splitlines()[0]
        raise ImportError(
            f'{what} needs what is not installed ({reason}): pip install "cocoa-widget[{extra}]".'
        ) from error


def installed(*packages: str) -> bool:
    """Tell whether all packages are installed, without importing any."""
    return all(find_spec(package) is not None for package in packages)
