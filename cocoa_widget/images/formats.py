"""The formats in which pictures are read, and the only place where an encoded picture is opened.

Pillow recognises a format by content, whatever the file is called, and some of its readers start other programs
(Ghostscript for EPS). Only formats whose readers are plain decoders are allowed.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import IO, cast

from PIL import BmpImagePlugin, ExifTags, Image, ImageFile, PngImagePlugin, UnidentifiedImageError

from .pixel_limits import limits

_ENDINGS_OF = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png",),
    "WEBP": (".webp",),
    "GIF": (".gif",),
    "BMP": (".bmp",),
    "TIFF": (".tif", ".tiff"),
    "AVIF": (".avif",),
    "HEIF": (".heic", ".heif"),
    "JPEG2000": (".jp2",),
    "ICO": (".ico",),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
    "TGA": (".tga",),  # last, as it has no signature: nearly any bytes might be one
}
"""Format → endings of files; formats without a reader, such as HEIF without its plugin, cannot be opened."""

ENDINGS = tuple(ending for endings in _ENDINGS_OF.values() for ending in endings)
"""Endings of pictures' file names, in lower case. Pillow's own list has films, PDF and HDF5 too."""

_MADE_BY_READERS = (*_ENDINGS_OF, "MPO")
"""Values of `Image.format` that are allowed: JPEGs of several pictures (MPO) are made by the reader for JPEG."""

_READ_WHOLE = ("WEBP", "AVIF", "HEIF")
_MOST_READ_WHOLE = 2**30
"""Limit in bytes for these formats, whose readers read the whole file into memory when it is opened."""

_SLOW_PIXELS = 8_000_000
_SLOW_BYTES = 32 * 2**20
"""Limits for formats that Pillow decodes in Python (run-length bitmaps, some PPM), at 2 million bytes a second."""

_MOST_READS = 20_000
"""Limit for reads of a header: Pillow reads many byte by byte, and skips any number of comments and stray bytes."""

_MOST_HEADER_BYTES = 2**29
"""Limit in bytes for a header with its metadata: layers of Photoshop in a TIFF may have 100 MiB."""

_HEAD = 16
"""Bytes by which Pillow recognises a format."""

_ICON = b"\0\0\1\0"
_PNG = b"\x89PNG\r\n\x1a\n"


def open_encoded(source: str | IO[bytes]) -> Image.Image:
    """Read the header of an encoded picture.

    Parameters
    ----------
    source : str or binary file
        A path, or a seekable file that stays open as long as the picture.

    Returns
    -------
    PIL.Image.Image
        Not decoded yet, except for icons.

    Raises
    ------
    ValueError
        The format is not allowed, or the picture has more pixels than `limits` allows.
    UnidentifiedImageError
        The format is unknown.
    OSError, SyntaxError, …
        The file is damaged; Pillow's readers raise exceptions of many classes.
    """
    Image.init()
    with _rewound(source) as file:
        head = file.read(_HEAD)
        found = _recognise(head)
        size = file.seek(0, os.SEEK_END)
        if found in _READ_WHOLE and size > _MOST_READ_WHOLE:
            raise ValueError(
                f"the file has {size / 2**30:.1f} GiB, and {found} files are read into memory as a whole; convert it "
                "to PNG or JPEG"
            )
        icon = _check_icon(file, size) if head.startswith(_ICON) else 0
        formats = [each for each in _ENDINGS_OF if each in Image.OPEN]
        if found not in _READ_WHOLE and not icon:
            _check_header(file, formats)
    try:
        # Icons are decoded by being opened.
        with limits.decoding(icon) if icon else nullcontext():
            image = Image.open(source, formats=formats)
    except UnidentifiedImageError as error:
        if found is None or found in _ENDINGS_OF:
            raise
        raise ValueError(
            f"it looks like {found}, a format that is not opened; convert it to PNG or JPEG, or decode it yourself "
            "(`PIL.Image.open`, then `image.load()`) and give the picture"
        ) from error
    try:
        limits.check(*image.size)
        _check_effort(image, size)
        if image.format == "TIFF":
            _check_tiles(image)
    except BaseException:
        image.close()
        raise
    return image


def check_undecoded(image: Image.Image) -> None:
    """Raise `ValueError` for a picture that the user has opened and that must not be decoded here.

    Pictures that have been decoded already may have any format and size.

    Parameters
    ----------
    image : PIL.Image.Image
    """
    if not isinstance(image, ImageFile.ImageFile) or not _is_undecoded(image):
        return
    if image.format not in _MADE_BY_READERS:
        raise ValueError(
            f"its format, {image.format}, is not decoded here; if it can be trusted, decode it yourself with "
            "`image.load()` and give it then"
        )
    limits.check(*image.size)


def _is_undecoded(image: ImageFile.ImageFile) -> bool:
    # Pillow has no public way to ask; the pixels are in `im` up to Pillow 10 and in `_im` since.
    held = vars(image)
    return bool(image.tile) or (held.get("_im") is None and held.get("im") is None)


@contextmanager
def _rewound(source: str | IO[bytes]) -> Iterator[IO[bytes]]:
    if isinstance(source, str):
        with open(source, "rb") as file:
            yield file
    else:
        source.seek(0)
        yield source
        source.seek(0)


def _recognise(head: bytes) -> str | None:
    """Return the format whose signature a file begins with, allowed formats first; None if it is unknown."""
    others = (each for each in Image.OPEN if each not in _ENDINGS_OF)
    return next((each for each in (*_ENDINGS_OF, *others) if _begins_like(head, each)), None)


def _begins_like(head: bytes, name: str) -> bool:
    _, accept = Image.OPEN.get(name, (None, None))
    try:
        answer = accept(head) if accept is not None else False
        return bool(answer) and not isinstance(answer, str)  # a str means that the reader is not installed
    except Exception:  # some fail for files of a few bytes
        return False


class _EndlessHeader(ValueError):
    pass


class _Counted(io.RawIOBase):
    """A file from which a limited number of bytes can be read, in a limited number of reads."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._reads_left = _MOST_READS
        self._bytes_left = _MOST_HEADER_BYTES

    def read(self, size: int = -1) -> bytes:
        self._reads_left -= 1
        self._bytes_left -= size
        if self._reads_left < 0 or self._bytes_left < 0:
            raise _EndlessHeader("its header does not end; the file is damaged, or not a picture")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


