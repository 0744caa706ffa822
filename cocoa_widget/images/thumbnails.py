"""Thumbnails, small encoded pictures for the page, and their cache, which is bounded in bytes."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from dataclasses import dataclass

from PIL import Image

from .decode import orientation, upright_rgb
from .pixel_limits import limits

# JPEG is encoded ten times as fast as WebP (0.08 against 0.75 ms or more at 160 px) for a quarter more bytes.
_FORMAT = "JPEG"
_QUALITY = 80

_CACHE_BYTES = 128 * 2**20


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small encoded picture.

    Attributes
    ----------
    data : bytes
        The encoded picture, upright.
    media_type : str
        ``"image/jpeg"``.
    width, height : int
        The size of the *original*, upright, in pixels.
    """

    data: bytes
    media_type: str
    width: int
    height: int


def make_thumbnail(image: Image.Image, size: int) -> Thumbnail:
    """Encode a small version of a picture.

    Parameters
    ----------
    image : PIL.Image.Image
        Preferably not decoded yet: a JPEG is then decoded at a fraction of its size. It is closed, to free its memory.
    size : int
        Most pixels of the longer side; a smaller picture keeps its size.

    Returns
    -------
    Thumbnail
    """
    original = image.size
    # JPEG only: it is decoded at the smallest of 1/8, 1/4, 1/2 and 1 that is no smaller than the thumbnail.
    drafted = image.draft(None, _fit(original, size))
    # A progressive JPEG is held in memory as a whole, at whatever size it is decoded.
    decoded = original if image.info.get("progressive") else image.size
    with limits.decoding(decoded[0] * decoded[1]):
        sideways = orientation(image) >= 5
        upright = upright_rgb(image, used_up=True)
        if drafted is None:
            original = upright.size
        elif sideways:
            original = original[::-1]
        target = _fit(original, size)
        if upright.size != target:
            upright = upright.resize(target, Image.Resampling.BICUBIC, reducing_gap=2.0)
    encoded = io.BytesIO()
    upright.save(encoded, _FORMAT, quality=_QUALITY)
    return Thumbnail(encoded.getvalue(), Image.MIME[_FORMAT], *original)


def _fit(picture: tuple[int, int], size: int) -> tuple[int, int]:
    scale = min(1.0, size / max(picture))
    return max(1, round(picture[0] * scale)), max(1, round(picture[1] * scale))


class ThumbnailCache:
    """The thumbnails that were used last, by image id and size.

    Parameters
    ----------
    limit : int
        Bytes to keep; the image that has gone unused for longest goes first, with all its sizes.
    """

    def __init__(self, limit: int = _CACHE_BYTES) -> None:
        self._limit = limit
        self._bytes = 0
        self._kept: OrderedDict[str, dict[int, Thumbnail]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, image_id: str) -> dict[int, Thumbnail]:
        """Return the thumbnails of an image that are kept, by size."""
        with self._lock:
            if image_id not in self._kept:
                return {}
            self._kept.move_to_end(image_id)
            return dict(self._kept[image_id])

    def put(self, image_id: str, size: int, thumbnail: Thumbnail) -> None:
        """Keep a thumbnail."""
        with self._lock:
            sizes = self._kept.setdefault(image_id, {})
            self._kept.move_to_end(image_id)
            replaced = sizes.get(size)
            sizes[size] = thumbnail
            self._bytes += len(thumbnail.data) - (len(replaced.data) if replaced else 0)
            while self._bytes > self._limit:
                _, dropped = self._kept.popitem(last=False)
                self._bytes -= sum(len(each.data) for each in dropped.values())
