"""Kinds of traits of `CocoaWidget`: bins that change together, and settings that are checked when they are set.

Every check runs inside `validate`. Traitlets skips cross-validation while any thread holds notifications back, so a
value that another thread sets at that moment would pass unchecked.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, SupportsIndex, TypeVar

import traitlets

from ..attribution import Baseline, Method, as_baseline, as_method
from ..sessions import BinName

T = TypeVar("T")


class BinsOwner(Protocol):
    """The widget whose bins the traits of bins read and replace."""

    def changing(self) -> AbstractContextManager[None]:
        """Keep other threads from changing anything in the block."""
        ...

    def _members(self, name: BinName) -> Sequence[str]:
        """Return the members of a bin, as the calling thread sees them."""
        ...

    def _assign(self, members: Mapping[BinName, list[str]]) -> None:
        """Replace the members of some bins; raises `TraitError` for what they cannot hold."""
        ...


class Ordered(traitlets.TraitType[Any, Any]):
    """A trait of an `OrderedWidget`, which only one thread at a time sets."""

    def set(self, obj: Any, value: Any) -> None:
        """Set the trait while no other thread changes anything, or takes changes back."""
        with obj.changing():
            super().set(obj, value)


class Enum(Ordered, traitlets.Enum[str]):
    """One of some strings."""


class Int(Ordered, traitlets.Int[int, Any]):
    """A whole number."""


class Bool(Ordered, traitlets.Bool[bool, Any]):
    """True or false."""


def _chosen(value: str | T, known: dict[str, T], make: Callable[[str | T], T], name_of: Callable[[T], str]) -> T:
    """Return the object that was last set under a name, or make it; it is known by its name from then on."""
    if isinstance(value, str) and value in known:
        return known[value]
    try:
        made = make(value)
    except (TypeError, ValueError) as error:
        raise traitlets.TraitError(str(error)) from None
    known[name_of(made)] = made
    return made


class MethodTrait(Ordered):
    """A method, set by name or as an object; the page knows it by name."""

    info_text = "the name of a method, or a method"

    def validate(self, obj: Any, value: str | Method) -> Method:
        """Turn a name into a method, with the settings that the last method of this name had."""
        known: dict[str, Method] = obj._choices.methods
        return _chosen(value, known, as_method, lambda method: method.name)


class BaselineTrait(Ordered):
    """A baseline, set by name or as an object; the page knows it by name."""

    info_text = "the name of a baseline, or a baseline"

    def validate(self, obj: Any, value: str | Baseline) -> Baseline:
        """Turn a name into a baseline: the last one that was set under this name."""
        known: dict[str, Baseline] = obj._choices.baselines
        return _chosen(value, known, lambda each: as_baseline(each, obj.encoder), baseline_name)


def baseline_name(baseline: Baseline) -> str:
    """Return the name under which the page knows a baseline; a user's function goes by its own."""
    return str(getattr(baseline, "name", None) or getattr(baseline, "__name__", "custom"))


class CheckedString(Ordered):
    """A string that a function accepts.

    Parameters
    ----------
    default_value : str
    check : callable
        Raises `ValueError` for a string that is refused.
    """

    info_text = "a string"

    def __init__(self, default_value: str, check: Callable[[str], object]) -> None:
        super().__init__(default_value)
        self._check = check

    def validate(self, obj: Any, value: Any) -> str:
        """Refuse what the function refuses, with its message, and what has no UTF-8, so that it could not be sent."""
        if not isinstance(value, str):
            raise traitlets.TraitError(f"{self.name} must be a string, not {value!r}.")
        text = str(value)
        try:
            text.encode()
            self._check(text)
        except ValueError as error:
            raise traitlets.TraitError(str(error)) from None
        return text


class Fraction(Ordered, traitlets.Float[float, Any]):
    """A number from 0 to 1."""

    info_text = "a number from 0 to 1"

    def validate(self, obj: Any, value: Any) -> float:
        """Refuse numbers outside of this range, and NaN."""
        number = super().validate(obj, value)
        if not (math.isfinite(number) and 0 <= number <= 1):
            raise traitlets.TraitError(f"{self.name} must be a number from 0 to 1, not {value!r}.")
        return number


