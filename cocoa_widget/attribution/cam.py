"""CAM: what each position of the final feature map, or each patch, adds to the score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ..contrast import LinearScore, Score
from ..encoders import Encoded, Encoder, EncoderError, FeatureKind, NoFeatureMap
from .compact import Compact
from .method import LinearMethod
from .position_operator import PositionOperator
from .resample import Size


class CAMOperator(PositionOperator):
    """What each position of one explicand's feature map adds to the representation, from one pass.

    Parameters
    ----------
    explicand : Tensor
        (3, H, W).
    features : FeatureKind
        A kind of feature maps whose mean over positions is the representation.
    """

    def __init__(self, explicand: Tensor, features: FeatureKind = "pooled") -> None:
        self.features = features
        self._explicand: Tensor | None = explicand
        self._full: Size = (explicand.shape[-2], explicand.shape[-1])
        self._cells: Size = (0, 0)
        self._positions = Compact(torch.empty(0, 0, dtype=torch.int16), torch.empty(0, 1))
        self._norm = 0.0  # of the representation

    @classmethod
    def from_features(cls, features: Tensor, full: Size) -> CAMOperator:
        """Make a finished operator from a feature map (d, h, w) that has been computed already."""
        operator = cls.__new__(cls)
        operator._explicand = None
        operator._full = full
        operator._keep(features)
        return operator

    def _keep(self, features: Tensor) -> None:
        channels, h, w = features.shape
        self._cells = h, w
        self._positions = Compact.of(features.reshape(channels, h * w).T / (h * w))
        self._norm = max(float(features.mean((1, 2)).norm()), 1e-12)
        self.done = 1

    @property
    def nbytes(self) -> int:
        return self._positions.nbytes if self._explicand is None else self._explicand.nbytes

    def inputs(self, count: int) -> Tensor:
        if self._explicand is None:
            raise RuntimeError("This operator is complete: it has no inputs left.")
        return self._explicand[None]

    def accept(self, encoded: Encoded) -> None:
        assert encoded.features is not None
        self._keep(encoded.features[0])
        self._explicand = None

    def apply(self, score: Score, size: Size | None = None) -> Tensor:
        if isinstance(score, LinearScore):
            return self.spread.maps(self.values(score), size)
        positions = self._positions.matrix()
        return self.spread.maps(score.slopes(positions.sum(0)) @ positions.T, size)

    def _kept(self, similarity: str) -> Compact:
        return self._positions.divided(self._norm) if similarity == "cosine" else self._positions


@dataclass(frozen=True)
class CAM(LinearMethod):
    """Class activation mapping (Zhou et al., CVPR 2016), with a direction in place of a class's weights.

    For an encoder that ends in global average pooling, gamma is the mean over positions of the final feature map's
    projection on the direction: the heatmap's sum *is* gamma. One forward pass; as coarse as the final feature map,
    whose cells are spread bilinearly over the pixels. With the Gaussian similarity, which has no direction, the score's
    gradient takes its place, and the sum is not the score.

    The representation of a vision transformer is its class token, which is a sum, too (Gandelsman, Efros & Steinhardt,
    ICLR 2024): in each block, each patch adds its value, weighted by attention, and the last normalisation scales all
    alike. These shares are the heatmap. What is left, such as that of feed-forward layers, is the same for all patches,
    so that the sum is gamma here as well. One pass, at the cost of two.

    Parameters
    ----------
    follow_edges : bool
        Whether heatmaps end with a guided filter; see `LinearMethod`.
    """

    follow_edges: bool = False

    name: ClassVar[str] = "cam"
    label: ClassVar[str] = "CAM"
    hint: ClassVar[str] = "One pass; exact, and as coarse as the final feature map or the patches"
    refusal: ClassVar[type[EncoderError]] = NoFeatureMap

    def obstacle(self, encoder: Encoder) -> str | None:
        """Return why an encoder's representation is not known as a sum over positions; None if it is."""
        if summands(encoder) is not None:
            return None
        return f"{encoder.name} does not end in global average pooling, and is no vision transformer of a known kind"

    def start(self, explicand: Tensor, baseline: Tensor) -> CAMOperator:
        return CAMOperator(explicand)

    def start_with(self, encoder: Encoder, explicand: Tensor, baseline: Tensor) -> CAMOperator:
        return CAMOperator(explicand, summands(encoder) or "pooled")


def summands(encoder: Encoder) -> FeatureKind | None:
    """Return the kind of feature maps whose mean over positions is an encoder's representation; None without any."""
    if encoder.pooling is not None:
        return "pooled"
    tokens, blocks = encoder.tokens, encoder.blocks
    if tokens is not None and tokens.exact:
        return "tokens"
    return None if blocks is None or blocks.norm is None else "contributions"
