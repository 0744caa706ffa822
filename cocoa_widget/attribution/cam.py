"""CAM: the final feature map, projected on the direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ..contrast import Score
from ..encoders import Encoded, Encoder, EncoderError, NoFeatureMap
from .method import LinearMethod, Operator
from .resample import Size
from .spread import SeparableSpread, bilinear


class CAMOperator(Operator):
    """The feature map (d, h, w) of one explicand, from one pass."""

    features = "pooled"
    total = 1

    def __init__(self, explicand: Tensor) -> None:
        self._explicand: Tensor | None = explicand
        self._full: Size = (explicand.shape[-2], explicand.shape[-1])
        self._map = torch.empty(0)

    @classmethod
    def from_features(cls, features: Tensor, full: Size) -> CAMOperator:
        """Make a finished operator from a feature map (d, h, w) that has been computed already."""
        operator = cls.__new__(cls)
        operator._explicand = None
        operator._full = full
        operator._keep(features)
        return operator

    def _keep(self, features: Tensor) -> None:
        self._map = features.clone()  # a copy: a view would keep the whole batch in memory
        self.done = 1

    @property
    def nbytes(self) -> int:
        held = self._map if self._explicand is None else self._explicand
        return held.numel() * held.element_size()

    def inputs(self, count: int) -> Tensor:
        if self._explicand is None:
            raise RuntimeError("This operator is complete: it has no inputs left.")
        return self._explicand[None]

    def accept(self, encoded: Encoded) -> None:
        assert encoded.features is not None
        self._keep(encoded.features[0])
        self._explicand = None

    def apply(self, score: Score, size: Size | None = None) -> Tensor:
        slopes = score.slopes(self._map.mean((1, 2)))
        return self.spread.maps(slopes @ self._positions.T, size)

    @property
    def _positions(self) -> Tensor:
        """What each position of the feature map adds to the representation, (h · w, d)."""
        channels, h, w = self._map.shape
        return self._map.reshape(channels, h * w).T / (h * w)

    @property
    def spread(self) -> SeparableSpread:
        """The bilinear map from positions to pixels."""
        return bilinear((self._map.shape[1], self._map.shape[2]), self._full, self._map.device)

    def coefficients_for(self, similarity: str) -> Tensor:
        """Return what each position of the feature map adds to the representation, (h · w, d)."""
        if similarity == "dot":
            return self._positions
        unit: Tensor = self._positions / self._map.mean((1, 2)).norm().clamp(min=1e-12)
        return unit


@dataclass(frozen=True)
class CAM(LinearMethod):
    """Class activation mapping (Zhou et al., CVPR 2016), with a direction in place of a class's weights.

    For an encoder that ends in global average pooling, gamma is the mean over positions of the final feature map's
    projection on the direction: the heatmap's sum *is* gamma. One forward pass; as coarse as the final feature map,
    whose cells are spread bilinearly over the pixels. With the Gaussian similarity, which has no direction, the score's
    gradient takes its place, and the sum is not the score.

    Parameters
    ----------
    follow_edges : bool
        Whether heatmaps end with a guided filter; see `LinearMethod`.
    """

    follow_edges: bool = False

    name: ClassVar[str] = "cam"
    label: ClassVar[str] = "CAM"
    hint: ClassVar[str] = "One pass; exact, and as coarse as the final feature map"
    refusal: ClassVar[type[EncoderError]] = NoFeatureMap

    def obstacle(self, encoder: Encoder) -> str | None:
        """Return why an encoder has no pooled feature map; None if it has one."""
        return None if encoder.pooling is not None else f"{encoder.name} does not end in global average pooling"

    def start(self, explicand: Tensor, baseline: Tensor) -> CAMOperator:
        return CAMOperator(explicand)
