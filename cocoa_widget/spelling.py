"""Suggestions for misspelt names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Return `` Did you mean …?`` with the most similar known names, or "" if none is similar."""
    folded = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.lower(), folded, n=3, cutoff=cutoff)
    return f" Did you mean {' or '.join(folded[each] for each in near)}?" if near else ""
