"""Sources of images: each becomes columns of the same length, pictures and perhaps ids, labels and captions.

Nothing is decoded here, except pictures in memory, whose ids are made of their pixels.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from .encodable import encodable
from .errors import EmptySource, reason
from .folder import find_files
from .formats import ENDINGS
from .pictures import Cell, File, Item, Missing, Picture, Pixels, Record, is_tensor, tensor_array

ASKED_AT_ONCE = 1_000
"""Sets of up to so many pictures check each one when they are made; larger ones when a picture is used."""

_ACCEPTED = (
    "a folder, a path or a list of paths, PIL images, arrays (N, H, W, 3) or (N, H, W), tensors (N, 3, H, W) in 0..1, "
    "a torchvision or Hugging Face dataset, a DataFrame with a column of paths, or a dict of id → image"
)

_PICTURE_COLUMNS = (
    *("path", "file", "filename", "file_name", "filepath", "file_path", "image", "images", "image_path"),
    *("img", "img_path", "picture", "photo"),
)
_LABEL_COLUMNS = ("label", "labels", "class", "class_name", "category", "target", "fine_label", "kind")
_CAPTION_COLUMNS = ("caption", "captions", "text", "sentence", "description", "title", "prompt")


@dataclass(slots=True)
class Columns:
    """The pictures of a source, with their ids, labels and captions.

    Attributes
    ----------
    pictures : sequence of Picture
    ids, labels, captions : sequence or None
        As long as `pictures`; None if the source has none.
    skipped : dict
        Name → why it could not be listed.
    """

    pictures: Sequence[Picture]
    ids: Sequence[str] | None = None
    labels: Sequence[Any] | None = None
    captions: Sequence[Any] | None = None
    skipped: dict[str, str] = field(default_factory=dict)


def read_source(
    source: Any,
    path_column: str | None = None,
    label_column: str | None = None,
    caption_column: str | None = None,
    follow_links: bool = False,
) -> Columns:
    """Recognise a source, and list its pictures.

    Parameters
    ----------
    source : object
        See `ImageSet`.
    path_column, label_column, caption_column : str, optional
        Names of columns, for sources that have columns.
    follow_links : bool
        Whether links that lead out of a folder are followed, for folders.

    Returns
    -------
    Columns

    Raises
    ------
    TypeError
        The source is of an unknown kind.
    ValueError
        The source is of a known kind, and wrong.
    FileNotFoundError
        The source is a path that does not exist.
    """
    table = _table(source)
    if table is not None:
        return _from_table(table, path_column, label_column, caption_column)
    if path_column or label_column or caption_column:
        column = path_column or label_column or caption_column
        raise ValueError(f"{column!r} is the name of a column, but a {type(source).__name__} has no columns")
    if isinstance(source, (str, os.PathLike)):
        return _from_path(os.path.expanduser(os.fsdecode(source)), follow_links)
    if isinstance(source, Image.Image):
        return Columns([_picture(source)])
    if isinstance(source, np.ndarray):
        return Columns([_picture(each) for each in _split(source)])
    if is_tensor(source):
        return Columns([_picture(each) for each in _split_tensor(source)])
    if isinstance(source, Mapping):
        return _from_mapping(source)
    if isinstance(source, (list, tuple)) and not (source and isinstance(source[0], tuple)):
        return _from_list(source)
    if isinstance(source, Iterator):
        return read_source(list(source))
    if hasattr(source, "dataset") and hasattr(source, "indices"):  # torch.utils.data.Subset
        return _from_subset(source)
    if hasattr(source, "__len__") and hasattr(source, "__getitem__"):
        return _from_dataset(source)
    raise TypeError(f"images cannot be made of a {type(source).__name__}; give {_ACCEPTED}")


# ---- one picture ---------------------------------------------------------------------------------------------------


def _picture(source: Any) -> Picture:
    if isinstance(source, (str, os.PathLike)):
        path = os.fsdecode(source)
        return File(os.path.abspath(os.path.expanduser(path))) if path else Missing("the path is empty")
    if isinstance(source, Image.Image):
        try:
            return Pixels(source)
        except Exception as error:  # opened by its owner, but damaged further on, or too large, or refused
            return Missing(reason(error))
    if isinstance(source, np.ndarray):
        return Pixels(source)
    if is_tensor(source):
        return Pixels(tensor_array(source))
    if is_nothing(source):
        return Missing("there is no path")
    hint = "; choose a split, as in ImageSet(dataset['train'])" if hasattr(source, "features") else ""
    raise TypeError(f"a {type(source).__name__} is not an image{hint or f'; give {_ACCEPTED}'}")


def is_nothing(value: object) -> bool:
    """Return whether a value stands for a gap in a table: None, NaN, or those of pandas."""
    return (
        value is None or (isinstance(value, float) and value != value) or type(value).__name__ in ("NAType", "NaTType")
    )


def _split(stack: np.ndarray[Any, Any]) -> Sequence[np.ndarray[Any, Any]]:
    if stack.ndim == 2 or (stack.ndim == 3 and stack.shape[2] in (3, 4)):
        return [stack]
    if stack.ndim == 3 or (stack.ndim == 4 and stack.shape[3] in (1, 3, 4)):
        return list(stack)
    hint = (
        "; channels come last: array.transpose(0, 2, 3, 1)" if stack.ndim == 4 and stack.shape[1] in (1, 3, 4) else ""
    )
    raise ValueError(f"an array of shape {stack.shape} holds no images; (N, H, W, 3) and (N, H, W) do{hint}")


def _split_tensor(stack: Any) -> Sequence[Any]:
    shape = tuple(stack.shape)
    if len(shape) == 2 or (len(shape) == 3 and shape[0] in (1, 3, 4)):
        return [stack]
    if len(shape) == 3 or (len(shape) == 4 and shape[1] in (1, 3, 4)):
        return list(stack)
    hint = "; channels come first: tensor.permute(0, 3, 1, 2)" if len(shape) == 4 and shape[3] in (1, 3, 4) else ""
    raise ValueError(f"a tensor of shape {shape} holds no images; (N, 3, H, W) and (N, 1, H, W) do{hint}")


# ---- paths, lists, dicts -------------------------------------------------------------------------------------------


def _from_path(path: str, follow_links: bool) -> Columns:
    if not os.path.isdir(path):
        if not os.path.exists(path):
            raise FileNotFoundError(encodable(f"there is no folder and no file {path} (looked in {os.getcwd()})"))
        return _from_list([path])
    folder = os.path.abspath(path)
    names, skipped = find_files(folder, follow_links)
    if not names:
        left_out = "".join(f"; {name}: {why}" for name, why in list(skipped.items())[:3])
        raise EmptySource(
            encodable(f"no pictures in {folder} and its subfolders; looked for {' '.join(ENDINGS)}{left_out}")
        )
    return Columns(
        pictures=[File(os.path.join(folder, name)) for name in names],
        ids=names,
        labels=[name.rpartition("/")[0].rpartition("/")[2] or None for name in names],
        skipped=skipped,
    )


def _from_list(sources: Sequence[Any]) -> Columns:
    if sources and all(isinstance(each, Record) for each in sources):
        return Columns(
            pictures=[each.picture for each in sources],
            ids=[each.id for each in sources],
            labels=[each.label for each in sources],
            captions=[each.caption for each in sources],
        )
    return Columns([_picture(each) for each in sources])


def _from_mapping(sources: Mapping[Any, Any]) -> Columns:
    return Columns([_picture(each) for each in sources.values()], ids=[str(key) for key in sources])


def name_pictures(pictures: Sequence[Picture]) -> list[str]:
    """Return ids, the same after a restart, for pictures whose source has none.

    Parameters
    ----------
    pictures : sequence of Picture

    Returns
    -------
    list of str
        A file's path relative to the folder that all files are in, the hash of a picture in memory, or the position in
        a data set.
    """
    folder = _common_folder([each.path for each in pictures if isinstance(each, File)])
    return [_name(picture, index, folder) for index, picture in enumerate(pictures)]


def _name(picture: Picture, index: int, folder: str) -> str:
    if isinstance(picture, File):
        return picture.path[len(folder) :].replace(os.sep, "/")
    if isinstance(picture, Pixels):
        return picture.key()[:12]
    return f"{index:05d}"


def _common_folder(paths: Sequence[str]) -> str:
    """Return the common beginning of paths, with the separator."""
    folders = {os.path.dirname(path) for path in paths}
    try:
        common = os.path.commonpath(folders) if folders else ""
    except ValueError:  # on several drives
        return ""
    return os.path.join(common, "") if common else ""


# ---- data sets -----------------------------------------------------------------------------------------------------


def _from_subset(subset: Any) -> Columns:
    whole = read_source(subset.dataset)
    ids = whole.ids or name_pictures(whole.pictures)
    chosen = [int(index) for index in subset.indices]
    return Columns(
        pictures=[whole.pictures[index] for index in chosen],
        ids=[ids[index] for index in chosen],
        labels=[whole.labels[index] for index in chosen] if whole.labels else None,
        captions=[whole.captions[index] for index in chosen] if whole.captions else None,
    )


def _from_dataset(dataset: Any) -> Columns:
    labels = _dataset_labels(dataset)
    if getattr(getattr(dataset, "loader", None), "__name__", None) == "default_loader":
        # A torchvision ImageFolder: its files can be opened without decoding them whole, under the folder's own ids.
        paths = [path for path, _ in dataset.samples]
        ids = [os.path.relpath(path, dataset.root).replace(os.sep, "/") for path in paths]
        return Columns([File(os.path.abspath(path)) for path in paths], ids=ids, labels=labels)
    raw = _without_transforms(dataset)
    return Columns([Item(raw, index) for index in range(len(dataset))], labels=labels)


def _without_transforms(dataset: Any) -> Any:
    """Copy a torchvision dataset so that it returns its pictures without transforms."""
    if not (hasattr(dataset, "transforms") and hasattr(dataset, "transform")):
        return dataset
    plain = copy.copy(dataset)
    plain.transforms = plain.transform = plain.target_transform = None
    return plain


def _dataset_labels(dataset: Any) -> list[Any] | None:
    names = getattr(dataset, "classes", None)
    for attribute in ("targets", "labels", "_labels"):
        found = getattr(dataset, attribute, None)
        if found is not None and len(found) == len(dataset):
            return _class_names(found, names)
    if len(dataset) <= ASKED_AT_ONCE:  # the labels are only in its items
        return _class_names([_item_label(dataset, index) for index in range(len(dataset))], names)
    return None


def _item_label(dataset: Any, index: int) -> Any:
    try:
        item = dataset[index]
    except Exception:  # reported when the picture is used
        return None
    if isinstance(item, dict):
        return item.get("label")
    return item[1] if isinstance(item, (tuple, list)) and len(item) > 1 else None


def _class_names(values: Any, names: Any) -> list[Any]:
    listed = values.tolist() if hasattr(values, "tolist") else values
    return [_class_name(value, names) for value in listed]


def _class_name(value: Any, names: Sequence[Any] | None) -> str | int | float | None:
    if hasattr(value, "item") and value.ndim == 0:
        value = value.item()
    if names and isinstance(value, int):
        return str(names[value]) if 0 <= value < len(names) else None  # -1 stands for a hidden label in test splits
    return value if isinstance(value, (str, int, float)) else None  # not boxes or several labels


# ---- tables --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Table:
    columns: list[str]
    values: Callable[[str], list[Any]]
    pictures: Callable[[str], Sequence[Picture]]
    picture_columns: list[str]
    """The columns that are known to hold images, best first."""
    class_names: dict[str, list[str]]
    """The names behind the numbers of a column."""


def _table(source: Any) -> _Table | None:
    if type(source).__name__ == "DataFrame" and hasattr(source, "columns"):
        return _data_frame(source)
    if hasattr(source, "features") and hasattr(source, "with_format") and hasattr(source, "column_names"):
        return _hugging_face(source)
    return None


def _data_frame(frame: Any) -> _Table:
    def values(column: str) -> list[Any]:
        return list(frame[column])

    return _Table(
        columns=[str(each) for each in frame.columns],
        values=values,
        pictures=lambda column: [_picture(each) for each in values(column)],
        picture_columns=[],
        class_names={},
    )


def _hugging_face(dataset: Any) -> _Table:
    if not hasattr(dataset, "__len__"):
        raise TypeError("a streamed dataset has no length; take some of it: list(dataset.take(500)), or don't stream")
    plain = dataset.with_format(None)  # a format or transform may hand out tensors
    image_columns = [name for name, feature in dataset.features.items() if type(feature).__name__ == "Image"]

    def values(column: str) -> list[Any]:
        return list(plain.select_columns([column])[:][column])

    def pictures(column: str) -> Sequence[Picture]:
        if column not in image_columns:
            return [_picture(each) for each in values(column)]
        encoded = plain.select_columns([column]).cast_column(column, type(dataset.features[column])(decode=False))
        return [Cell(encoded, column, index) for index in range(len(dataset))]

    return _Table(
        columns=list(dataset.column_names),
        values=values,
        pictures=pictures,
        picture_columns=image_columns,
        class_names={
            name: list(feature.names)
            for name, feature in dataset.features.items()
            if type(feature).__name__ == "ClassLabel"
        },
    )


def _from_table(
    table: _Table, path_column: str | None, label_column: str | None, caption_column: str | None
) -> Columns:
    column = _choose(table, path_column, (*table.picture_columns, *_PICTURE_COLUMNS))
    if column is None:
        raise ValueError(
            f"none of the columns {table.columns} is known to hold images; name the one with the paths: "
            "ImageSet(table, path_column=…)"
        )
    label = _choose(table, label_column, (*_LABEL_COLUMNS, *table.class_names))
    caption = _choose(table, caption_column, _CAPTION_COLUMNS)
    return Columns(
        pictures=table.pictures(column),
        labels=_class_names(table.values(label), table.class_names.get(label)) if label else None,
        captions=table.values(caption) if caption else None,
    )


def _choose(table: _Table, wanted: str | None, usual: Iterable[str]) -> str | None:
    if wanted is not None:
        if wanted not in table.columns:
            raise ValueError(f"there is no column {wanted!r}; there are {table.columns}")
        return wanted
    named = {name.lower(): name for name in table.columns}
    return next((named[each.lower()] for each in usual if each.lower() in named), None)
