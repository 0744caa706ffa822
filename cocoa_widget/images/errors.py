"""What can go wrong with images, in words for whoever sits in front of the notebook."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from itertools import islice

from PIL import Image, UnidentifiedImageError

_COMPARED = 10_000
"""Comparing spellings takes some 20 µs an id, and a message may not take seconds."""


class EmptySource(ValueError):
    """A source in which there is no picture that can be read."""


class UnreadableImage(ValueError):
    """A picture that cannot be opened or decoded.

    Parameters
    ----------
    image_id : str
        Which one.
    reason : str
        Why, in one line.
    """

    def __init__(self, image_id: str, reason: str) -> None:
        super().__init__(f"image {image_id!r} cannot be read: {reason}")
        self.image_id = image_id
        self.reason = reason


class UnknownImage(KeyError):
    """Ids that an image set does not have.

    Parameters
    ----------
    unknown : sequence of str
        All of them.
    known : sequence of str
        The ids of the set; the message names those that are spelled alike.
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
    wanted = image_id.lower()
    containing: Iterable[str] = (each for each in known if wanted and wanted in each.lower())
    return list(islice(containing, 3)) or difflib.get_close_matches(image_id, known[:_COMPARED], n=3)


def reason(error: BaseException) -> str:
    """Say in one line why a picture could not be read.

    Parameters
    ----------
    error : BaseException
        What opening or decoding it raised.

    Returns
    -------
    str
    """
    if isinstance(error, UnreadableImage):
        return error.reason
    if isinstance(error, FileNotFoundError):
        return f"there is no file {error.filename}"
    if isinstance(error, PermissionError):
        return f"no permission to read {error.filename}"
    if isinstance(error, IsADirectoryError):
        return f"{error.filename} is a folder; give a folder on its own, as in ImageSet({error.filename!r})"
    if isinstance(error, UnidentifiedImageError):
        return str(error)
    if isinstance(error, Image.DecompressionBombError):
        return f"{error} (raise PIL.Image.MAX_IMAGE_PIXELS if the file is to be trusted)"
    return str(error) or type(error).__name__
