"""Pictures that are not decoded yet: on disk, in memory, or in a row of a data set."""

from __future__ import annotations

import hashlib
import io
import os
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from .decode import pixel_array, upright_rgb
from .errors import UnreadableImage
from .folder import not_regular
from .formats import check_undecoded, open_encoded
from .pixel_limits import limits

_HEIF = (".heic", ".heif")


class Picture(Protocol):
    """A picture that has not been decoded yet."""

    def open(self) -> Image.Image:
        """Open the picture, if possible without decoding it; the caller closes it."""
        ...

    def key(self) -> str:
        """Return the identity of the pixels: equal keys mean equal pixels, in any set and after a restart."""
        ...


@dataclass(frozen=True, slots=True)
class Record:
    """One picture of a set, with its id, label and caption."""

    id: str
    picture: Picture
    label: str | None = None
    caption: str | None = None


@dataclass(slots=True)
class File:
    """A picture in a file, by its absolute path."""

    path: str

    def open(self) -> Image.Image:
        """Read the header of a regular file: reading a pipe or a device could wait for ever."""
        found = os.stat(self.path)
        problem = not_regular(found.st_mode)
        if problem is not None:
            raise UnreadableImage(self.path, problem)
        if found.st_size == 0:
            raise UnreadableImage(self.path, f"{self.path} is empty")
        try:
            return open_encoded(self.path)
        except UnidentifiedImageError as error:
            raise UnreadableImage(self.path, _not_a_picture(self.path)) from error

    def key(self) -> str:
        """Hash path, size and time of change, which is fast enough for 100,000 files."""
        path = os.path.realpath(self.path)
        stat = os.stat(path)
        return digest(os.fsencode(path) + f"\0{stat.st_size}\0{stat.st_mtime_ns}".encode())


class Pixels:
    """A picture in memory.

    Parameters
    ----------
    pixels : PIL.Image.Image or ndarray
        Not copied; for arrays see `pixel_array`.
    """

    def __init__(self, pixels: Image.Image | NDArray[Any]) -> None:
        if isinstance(pixels, Image.Image):
            check_undecoded(pixels)
            self._pixels: Image.Image | NDArray[np.uint8] = pixels
        else:
            self._pixels = pixel_array(pixels)
        # Now, as the id is made of it; this also decodes the image, after which threads may share it.
        self._key = pixel_key(self._pixels)

    def open(self) -> Image.Image:
        """Return a copy, so that closing it does not close the user's image."""
        return self._pixels.copy() if isinstance(self._pixels, Image.Image) else Image.fromarray(self._pixels)

    def key(self) -> str:
        """Return the hash of its upright RGB pixels."""
        return self._key


class Item:
    """A picture that a data set returns by its index.

    Parameters
    ----------
    dataset : object with __getitem__
        Returns a PIL image, a path, an array or a tensor, or a tuple that starts with one, or a dict with ``"image"``.
    index : int
    """

    def __init__(self, dataset: Any, index: int) -> None:
        self._dataset = dataset
        self._index = index

    def open(self) -> Image.Image:
        """Get the item from the data set, and open it."""
        item = self._dataset[self._index]
        if isinstance(item, dict):
            item = item["image"]
        elif isinstance(item, (tuple, list)):
            item = item[0]
        if isinstance(item, (str, os.PathLike)):
            return File(os.path.abspath(os.fsdecode(item))).open()
        if isinstance(item, Image.Image):
            check_undecoded(item)
            with limits.decoding(item.width * item.height):
                return item.copy()  # some data sets keep the images that they return
        if is_tensor(item):
            item = tensor_array(item)
        if not isinstance(item, np.ndarray):
            raise TypeError(f"the data set returns a {type(item).__name__} instead of an image")
        return Image.fromarray(pixel_array(item))

    def key(self) -> str:
        """Return the hash of its upright RGB pixels."""
        return self._key

    def key_of(self, upright: Image.Image) -> str:
        """Return the key, from the upright RGB picture that was decoded from `open`."""
        self._key = pixel_key(upright)
        return self._key

    @cached_property
    def _key(self) -> str:
        return pixel_key(self.open())


class Cell:
    """An encoded picture in a column of a Hugging Face dataset.

    Parameters
    ----------
    dataset : datasets.Dataset
        Its column of images is *not* decoded, so that Pillow can decode at the size that is needed.
    column : str
    index : int
    """

    def __init__(self, dataset: Any, column: str, index: int) -> None:
        self._dataset = dataset
        self._column = column
        self._index = index

    def open(self) -> Image.Image:
        """Read the header."""
        encoded = self._encoded()
        return encoded.open() if isinstance(encoded, File) else open_encoded(io.BytesIO(encoded))

    def key(self) -> str:
        """Return the hash of the encoded bytes, or the key of the file that the row points to."""
        return self._key

    @cached_property
    def _key(self) -> str:
        encoded = self._encoded()
        return encoded.key() if isinstance(encoded, File) else digest(encoded)

    def _encoded(self) -> bytes | File:
        value = self._dataset[self._index][self._column]
        if not value:
            raise ValueError(f"row {self._index} has no image")
        return value["bytes"] or File(os.path.abspath(value["path"]))


@dataclass(slots=True)
class Missing:
    """A place in a source where a picture is missing."""

    reason: str

    def open(self) -> Image.Image:
        """Raise `UnreadableImage`."""
        raise UnreadableImage("", self.reason)

    def key(self) -> str:
        """Raise `UnreadableImage`."""
        raise UnreadableImage("", self.reason)


def known_key(picture: Picture) -> str | None:
    """Return a picture's key if it has been computed; None otherwise."""
    return getattr(picture, "__dict__", {}).get("_key")


def digest(data: bytes) -> str:
    """Return the hash of bytes, 32 hexadecimal digits."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def pixel_key(pixels: Image.Image | NDArray[np.uint8]) -> str:
    """Return the hash of a picture's upright RGB pixels, however it is stored."""
    if isinstance(pixels, np.ndarray) and pixels.shape[2:] == (3,):  # RGB already, and perhaps one of 100,000
        height, width = pixels.shape[:2]
        return digest(f"{width}x{height}\0".encode() + pixels.tobytes())
    upright = upright_rgb(pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels))
    return digest(f"{upright.width}x{upright.height}\0".encode() + upright.tobytes())


def is_tensor(value: object) -> bool:
    """Return whether a value is a torch tensor, without importing torch: if it is one, torch has been imported."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def tensor_array(tensor: Any) -> NDArray[Any]:
    """Turn a tensor (..., C, H, W) or (H, W) into an array (..., H, W, C) or (H, W)."""
    tensor = tensor.detach().cpu()
    array: NDArray[Any] = (tensor.float() if tensor.is_floating_point() else tensor).numpy()
    return array if array.ndim < 3 else np.moveaxis(array, -3, -1)


def _not_a_picture(path: str) -> str:
    if path.lower().endswith(_HEIF):
        return f"{path} needs `pip install pillow-heif` and `pillow_heif.register_heif_opener()`"
    return f"{path} is not a picture that Pillow can read, or its beginning is damaged"
