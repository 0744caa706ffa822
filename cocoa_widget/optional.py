"""Optional libraries: imported when they are used; if they are missing, the error says what to install."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

NAMES = {"skimage": "scikit-image"}
"""Names on PyPI of packages that are imported under another name."""


def require(package: str, extra: str, what: str) -> Any:
    """Import an optional package.

    Parameters
    ----------
    package : str
        Name of the package, or of a module in it, to import.
    extra : str
        The extra of cocoa-widget that installs it.
    what : str
        What needs it, as the subject of a sentence, for the error.

    Raises
    ------
    ImportError
        The package is not installed; the message says what to install.
    """
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        top = package.partition(".")[0]
        if error.name not in (package, top):
            raise
        raise ImportError(f'{what} needs {NAMES.get(top, top)}: pip install "cocoa-widget[{extra}]".') from error


@contextmanager
def needing(extra: str, what: str) -> Iterator[None]:
    """Name what to install in the error if, in the block, a library lacks another one that `what` needs."""
    try:
        yield
    except ImportError as error:
        if "cocoa-widget[" in str(error):
            raise
        reason = error.name or str(error).strip().splitlines()[0]
        raise ImportError(
            f'{what} needs a package that is not installed ({reason}): pip install "cocoa-widget[{extra}]".'
        ) from error


def installed(*packages: str) -> bool:
    """Return whether all packages are installed, without importing any."""
    return all(find_spec(package) is not None for package in packages)
