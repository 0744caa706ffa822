"""CAM: the final feature map, projected on the direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ..encoders import Encoded
from .method import LinearMethod, Operator, Size
from .resample import averaging, smaller, spreading


class CAMOperator(Operator):
    """Feature map (positions × d) of one explicand; one pass, and an exact decomposition of gamma."""

    needs_features = True
    total = 1

    def __init__(self, explicand: Tensor) -> None:
        self._explicand: Tensor | None = explicand
        self._full: Size = (explicand.shape[-2], explicand.shape[-1])
        self._features = torch.empty(0)
        self._norm = 1.0

    @classmethod
    def from_features(cls, features: Tensor, full: Size) -> CAMOperator:
        """Make a finished operator from a feature map (d, h, w) that somebody has computed already."""
        operator = cls.__new__(cls)
        operator._explicand = None
        operator._full = full
        operator._keep(features)
        return operator

    def _keep(self, features: Tensor) -> None:
        self._features = features.clone()  # of its own, so that it does not hold a whole batch in memory
        self._norm = max(float(features.mean((1, 2)).norm()), 1e-12)
        self.done = 1

    @property
    def nbytes(self) -> int:
        held = self._features if self._explicand is None else self._explicand
        return held.numel() * held.element_size()

    def inputs(self, count: int) -> Tensor:
        if self._explicand is None:
            raise RuntimeError("This operator is complete.")
        return self._explicand[None]

    def accept(self, encoded: Encoded) -> None:
        assert encoded.features is not None
        self._keep(encoded.features[0])
        self._explicand = None

    def apply(self, directions: Tensor, similarity: str, size: Size | None = None) -> Tensor:
        channels, h, w = self._features.shape
        coarse = (directions @ self._features.reshape(channels, h * w)).reshape(-1, h, w) / (h * w)
        if similarity == "cosine":
            coarse = coarse / self._norm
        tall, wide = smaller(size, self._full)
        rows = _spread(h, self._full[0], tall, coarse.device)
        columns = _spread(w, self._full[1], wide, coarse.device)
        return rows @ coarse @ columns.T


def _spread(cells: int, length: int, size: int, device: torch.device) -> Tensor:
    """Return the matrix (size, cells) that spreads cells over `length` pixels and averages those down to `size`."""
    matrix = spreading(cells, length, device)
    return matrix if size == length else averaging(length, size, device) @ matrix


@dataclass(frozen=True)
class CAM(LinearMethod):
    """Class activation mapping (Zhou et al., CVPR 2016), with a direction in place of a class's weights.

    For an encoder that ends in global average pooling, gamma is the mean over positions of the final feature map's
    projection on the direction: the heatmap's sum *is* gamma. One forward pass; as coarse as the final feature map,
    whose cells are spread bilinearly over the pixels.
    """

    name: ClassVar[str] = "cam"
    label: ClassVar[str] = "CAM"
    hint: ClassVar[str] = "One pass; exact, and as coarse as the final feature map"

    def start(self, explicand: Tensor, baseline: Tensor) -> CAMOperator:
        return CAMOperator(explicand)
