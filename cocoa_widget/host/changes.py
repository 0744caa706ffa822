"""Changes of a widget's traits in one order, whichever threads of page and code make them."""

from __future__ import annotations

import threading
import traceback
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import anywidget
import traitlets
from traitlets import Bunch

MOST_NESTED = 1_000
"""Largest number of changes that observers may make in answer to one change; more are taken for an endless loop."""


class OrderedWidget(anywidget.AnyWidget):
    """A widget whose traits are changed by one thread at a time, and whose observers run when no lock is held.

    A change is made, and sent to the page, under a lock. The observers of all changes are called in the changes' order
    once the lock is free, by the thread that made the change or, while another thread calls observers, by that one. So
    observers may wait for other threads, and two linked widgets cannot wait for each other.
    """

    _order: threading.RLock
    _changes: deque[Bunch]
    _drain: threading.Lock
    _held: dict[str, Bunch] | None = None  # changes of traits that a thread holds back
    _held_values: dict[Any, Any]  # what a subclass holds back beside them
    _depth = _holder = _notifier = _nested = 0
    _page_acts = False

    def __new__(cls, *arguments: Any, **options: Any) -> OrderedWidget:
        """Make a widget, with its locks before any trait is set."""
        widget: OrderedWidget = super().__new__(cls, *arguments, **options)
        widget._order, widget._drain, widget._changes = threading.RLock(), threading.Lock(), deque()
        return widget

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Keep other threads from changing anything during the block; observers are called after the outermost one."""
        outermost = False
        try:
            with self._order:
                self._depth += 1
                try:
                    yield
                finally:
                    self._depth -= 1
                    outermost = self._depth == 0
        finally:
            if outermost:
                self._call_observers()

    @contextmanager
    def by_page(self) -> Iterator[None]:
        """Mark the changes of the block as made by the page and not by code; observers of them count as code."""
        with self.changing():
            before, self._page_acts = self._page_acts, True
            try:
                yield
            finally:
                self._page_acts = before

    @property
    def holds(self) -> bool:
        """Whether the calling thread holds its changes back; see `hold_trait_notifications`."""
        return self._held is not None and self._holder == threading.get_ident()

    @contextmanager
    def hold_trait_notifications(self) -> Iterator[None]:
        """Make all changes of the block one change: the page and observers see none of them before its end.

        A `TraitError`, in the block or of `check_held`, takes all of them back.
        """
        with self.changing():
            if self.holds:
                yield
                return
            held: dict[str, Bunch] = {}
            self._held_values = {}
            self._holder, self._held = threading.get_ident(), held
            failed: BaseException | None = None
            try:
                try:
                    yield
                except traitlets.TraitError:
                    raise
                except BaseException as error:  # not a refusal: what was changed before stays, as with all traits
                    failed = error
                checked = self.check_held(self._held_values)
            except traitlets.TraitError:
                for name, change in held.items():
                    if change.old is traitlets.Undefined:
                        self._trait_values.pop(name, None)
                    else:
                        self._trait_values[name] = change.old
                raise
            finally:
                self._held = None
            try:
                self.commit_held(checked)
            finally:
                for change in held.values():
                    self.notify_change(change)
            if failed is not None:
                raise failed

    def check_held(self, values: dict[Any, Any]) -> Any:
        """Check what was held back beside plain traits, and return it for `commit_held`; may raise `TraitError`."""

    def commit_held(self, checked: Any) -> None:
        """Make the changes that `check_held` has returned."""

    def notify_change(self, change: Bunch) -> None:
        """Send a changed trait to the page, and call its observers as soon as no lock is held."""
        with self.changing():
            if self._held is not None:
                first = self._held.setdefault(change.name, change)
                first.new = change.new
                return
            self.follow(change)
            name = change.name
            reachable = self.comm is not None and getattr(self.comm, "kernel", True) is not None
            if reachable and name in self.keys and self._should_send_property(name, getattr(self, name)):
                self.send_state(name)
            self._enqueue(change)

    def follow(self, change: Bunch) -> None:
        """Do what the widget itself does after a change, before any observer."""

    def send_state(self, key: str | Iterable[str] | None = None) -> None:
        """Send traits to the page, with their values at one moment."""
        with self.changing():
            super().send_state(key)

    def _send(self, msg: Any, buffers: list[bytes] | None = None) -> None:
        """Send to the page; a page that cannot be reached is logged, and stops neither a change nor a thread."""
        try:
            super()._send(msg, buffers)
        except Exception as error:
            # As text: a log that keeps the exception would keep the widget.
            self.log.warning("A message to the page was lost: %s: %s", type(error).__name__, str(error))

    def reason(self, error: Exception) -> str:
        """Return in words why a change of the page failed; log the traceback of what an observer has raised."""
        if isinstance(error, traitlets.TraitError):
            return str(error)
        # As text: a log that keeps the exception would keep the widget.
        self.log.error("An observer of what the page has set has failed.\n%s", traceback.format_exc())
        return f"{type(error).__name__}: {error}"

    def _enqueue(self, change: Bunch) -> None:
        """Remember a change for the observers; hold `_order`."""
        if self._notifier == threading.get_ident():
            self._nested += 1
            if self._nested > MOST_NESTED:
                raise RecursionError(
                    f"Observers of this widget change {change.name!r} again and again, each in answer to another: have"
                    " one of them do nothing where the value is right already."
                )
        self._changes.append(change)

    def _call_observers(self) -> None:
        """Call the observers of all changes, also of those that observers make, unless another thread does so."""
        failed: BaseException | None = None
        while self._changes and self._drain.acquire(blocking=False):
            self._notifier, self._nested = threading.get_ident(), 0
            try:
                while self._changes:
                    try:
                        traitlets.HasTraits.notify_change(self, self._changes.popleft())
                    except Exception as error:  # an observer must not keep others from what has happened
                        failed = failed or error
            finally:
                self._notifier = 0
                self._drain.release()
        if failed is not None:
            raise failed
