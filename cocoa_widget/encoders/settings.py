"""The settings that all parts of an encoder share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch

from .preprocess import Transform
from .probing.output_reader import Output

Value = TypeVar("Value")


@dataclass
class Settings:
    """Name, preprocessing, output, device, precision and batch size of one encoder.

    Attributes
    ----------
    name : str
        What the page and errors call the encoder.
    preprocess : callable
        Maps a picture to a tensor (3, H, W).
    output : str, int, callable or None
        Which part of the module's output is the representation.
    device : torch.device
    dtype : torch.dtype
        The number format that the module runs in.
    batch_size : int
        Images per forward pass; halved when memory runs out.
    """

    name: str
    preprocess: Transform
    output: Output | None
    device: torch.device
    dtype: torch.dtype
    batch_size: int


class Setting(Generic[Value]):
    """An attribute of the encoder that is kept in its `Settings`, where the encoder's parts see it too."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, encoder: Any, owner: Any = None) -> Value:
        if encoder is None:
            raise AttributeError(self._name)  # as for any attribute that only instances have
        value: Value = getattr(encoder._settings, self._name)
        return value

    def __set__(self, encoder: Any, value: Value) -> None:
        setattr(encoder._settings, self._name, value)
