"""A widget whose three bins are one value, whichever threads of page and code change them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import traitlets
from traitlets import Bunch

from ..encoders import Encoder, EncoderError
from ..images import ImageSet, UnknownImage
from ..sessions import BINS, BinName, Bins, History, Operation, Place, Side, apply, spelt
from ..sessions import bins as of_bins
from ..texts import is_text, named
from .changes import OrderedWidget
from .traits import BinTrait, KernelTrait

MOST_VIEWS = 1_000
"""Number of views whose operations are counted; the view that has changed the bins longest ago is forgotten."""


class BinnedWidget(OrderedWidget):
    """A widget with a corpus, a foil and explicands, whose changes can be undone.

    The traits of the bins hold nothing: they read and replace parts of `bins`, which is replaced as a whole. A subclass
    sets `images` and `encoder` before it fills a bin, and then the history; `follow_bins` is called after each change.
    The bins go to the page together with their history and the numbers of the operations that they contain.
    """

    corpus = BinTrait().tag(sync=True)
    foil = BinTrait().tag(sync=True)
    explicands = BinTrait().tag(sync=True)

    _applied = KernelTrait(lambda widget: widget._numbers).tag(sync=True)
    _steps = KernelTrait(lambda widget: widget._history.newest()).tag(sync=True)

    images: ImageSet
    encoder: Encoder
    template: Any  # str; a trait of the subclass
    _bins = Bins()
    _history: History
    _numbers: dict[str, int]  # of the last operation of each view, in the order of these operations

    def __new__(cls, *arguments: Any, **options: Any) -> BinnedWidget:
        """Make a widget with an empty history."""
        widget: BinnedWidget = super().__new__(cls, *arguments, **options)
        widget._history, widget._numbers = History(Bins()), {}
        return widget

    @property
    def bins(self) -> Bins:
        """Members of corpus, foil and explicands at one moment."""
        return self._bins

    def move(self, images: str | Sequence[str], to: Place) -> None:
        """Put images or prompts into a bin; those that join the corpus leave the foil, and the other way around.

        Parameters
        ----------
        images : str or sequence of str
            Ids.
        to : {"corpus", "foil", "explicands", "gallery"}
            Where to; ``"gallery"`` takes them out of all bins.
        """
        if to not in (*BINS, "gallery"):
            raise ValueError(f"There is no bin {to!r}: choose one of {', '.join(BINS)}, gallery.")
        moved = [images] if isinstance(images, str) else list(images)
        self._check(moved, texts=to != "explicands")
        with self.changing():
            self._replace(of_bins.move(self._present(), moved, to))

    def undo(self) -> None:
        """Take back the last change of the bins."""
        with self.by_page():  # so that nothing warns of prompts that are cut: they were reported when they came
            self._commit(self._history.undo() or self._bins)

    def redo(self) -> None:
        """Make the change of the bins again that was undone last."""
        with self.by_page():
            self._commit(self._history.redo() or self._bins)

    def operate(self, view: str, number: int, operation: Operation) -> None:
        """Apply an operation of a view, and send the bins, which acknowledges it.

        An operation whose number is not the next of its view is ignored: it was applied before, or one before it was
        lost, and the view sends those again that are not acknowledged.

        Raises
        ------
        TraitError
            The operation is refused: the bins cannot hold its result, or it undoes a step that is not the last one.
        """
        with self.by_page():
            last = self._numbers.pop(view, 0)
            due = number == last + 1
            self._numbers[view] = number if due else last
            if not due:
                self.send_bins()
                return
            while len(self._numbers) > MOST_VIEWS:
                del self._numbers[next(iter(self._numbers))]
            before = self._bins
            try:
                self._commit(self._after(operation), f"{view}-{number}")
            except Exception:
                self.send_bins()
                raise
            if self._bins == before:
                self.send_bins()

    def _after(self, operation: Operation) -> Bins:
        """Return the bins after an operation, which are checked; goes back or forth in the history for an undo."""
        if operation["kind"] == "undo" or operation["kind"] == "redo":
            history, kind = self._history, operation["kind"]
            bins = history.undo(operation["step"]) if kind == "undo" else history.redo(operation["step"])
            if bins is None:
                raise traitlets.TraitError(
                    f"Nothing was {kind}ne: code or another view has changed the bins since. Look at what"
                    f" {kind} would do now, and try again."
                )
            return bins
        try:
            after = apply(self._bins, operation)
        except ValueError as error:
            raise traitlets.TraitError(str(error)) from None
        return self._checked({name: list(after[name]) for name in BINS if after[name] != self._bins[name]})

    def _put(self, texts: Sequence[str], to: Side) -> list[str]:
        """Put texts into a bin and return those that are in it now; see `cocoa_widget.sessions.put`."""
        with self.changing():
            bins, put = of_bins.put(self._present(), texts, to)
            self._replace(bins)
        return put

    # ---- changes as one value ------------------------------------------------------------------------------------

    def _members(self, name: BinName) -> Sequence[str]:
        """Return the members of a bin; those that this thread has set and not yet released, where it holds changes.

        Takes no lock: other threads can read while an observer works for long.
        """
        return self._held_values.get(name, self._bins[name]) if self.holds else self._bins[name]

    def _assign(self, members: Mapping[BinName, list[str]]) -> None:
        """Replace the members of some bins, as one change."""
        with self.changing():
            if self.holds:
                self._held_values.update(members)
            else:
                self._commit(self._checked(members))

    def _present(self) -> Bins:
        """Return the bins, with what this thread has set and not yet released; within `changing`."""
        return self._checked(self._held_values) if self.holds else self._bins

    def _replace(self, bins: Bins) -> None:
        """Make `bins` the widget's, at once or when this thread releases what it holds back; within `changing`."""
        if self.holds:
            self._held_values.update({name: list(bins[name]) for name in BINS})
        else:
            self._commit(bins)

    def _commit(self, bins: Bins, step: str | None = None) -> None:
        """Make `bins` the widget's: for every reader at once, then for engine and page, and at last for observers.

        `step` is the id that an operation of the page has in the history.
        """
        with self.changing():
            old, self._bins = self._bins, bins
            self._history.record(bins, step)
            if changed := [name for name in BINS if old[name] != bins[name]]:
                self.follow_bins(old, changed)

    def follow_bins(self, old: Bins, changed: Sequence[BinName]) -> None:
        """Do what the widget itself does after a change of the bins, before any observer; within `changing`."""
        self._announce(old, changed)

    def _announce(self, old: Bins, changed: Sequence[BinName]) -> None:
        """Send changed bins to the page, and have their observers called; within `changing`."""
        self.send_bins(changed)
        for name in changed:
            new = self._bins[name]
            self._enqueue(Bunch(name=name, old=list(old[name]), new=list(new), owner=self, type="change"))

    def send_bins(self, names: Sequence[BinName] = BINS) -> None:
        """Send some of the bins, with their history and the operations that they contain."""
        with self.changing():
            # In one message, so that the page, too, sees one state after the other.
            sent = [*names, "_applied", "_steps"]
            if new_to_page := [name for name in sent if self._should_send_property(name, getattr(self, name))]:
                self.send_state(new_to_page)

    # ---- checks --------------------------------------------------------------------------------------------------

    def check_held(self, values: dict[BinName, list[str]]) -> Bins:
        """Check the bins that a thread has held back."""
        return self._checked(values)

    def commit_held(self, checked: Bins) -> None:
        """Make the bins that a thread has held back the widget's."""
        self._commit(checked)

    def _checked(self, members: Mapping[BinName, list[str]]) -> Bins:
        """Return the bins with other members in some of them; raises `TraitError` for what they cannot hold."""
        found: dict[BinName, list[str]] = {}
        for name, ids in members.items():
            try:
                self._check(ids, texts=name != "explicands")
                found[name] = spelt(ids)
            except (UnknownImage, EncoderError, ValueError) as error:
                raise traitlets.TraitError(f"{name}: {error.args[0]}") from None
        try:
            return of_bins.replace(self._bins, found)
        except ValueError as error:
            to: BinName = "foil" if "foil" in found else "corpus"
            other = set(found.get("corpus", self._bins.corpus) if to == "foil" else self._bins.foil)
            both = list(dict.fromkeys(i for i in found[to] if i in other))
            raise traitlets.TraitError(
                f"{error} To move from one to the other, use widget.move({both!r}, {to!r})."
            ) from None

    def _check(self, members: Sequence[str], *, texts: bool = True) -> None:
        """Refuse what is neither an image nor, with `texts`, a prompt that the encoder can read."""
        prompts = [member for member in members if is_text(member)]
        if prompts and not texts:
            raise ValueError(
                f"{named(prompts)} cannot be explained: heatmaps are of images. Texts go into corpus or foil."
            )
        if prompts:
            self.encoder.text_keys([])  # raises the reason if there is no text tower
        self.images.check([member for member in members if not is_text(member)])