def _check_header(file: IO[bytes], formats: list[str]) -> None:
    """Raise `ValueError` if reading the header takes very long."""
    with suppress(UnidentifiedImageError):  # reported later
        Image.open(cast(IO[bytes], _Counted(file)), formats=formats)


def _check_effort(image: ImageFile.ImageFile, size: int) -> None:
    """Raise `ValueError` for a large picture that Pillow decodes in Python, which is slow.

    Parameters
    ----------
    image : PIL.ImageFile.ImageFile
        Not decoded yet.
    size : int
        Bytes of the file.
    """
    is_slow = any(tile[0] in Image.DECODERS for tile in image.tile or ())  # None for icons up to Pillow 10
    if is_slow and (image.width * image.height > _SLOW_PIXELS or size > _SLOW_BYTES):
        raise ValueError(
            f"this kind of {image.format} file is decoded slowly, and is not decoded if it has more than "
            f"{_SLOW_PIXELS / 1e6:.4g} million pixels or {_SLOW_BYTES / 2**20:.4g} MiB; convert it to PNG or JPEG"
        )


def _check_icon(file: IO[bytes], size: int) -> int:
    """Check the pictures in an icon, whose sizes may differ from those in its directory.

    Parameters
    ----------
    file : binary file
    size : int
        Bytes of the file.

    Returns
    -------
    int
        Pixels of the largest picture.
    """
    limited = cast(IO[bytes], _Counted(file))
    file.seek(4)
    directory = file.read(2 + 16 * 0xFFFF)
    count = int.from_bytes(directory[:2], "little")
    entries = range(2, min(2 + 16 * count, len(directory) - 15), 16)
    offsets = {int.from_bytes(directory[start + 12 : start + 16], "little") for start in entries}
    largest = 0
    for offset in offsets:
        file.seek(offset)
        reader = PngImagePlugin.PngImageFile if file.read(8) == _PNG else BmpImagePlugin.DibImageFile
        file.seek(offset)
        try:
            image = reader(limited)
        except _EndlessHeader:
            raise
        except Exception:  # Pillow reports it if it uses this picture
            continue
        limits.check(*image.size)
        _check_effort(image, size)
        largest = max(largest, image.width * image.height)
    return largest


def _check_tiles(image: Image.Image) -> None:
    """Check the size of a TIFF's tiles, which are decoded as a whole and may be larger than the picture."""
    tags = getattr(image, "tag_v2", {})
    width, height = tags.get(ExifTags.Base.TileWidth), tags.get(ExifTags.Base.TileLength)
    if isinstance(width, int) and isinstance(height, int):
        limits.check(width, height)
