"""The page as esbuild has built it: one module and one style sheet."""

from __future__ import annotations

from functools import cache
from pathlib import Path

STATIC = Path(__file__).parents[1] / "static"


@cache
def page_file(name: str) -> str:
    """Return a file of the built page.

    As text and not as a path: anywidget watches paths through an object that keeps every widget alive (its issue 929).
    """
    try:
        return (STATIC / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RuntimeError(
            f"The page ({name}) has not been built. In a checkout, run `npm ci && npm run build` in js/, or install the"
            " package again without COCOA_WIDGET_SKIP_PAGE."
        ) from None
