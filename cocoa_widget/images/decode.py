"""Decoding of pictures of all kinds to upright 8-bit RGB."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from .pixel_limits import limits

_Turn = Image.Transpose
_TURNS = {
    2: _Turn.FLIP_LEFT_RIGHT,
    3: _Turn.ROTATE_180,
    4: _Turn.FLIP_TOP_BOTTOM,
    5: _Turn.TRANSPOSE,
    6: _Turn.ROTATE_270,
    7: _Turn.TRANSVERSE,
    8: _Turn.ROTATE_90,
}

_SLACK = 1e-3
"""How far outside 0..1 a float may lie: interpolation and half precision exceed the range by that much."""


def upright_rgb(image: Image.Image, used_up: bool = False) -> Image.Image:
    """Decode a picture to upright RGB.

    Transparency is laid over white, 16 bits are scaled to 8, and an animation becomes its first frame.

    Parameters
    ----------
    image : PIL.Image.Image
        In any mode, decoded or not. The call waits while other threads decode many pixels; see `limits`.
    used_up : bool
        Whether the picture is closed as soon as it is not needed any more, which takes less memory.

    Returns
    -------
    PIL.Image.Image
        A new image, RGB, turned as its EXIF orientation asks for.

    Raises
    ------
    ValueError
        For float or 32-bit values outside the range that can be shown.
    """
    with limits.decoding(image.width * image.height):
        turn = _TURNS.get(orientation(image))
        upright = _rgb(image)
        if used_up:
            image.close()
        if turn is not None:
            upright = upright.transpose(turn)
        upright.info = {}  # the orientation has been applied; left in, the next reader would turn the picture again
        return upright


def orientation(image: Image.Image) -> int:
    """Return the EXIF orientation (1 to 8) that is still to be applied to a picture.

    It decodes the picture first: Pillow turns a TIFF while decoding, and a PNG may carry its EXIF after the pixels.
    """
    image.load()
    try:
        found = int(image.getexif().get(ExifTags.Base.Orientation, 1))
        return found if found in _TURNS else 1
    except Exception:  # many devices write broken EXIF; the picture can be used without it
        return 1


def pixel_array(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale an array of pixels to 8 bits; raise `ValueError` if it cannot be a picture.

    Parameters
    ----------
    array : (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) ndarray
        See `eight_bit` for its values.

    Returns
    -------
    (H, W), (H, W, 3) or (H, W, 4) uint8 ndarray
        The array itself where it can be.
    """
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)) or 0 in array.shape:
        raise ValueError(f"an array of shape {array.shape} cannot be a picture; give (H, W), (H, W, 3) or (H, W, 4)")
    return eight_bit(array)


def eight_bit(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale pixel values to 0..255.

    Parameters
    ----------
    values : ndarray
        uint8 (returned as it is), bool, uint16, or float from 0 to 1.

    Returns
    -------
    uint8 ndarray of the same shape

    Raises
    ------
    ValueError
        For floats outside 0..1 and for other integers, whose range is unknown.
    """
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:
        scaled_16 = values / np.float32(257)
        return np.rint(scaled_16, out=scaled_16).astype(np.uint8)
    if values.dtype.kind == "f":
        low, high = float(values.min()), float(values.max())
        if not (low >= -_SLACK and high <= 1 + _SLACK):  # written so that NaN is refused too
            raise ValueError(
                f"float pixels must lie in 0..1, but these run from {low:.3g} to {high:.3g}; undo the normalisation, "
                "divide by 255, or give uint8"
            )
        scaled: NDArray[np.uint8] = (values.clip(0, 1) * 255).round().astype(np.uint8)
        return scaled
    raise ValueError(f"pixels of type {values.dtype} have no known range; give uint8 (0..255) or float (0..1)")


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        values = np.asarray(image)
        if values.dtype.itemsize > 2:
            # Some readers put 16-bit files into 32-bit integers; anything wider has no range of its own.
            low, high = int(values.min()), int(values.max())
            if low < 0 or high > 65535:
                raise ValueError(f"32-bit pixels must lie in 0..65535, but these run from {low} to {high}")
        return Image.fromarray(eight_bit(values.astype(np.uint16, copy=False))).convert("RGB")
    if image.mode == "F":
        return Image.fromarray(eight_bit(np.asarray(image))).convert("RGB")
    if image.has_transparency_data:
        see_through = image if image.mode == "RGBA" else image.convert("RGBA")
        laid = Image.new("RGB", image.size, "white")
        laid.paste(see_through, mask=see_through)
        return laid
    return image.convert("RGB")
