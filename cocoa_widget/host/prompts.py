"""Prompts on their way into the bins of a widget."""

from __future__ import annotations

from collections.abc import Iterable

from ..sessions import Side, as_members
from ..texts import is_text, prompt_of, text_id, unread
from .binned import BinnedWidget


class Prompts:
    """Prompts that code and page put into the bins of a widget.

    Parameters
    ----------
    widget : BinnedWidget
    """

    def __init__(self, widget: BinnedWidget) -> None:
        self._widget = widget

    def add(self, prompts: Iterable[str], to: Side) -> list[str]:
        """Put prompts of code into a bin; return the ids of those that are in it now. See `CocoaWidget.add_text`."""
        ids = list(dict.fromkeys(text_id(prompt) for prompt in prompts))
        if to not in ("corpus", "foil"):
            raise ValueError(f"Prompts go into corpus or foil, not {to!r}.")
        self._widget._check(ids)
        return self._widget._put(ids, to)

    def take(self, prompts: list[str], to: Side) -> tuple[int, list[tuple[str, str]]]:
        """Put prompts of the page into a bin; return how many are new there, and the skipped ones with the reasons."""
        ids, skipped = as_members(prompts)
        self._widget._check(ids)
        with self._widget.by_page():  # so that nothing warns of prompts that are cut: the page's reply lists them
            before = set(self._widget.bins[to])
            put = set(self._widget._put(ids, to))
        skipped += [(prompt_of(i), "It is in the other bin already.") for i in ids if i not in put]
        return len(put - before), skipped

    def cut(self, prompts: Iterable[str]) -> list[str]:
        """List the prompts that are longer than the encoder reads, in the present template."""
        widget = self._widget
        return widget.encoder.cut_prompts([p for p in prompts if p.strip()], template=widget.template)

    def warning(self, members: Iterable[str]) -> str | None:
        """Return a warning of those members that are prompts and longer than the encoder reads; None without any."""
        prompts = [prompt_of(member) for member in members if is_text(member)]
        cut = self.cut(prompts) if prompts else []
        if not cut:
            return None
        tower = self._widget.encoder.text
        return unread(cut, tower.context if tower else None)
