"""From the columns of a source to records: unique ids, labels and captions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .encodable import encodable
from .errors import UnknownImage
from .pictures import Record
from .sources import Columns, is_nothing, name_pictures


def make_records(columns: Columns, labels: Any, captions: Any) -> list[Record]:
    """Give each picture of a source an id that no other has, a label and a caption.

    Parameters
    ----------
    columns : Columns
    labels, captions : sequence, dict or None
        One for each picture, or id → text for some; they replace the source's.

    Raises
    ------
    UnknownImage
        A dict has ids that the source does not have.
    ValueError
        There are more or fewer labels or captions than pictures.
    """
    names = columns.ids or name_pictures(columns.pictures)
    ids = _unique([encodable(each) for each in names])
    if isinstance(labels, Mapping):
        labels = _by_id(labels, names, ids)
    if isinstance(captions, Mapping):
        captions = _by_id(captions, names, ids)
    return [
        Record(*each)
        for each in zip(
            ids,
            columns.pictures,
            _texts("labels", labels, columns.labels, len(ids)),
            _texts("captions", captions, columns.captions, len(ids)),
            strict=True,
        )
    ]


def _by_id(given: Mapping[str, object], names: Sequence[str], ids: Sequence[str]) -> list[object]:
    """Return the given value of each id; the name before escapes (see `encodable`) is a key too."""
    cleaned = {name for name in names if name != encodable(name)}
    unknown = given.keys() - set(ids) - cleaned
    if unknown:
        raise UnknownImage(sorted(unknown, key=str), ids)
    return [
        given[name] if name in cleaned and name in given else given.get(image_id)
        for name, image_id in zip(names, ids, strict=True)
    ]


def _unique(ids: Sequence[str]) -> list[str]:
    taken: dict[str, int] = {}
    unique = []
    for image_id in ids:
        name, count = image_id, taken.get(image_id, 0)
        while name in taken:
            count += 1
            name = f"{image_id}-{count + 1}"
        taken[image_id] = count
        taken.setdefault(name, 0)
        unique.append(name)
    return unique


def _texts(what: str, given: Any, own: Sequence[Any] | None, count: int) -> list[str | None]:
    values = own if given is None or isinstance(given, str) else given
    if values is None:
        return [None] * count
    if hasattr(values, "tolist"):  # an array or a tensor
        values = values.tolist()
    if len(values) != count:
        raise ValueError(
            f"there are {len(values)} {what} for {count} images; give one for each, or a dict of id → text"
        )
    return [_text(value) for value in values]


def _text(value: Any) -> str | None:
    if isinstance(value, (list, tuple)):  # several captions of one picture
        value = value[0] if value else None
    return None if is_nothing(value) else encodable(str(value))
