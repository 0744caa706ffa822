"""Grad-CAM: a layer's feature map, weighted by the score's gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ..encoders import LAST_MAP, Encoder, EncoderError, Gradients, NoFeatureMap
from .method import GradientMethod, GradientRun
from .resample import Size, distribute


class GradCAMRun(GradientRun):
    """A run of Grad-CAM: one forward pass, and one backward pass to the layer."""

    total = 1

    def __init__(self, layer: str, explicand: Tensor) -> None:
        self.layer = layer
        self._explicand = explicand
        self._coarse = torch.empty(0)

    def inputs(self, count: int) -> Tensor:
        return self._explicand[None]

    def accept(self, found: Gradients) -> None:
        weights = found.gradients[0].mean((1, 2))
        self._coarse = torch.einsum("c,chw->hw", weights, found.points[0])
        self.done = 1

    def heatmap(self, size: Size | None = None) -> Tensor:
        return distribute(self._coarse, (self._explicand.shape[-2], self._explicand.shape[-1]), size)


@dataclass(frozen=True)
class GradCAM(GradientMethod):
    """Grad-CAM (Selvaraju et al., ICCV 2017) at any layer, without its ReLU, so that negative values stay.

    Channels are weighted by the mean over positions of the score's gradient there.

    Parameters
    ----------
    layer : str, optional
        Name of a submodule of the encoder's module that returns a feature map (B, c, h, w), as in
        ``named_modules()``; by default the last one.
    """

    layer: str | None = None

    name: ClassVar[str] = "grad_cam"
    label: ClassVar[str] = "Grad-CAM"
    hint: ClassVar[str] = "A layer's feature map, weighted by the score's gradient; one pass for each change"
    refusal: ClassVar[type[EncoderError]] = NoFeatureMap

    def obstacle(self, encoder: Encoder) -> str | None:
        """Return why an encoder has no gradients or no feature map; None if it has both."""
        found = super().obstacle(encoder)
        if found is None and self.layer is None and encoder.last_map is None:
            return f"{encoder.name} has no layer that gives a feature map"
        return found

    def start(self, explicand: Tensor, baseline: Tensor) -> GradCAMRun:
        return GradCAMRun(LAST_MAP if self.layer is None else self.layer, explicand)
