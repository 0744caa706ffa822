"""From images of any kind to the tensor that the module sees."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from ..images import ImageSet, as_image_set
from .errors import EncoderError
from .preprocess import Frame, frame_of
from .settings import Settings


class Inputs:
    """Preprocess pictures for one encoder.

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._frames: dict[tuple[int, int], Frame] = {}
        self._size: tuple[int, int] | None = None

    def size(self) -> tuple[int, int]:
        """Return height and width in pixels of what the module sees."""
        if self._size is None:
            height, width = self.preprocessed(Image.new("RGB", (320, 320))).shape[1:]
            self._size = height, width
        return self._size

    def frame(self, width: int, height: int) -> Frame:
        """Return the part of a `width` × `height` picture that the module sees."""
        size = width, height
        if size not in self._frames:
            self._frames[size] = frame_of(self._settings.preprocess, width, height)
        return self._frames[size]

    def batch(self, images: Any) -> Tensor:
        """Return preprocessed images (B, 3, H, W), float32, on the encoder's device; see `Encoder.inputs`."""
        if isinstance(images, Tensor) and images.is_floating_point():
            batch = images[None] if images.ndim == 3 else images
            if batch.ndim != 4:
                raise ValueError(
                    f"A float tensor of images must have the shape (B, 3, H, W); this one has {tuple(images.shape)}."
                )
            return batch.to(self._settings.device, torch.float32)
        image_set: ImageSet = as_image_set(images)
        return self.stack(image_set.load(image_id) for image_id in image_set.ids)

    def stack(self, pictures: Iterable[Image.Image]) -> Tensor:
        """Preprocess pictures into one batch (B, 3, H, W), float32, on the encoder's device."""
        return torch.stack([self.preprocessed(picture) for picture in pictures]).to(self._settings.device)

    def preprocessed(self, picture: Image.Image) -> Tensor:
        """Preprocess one picture into a tensor (3, H, W), float32, on the CPU or where `preprocess` puts it."""
        tensor = self._settings.preprocess(picture)
        if not isinstance(tensor, Tensor) or tensor.ndim != 3:
            shape = tuple(tensor.shape) if isinstance(tensor, Tensor) else type(tensor).__name__
            raise EncoderError(
                f"The preprocess of encoder {self._settings.name!r} must turn a picture into a tensor (3, H, W), not"
                f" {shape}."
            )
        return tensor.float()
