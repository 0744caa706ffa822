"""Patch tokens: the score of each patch in a vision transformer's last layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from ..contrast import Score
from ..encoders import Encoded, Encoder, EncoderError, NoFeatureMap
from .method import LinearMethod, Operator
from .resample import Size
from .spread import SeparableSpread, bilinear


class PatchTokensOperator(Operator):
    """The patch tokens (d, rows, columns) of one explicand, from one pass."""

    features = "tokens"
    total = 1

    def __init__(self, explicand: Tensor) -> None:
        self._explicand = explicand
        self._tokens = torch.empty(0)

    @property
    def nbytes(self) -> int:
        return (self._explicand.numel() + self._tokens.numel()) * 4

    def inputs(self, count: int) -> Tensor:
        return self._explicand[None]

    def accept(self, encoded: Encoded) -> None:
        assert encoded.features is not None
        self._tokens = encoded.features[0].clone()
        self.done = 1

    def apply(self, score: Score, size: Size | None = None) -> Tensor:
        tokens = self._tokens.flatten(1).T
        values = score.of(F.normalize(tokens, dim=1), tokens.norm(dim=1)) / len(tokens)
        return self.spread.maps(values, size)

    @property
    def spread(self) -> SeparableSpread:
        """The bilinear map from patches to pixels."""
        full = self._explicand.shape[-2], self._explicand.shape[-1]
        return bilinear((self._tokens.shape[1], self._tokens.shape[2]), full, self._tokens.device)

    def coefficients_for(self, similarity: str) -> Tensor:
        """Return the tokens (patches, d), for the cosine as unit vectors, divided by their number."""
        tokens = self._tokens.flatten(1).T
        return (F.normalize(tokens, dim=1) if similarity == "cosine" else tokens) / len(tokens)


@dataclass(frozen=True)
class PatchTokens(LinearMethod):
    """The score of every patch token of a vision transformer, as if it were the representation.

    One forward pass; the tokens of the last layer are in the space of the representation (Dosovitskiy et al., ICLR
    2021), so each can be scored like an image; the sum of the heatmap is the mean of those scores. Through attention, a
    token also holds information on other patches: the heatmap shows where the encoder *keeps* what is like the corpus,
    which need not be where it saw it.

    Parameters
    ----------
    follow_edges : bool
        Whether heatmaps end with a guided filter; see `LinearMethod`.
    """

    follow_edges: bool = False

    name: ClassVar[str] = "patch_tokens"
    label: ClassVar[str] = "Patch tokens"
    hint: ClassVar[str] = "One pass; what each patch of a vision transformer scores by itself"
    refusal: ClassVar[type[EncoderError]] = NoFeatureMap

    def obstacle(self, encoder: Encoder) -> str | None:
        """Return why an encoder has no patch tokens; None if it has."""
        if encoder.tokens is not None:
            return None
        return f"{encoder.name} has no patch tokens in the space of its representations"

    def start(self, explicand: Tensor, baseline: Tensor) -> PatchTokensOperator:
        return PatchTokensOperator(explicand)
