"""Patch tokens: the score of each patch in a vision transformer's last layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import torch
from torch import Tensor

from ..contrast import LinearScore, Score
from ..encoders import Encoded, Encoder, EncoderError, FeatureKind, NoFeatureMap
from .compact import Compact
from .method import LinearMethod
from .position_operator import PositionOperator
from .resample import Size


class PatchTokensOperator(PositionOperator):
    """The patch tokens of one explicand, divided by their number, from one pass.

    Parameters
    ----------
    explicand : Tensor
        (3, H, W).
    features : FeatureKind
        The kind of tokens.
    """

    def __init__(self, explicand: Tensor, features: FeatureKind) -> None:
        self.features = features
        self._explicand: Tensor | None = explicand
        self._full: Size = (explicand.shape[-2], explicand.shape[-1])
        self._cells: Size = (0, 0)
        self._tokens = Compact(torch.empty(0, 0, dtype=torch.int16), torch.empty(0, 1))
        self._norms = torch.empty(0)  # of each token

    @property
    def nbytes(self) -> int:
        return self._tokens.nbytes + self._norms.nbytes if self._explicand is None else self._explicand.nbytes

    def inputs(self, count: int) -> Tensor:
        if self._explicand is None:
            raise RuntimeError("This operator is complete: it has no inputs left.")
        return self._explicand[None]

    def accept(self, encoded: Encoded) -> None:
        assert encoded.features is not None
        tokens = encoded.features[0]
        self._cells = tokens.shape[1], tokens.shape[2]
        self._tokens = Compact.of(tokens.flatten(1).T / len(tokens[0].flatten()))
        self._norms = tokens.flatten(1).norm(dim=0).float().clamp(min=1e-12)
        self.done = 1
        self._explicand = None

    def apply(self, score: Score, size: Size | None = None) -> Tensor:
        if isinstance(score, LinearScore):
            return self.spread.maps(self.values(score), size)
        count = len(self._norms)
        return self.spread.maps(score(self._tokens.matrix() * count) / count, size)

    def _kept(self, similarity: str) -> Compact:
        return self._tokens.divided(self._norms[:, None]) if similarity == "cosine" else self._tokens


Reading = Literal["own", "neighbour"]
"""The attention of the last block by which patch tokens are computed."""


@dataclass(frozen=True)
class PatchTokens(LinearMethod):
    """The score of every patch token of a vision transformer, as if it were the representation.

    One forward pass; the tokens of the last layer are in the space of the representation (Dosovitskiy et al., ICLR
    2021), so each can be scored like an image; the sum of the heatmap is the mean of those scores. Through attention, a
    token also holds information on other patches: the heatmap shows where the encoder *keeps* what is like the corpus,
    which need not be where it saw it.

    Parameters
    ----------
    attention : {"own", "neighbour"}
        ``"own"`` takes the tokens as they are. ``"neighbour"`` takes the output of the last block's attention alone,
        without what it is added to and the feed-forward layers, and lets each token attend to those with similar keys,
        close ones rather (NACLIP; Hajimiri, Ben Ayed & Dolz, WACV 2025).
    follow_edges : bool
        Whether heatmaps end with a guided filter; see `LinearMethod`.
    """

    attention: Reading = "own"
    follow_edges: bool = False

    name: ClassVar[str] = "patch_tokens"
    label: ClassVar[str] = "Patch tokens"
    hint: ClassVar[str] = "One pass; what each patch of a vision transformer scores by itself"
    refusal: ClassVar[type[EncoderError]] = NoFeatureMap

    def __post_init__(self) -> None:
        if self.attention not in get_args(Reading):
            raise ValueError(f"PatchTokens needs attention in {get_args(Reading)}, not {self.attention!r}.")

    def obstacle(self, encoder: Encoder) -> str | None:
        """Return why an encoder has no such patch tokens; None if it has."""
        if encoder.tokens is None:
            return f"{encoder.name} has no patch tokens in the space of its representations"
        if self.attention != "own" and encoder.blocks is None:
            return f"{encoder.name} has no transformer blocks of a known kind, whose attention could be replaced"
        return None

    def start(self, explicand: Tensor, baseline: Tensor) -> PatchTokensOperator:
        return PatchTokensOperator(explicand, "tokens" if self.attention == "own" else self.attention)
