"""The file of prepared explicands: tensors and settings in the safetensors format, which holds no code.

Tensors: ``representations`` (n, d); for each explicand i and similarity s, ``{i}.{s}.steps`` (rows, d) and
``{i}.{s}.scales`` (rows, 1), whose product is k rows of coefficients and perhaps a sketch of residuals; for each
spread j, its tensors (see `saved_spread`) under ``spread.{j}.``; for each error model j, ``model.{j}.root`` (k, k). The
metadata have a version, and settings as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor

from ..attribution import Compact, ErrorModel, Operator, Spread, StoredOperator
from .saved_spread import spread_of, tensors_of

FORMAT = "cocoa_widget.prepared"
VERSION = 1
"""Version of the files that are written; the only one that is read."""
T = TypeVar("T")


class Saved(NamedTuple):
    """What a file holds.

    Attributes
    ----------
    representations : Tensor
        (n, d).
    operators : list of StoredOperator
        n of them.
    settings : dict
        `encoder`, `fingerprint`, `method` and `baseline`, strings.
    """

    representations: Tensor
    operators: list[StoredOperator]
    settings: dict[str, str]


def write(
    path: str | PathLike[str], representations: Tensor, operators: Sequence[Operator], settings: dict[str, str]
) -> None:
    """Write a file; see `Saved` for what it takes.

    Raises
    ------
    ValueError
        An operator has no coefficients.
    """
    from safetensors.torch import save_file

    tensors: dict[str, Tensor] = {"representations": representations}
    spreads: list[Spread] = []
    models: list[ErrorModel] = []
    places = []
    for i, operator in enumerate(operators):
        stored = operator.stored()
        if stored is None:
            raise ValueError(
                f"Operators without coefficients cannot be saved, and those of {settings['method']} have none."
            )
        for similarity, kept in stored.kept.items():
            tensors[f"{i}.{similarity}.steps"], tensors[f"{i}.{similarity}.scales"] = kept.steps, kept.scales
        places.append([_place(spreads, stored.spread), None if stored.model is None else _place(models, stored.model)])
    for j, spread in enumerate(spreads):
        tensors.update(tensors_of(spread, f"spread.{j}."))
    tensors.update({f"model.{j}.root": model.root for j, model in enumerate(models)})
    content = {**settings, "operators": places, "models": [[model.observations, model.ridge] for model in models]}
    # Copies: the format refuses tensors that share memory, as the maps of CAM do.
    copies = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    save_file(copies, path, {"format": FORMAT, "version": str(VERSION), "content": json.dumps(content)})


def read(path: str | PathLike[str], device: torch.device) -> Saved:
    """Read a file that `write` has written; no encoder pass.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        It is damaged, no file of prepared explicands, or one of another version.
    """
    from safetensors import SafetensorError, safe_open
    from safetensors.torch import load_file

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r}: give the path of a file that Prepared.save wrote.")
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
        tensors = load_file(path, device=str(device))
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged, or no file of prepared explicands: {error}. Save it again.") from error
    if metadata.get("format") != FORMAT:
        raise ValueError(f"{path} is no file of prepared explicands: give one that Prepared.save wrote.")
    if metadata.get("version") != str(VERSION):
        raise ValueError(
            f"{path} has version {metadata.get('version')} of the format, and this cocoa_widget reads version"
            f" {VERSION}: prepare and save the explicands again, or install the cocoa_widget that wrote it."
        )
    try:
        return _saved(tensors, json.loads(metadata["content"]))
    except (KeyError, IndexError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is damaged: it lacks {error}. Save it again.") from error


def _saved(tensors: dict[str, Tensor], content: dict[str, Any]) -> Saved:
    places = content.pop("operators")
    models = [
        ErrorModel(observations, ridge, tensors[f"model.{j}.root"])
        for j, (observations, ridge) in enumerate(content.pop("models"))
    ]
    spreads = [spread_of(tensors, f"spread.{j}.") for j in range(1 + max((spread for spread, _ in places), default=-1))]
    operators = [
        StoredOperator(
            {
                similarity: Compact(tensors[f"{i}.{similarity}.steps"], tensors[f"{i}.{similarity}.scales"])
                for similarity in ("cosine", "dot")
            },
            spreads[spread],
            None if model is None else models[model],
        )
        for i, (spread, model) in enumerate(places)
    ]
    return Saved(tensors["representations"], operators, content)


def _place(known: list[T], item: T) -> int:
    """Return the position of an item, which is added if it is new; explicands share spreads."""
    if item not in known:
        known.append(item)
    return known.index(item)
