"""Preprocessing: from a picture to the tensor that the encoder sees, and the part of the picture that it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

Frame = tuple[float, float, float, float]
"""Left, top, right, bottom in fractions of the picture."""

Transform = Callable[[Image.Image], Tensor]


@dataclass(frozen=True)
class Preprocess:
    """The usual transform for evaluation on ImageNet: resize, crop the centre, scale to 0..1 and normalise.

    Parameters
    ----------
    image_size : int
        Side in pixels of the square that the encoder sees.
    resize : int, optional
        Length in pixels of the picture's shorter side before the crop; `image_size` (nothing of it is lost) by default.
    mean, std : tuple of float
        Per-channel statistics that are subtracted and divided by.
    resample : PIL.Image.Resampling
        Filter of the resize.
    """

    image_size: int = 224
    resize: int | None = None
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    resample: Image.Resampling = Image.Resampling.BILINEAR

    def _resized(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Return width and height of the resized picture, and left and top of the crop; rounded as in torchvision."""
        shorter, size = min(width, height), self.image_size
        w, h = (max(size, (self.resize or size) * side // shorter) for side in (width, height))
        return w, h, round((w - size) / 2), round((h - size) / 2)

    def frame(self, width: int, height: int) -> Frame:
        """Return the part of a `width` × `height` picture that the encoder sees."""
        w, h, left, top = self._resized(width, height)
        return left / w, top / h, (left + self.image_size) / w, (top + self.image_size) / h

    def __call__(self, image: Image.Image) -> Tensor:
        """Return the normalised float32 tensor (3, image_size, image_size) of a picture."""
        image = image.convert("RGB")
        w, h, left, top = self._resized(*image.size)
        image = image.resize((w, h), self.resample).crop((left, top, left + self.image_size, top + self.image_size))
        mean, std = (np.array(values, np.float32)[:, None, None] for values in (self.mean, self.std))
        # In two steps over one array, channel by channel: several times as fast as one formula over pixels of three.
        normalised = np.empty((3, self.image_size, self.image_size), np.float32)
        np.multiply(np.asarray(image).transpose(2, 0, 1), 1 / (255 * std), out=normalised)
        normalised -= mean / std
        return torch.from_numpy(normalised)


def frame_of(preprocess: Transform, width: int, height: int) -> Frame:
    """Return the part of a `width` × `height` picture that any transform lets through.

    If the transform has a method ``frame(width, height)``, that is called. Otherwise the transform is applied to a ramp
    from black to white along each axis: the grey of an output pixel is the position that it came from, whatever resizes
    and crops the transform consists of. For transforms that are random, or not affine in the intensities, it is the
    whole picture.
    """
    known = getattr(preprocess, "frame", None)
    if known is not None:
        left, top, right, bottom = known(width, height)
        return float(left), float(top), float(right), float(bottom)

    def seen(pixels: np.ndarray) -> np.ndarray:
        picture = Image.fromarray(np.broadcast_to(pixels[..., None], (height, width, 3)).astype(np.uint8))
        return np.asarray(preprocess(picture).mean(0), dtype=np.float64)

    black = seen(np.zeros((height, width)))
    span = seen(np.full((height, width), 255.0)) - black
    if not np.all(np.abs(span) > 1e-6):
        return 0.0, 0.0, 1.0, 1.0
    edges = []
    for axis, length in ((1, width), (0, height)):
        # Position 0..1 of each input pixel's centre, as a grey value.
        ramp = 255.0 * (np.arange(length) + 0.5) / length
        grid = np.broadcast_to(ramp if axis == 1 else ramp[:, None], (height, width))
        position = ((seen(np.round(grid)) - black) / span).mean(axis=1 - axis)
        n = len(position)
        inner = slice(n // 8, n - n // 8)  # resize filters bend the ramp at the picture's edges
        slope, intercept = np.polyfit(np.arange(n)[inner] + 0.5, position[inner], 1)
        if not np.isfinite(slope) or slope <= 0:
            return 0.0, 0.0, 1.0, 1.0
        edges.append((float(intercept), float(intercept + slope * n)))
    (left, right), (top, bottom) = edges
    return left, top, right, bottom