class KernelTrait(traitlets.TraitType[Any, Any]):
    """A value that the kernel reports and the page cannot set; computed whenever it is sent.

    Parameters
    ----------
    compute : callable
        Returns the value for a widget.
    """

    def __init__(self, compute: Callable[[Any], object]) -> None:
        super().__init__(read_only=True)
        self._compute = compute

    def get(self, obj: Any, cls: type[Any] | None = None) -> object:
        """Return the value of this moment."""
        return self._compute(obj)


class BinTrait(traitlets.TraitType["list[str]", Iterable[str]]):
    """The members of one bin.

    The trait stores nothing: it reads and replaces one part of the widget's `bins`, so that the three bins are always
    those of one moment.
    """

    info_text = "a list of image ids"
    name: BinName

    def __init__(self) -> None:
        super().__init__([])

    def get(self, obj: Any, cls: type[Any] | None = None) -> list[str]:
        """Return the members as a list whose edits reach the widget."""
        return BinList(obj, self.name)

    def set(self, obj: Any, value: Any) -> None:
        """Replace the members; raises `TraitError` for what the bin cannot hold."""
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise traitlets.TraitError(f"{self.name} must be a list of ids, not {value!r}.")
        members = list(value)
        if wrong := [member for member in members if not isinstance(member, str)]:
            raise traitlets.TraitError(
                f"{self.name} must be a list of ids, which are strings; {wrong[0]!r} is not one."
            )
        obj._assign({self.name: list(self._cross_validate(obj, members) or ())})


class BinList(list[str]):
    """The members of one bin; an edit of the list is an edit of the bin, with all checks of an assignment.

    An edit always starts from what the bin holds at that moment, also where the list was taken earlier.
    """

    def __init__(self, widget: BinsOwner, name: BinName) -> None:
        super().__init__(widget._members(name))
        self._widget, self._name = weakref.ref(widget), name

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle as a plain list, which belongs to no widget."""
        return list, (list(self),)

    def _edit(self, edit: Callable[[list[str]], Any]) -> Any:
        widget = self._widget()
        if widget is None:
            raise RuntimeError(f"The widget of this {self._name} no longer exists: take the list from another widget.")
        with widget.changing():
            members = list(widget._members(self._name))
            result = edit(members)
            setattr(widget, self._name, members)
            super().__setitem__(slice(None), widget._members(self._name))
        return result

    def append(self, member: str) -> None:
        """Put one more into the bin."""
        self._edit(lambda members: members.append(member))

    def extend(self, more: Iterable[str]) -> None:
        """Put several more into the bin."""
        self._edit(lambda members: members.extend(more))

    def insert(self, index: SupportsIndex, member: str) -> None:
        """Put one more into the bin, at a position."""
        self._edit(lambda members: members.insert(index, member))

    def remove(self, member: str) -> None:
        """Take one out of the bin."""
        self._edit(lambda members: members.remove(member))

    def pop(self, index: SupportsIndex = -1) -> str:
        """Take the one at a position out of the bin, and return it."""
        found: str = self._edit(lambda members: members.pop(index))
        return found

    def clear(self) -> None:
        """Take all out of the bin."""
        self._edit(lambda members: members.clear())

    def reverse(self) -> None:
        """Turn the order around."""
        self._edit(lambda members: members.reverse())

    def sort(self, **how: Any) -> None:
        """Sort the members."""
        self._edit(lambda members: members.sort(**how))

    def __setitem__(self, index: Any, value: Any) -> None:
        """Replace members."""
        self._edit(lambda members: members.__setitem__(index, value))

    def __delitem__(self, index: Any) -> None:
        """Take members out of the bin."""
        self._edit(lambda members: members.__delitem__(index))

    def __iadd__(self, more: Iterable[str]) -> BinList:  # type: ignore[misc,override]
        """Put several more into the bin."""
        self.extend(more)
        return self

    def __imul__(self, count: SupportsIndex) -> BinList:
        """Leave the bin as it is, or empty it: each image is in a bin once."""
        self._edit(lambda members: members.__imul__(count))
        return self
