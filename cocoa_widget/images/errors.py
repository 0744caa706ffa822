"""Errors of images, with messages for users of notebooks."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from itertools import islice

from PIL import Image

from .encodable import encodable

_COMPARED = 10_000
"""Most ids whose spellings are compared: that takes some 20 µs an id, and a message must not take seconds."""


class EmptySource(ValueError):
    """A source has no picture that can be read."""


class UnreadableImage(ValueError):
    """A picture cannot be opened or decoded.

    Parameters
    ----------
    image_id : str
        The image's id.
    reason : str
        Why it cannot be read, in one line.
    """

    def __init__(self, image_id: str, reason: str) -> None:
        reason = encodable(reason)
        super().__init__(f"image {image_id!r} cannot be read: {reason}")
        self.image_id = image_id
        self.reason = reason


class UnknownImage(KeyError):
    """An image set does not have some ids.

    Parameters
    ----------
    unknown : sequence of str
        All ids that the set does not have.
    known : sequence of str
        The ids of the set; the message names those with a similar spelling.
    """

    def __init__(self, unknown: Sequence[object], known: Sequence[str]) -> None:
        named = ", ".join(repr(each) for each in unknown[:10])
        more = f" and {len(unknown) - 10} more" if len(unknown) > 10 else ""
        alike = _alike(str(unknown[0]), known)
        hint = f"did you mean {' or '.join(map(repr, alike))}?" if alike else "`images.ids` lists them all"
        self.ids = list(unknown)
        self.message = f"no image {named}{more} among these {len(known)}; {hint}"
        super().__init__(self.message)

    def __str__(self) -> str:
        """Return the message; `KeyError` would show its repr."""
        return self.message


def _alike(image_id: str, known: Sequence[str]) -> list[str]:
    image_id = encodable(image_id)
    wanted = image_id.lower()
    containing: Iterable[str] = (each for each in known if wanted and wanted in each.lower())
    return list(islice(containing, 3)) or difflib.get_close_matches(image_id, known[:_COMPARED], n=3)


def reason(error: BaseException) -> str:
    """Return in one line why a picture could not be read.

    Parameters
    ----------
    error : BaseException
        Raised by opening or decoding the picture.

    Returns
    -------
    str
        Without line breaks and characters that UTF-8 cannot hold; names of files may have both.
    """
    return encodable(" ".join(_reason(error).splitlines()))


def _reason(error: BaseException) -> str:
    if isinstance(error, UnreadableImage):
        return error.reason
    path = getattr(error, "filename", None)
    if path is not None and isinstance(error, FileNotFoundError):
        return f"there is no file {path}"
    if path is not None and isinstance(error, PermissionError):
        return f"no permission to read {path}"
    if path is not None and isinstance(error, IsADirectoryError):
        return f"{path} is a folder; give a folder on its own, as in ImageSet({path!r})"
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return (
            f"{error} (if the file can be trusted, raise PIL.Image.MAX_IMAGE_PIXELS, and "
            "cocoa_widget.images.limits.max_pixels too)"
        )
    return str(error) or type(error).__name__
