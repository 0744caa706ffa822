"""Preprocessed explicands, and what replaces their removed parts."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor

from ..attribution import Baseline, baselines_of
from ..encoders import Encoder
from ..images import ImageSet

KEPT_INPUTS = 32


class Inputs:
    """Explicands and their baselines as the encoder takes them; the most recently used are kept.

    Parameters
    ----------
    images : ImageSet
    encoder : Encoder
    """

    def __init__(self, images: ImageSet, encoder: Encoder) -> None:
        self._images, self._encoder = images, encoder
        self._kept: OrderedDict[tuple[str, Baseline], tuple[Tensor, Tensor]] = OrderedDict()

    def get(self, image: str, baseline: Baseline) -> tuple[Tensor, Tensor]:
        """Return an image's preprocessed explicand and its baseline, both (3, H, W)."""
        key = image, baseline
        if key not in self._kept:
            explicand = self._encoder.stack([self._images.load(image)])
            self._kept[key] = explicand[0], baselines_of(baseline, explicand)[0]
            if len(self._kept) > KEPT_INPUTS:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]
