"""Checkpoints of SimCLR, SimSiam, MoCo and BYOL, as their authors and common PyTorch ports publish them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from ...spelling import did_you_mean
from ..encoder import Encoder
from ..preprocess import IMAGENET_MEAN, IMAGENET_STD, Preprocess
from ..probing.heads import last_linear, take_off
from .checkpoint import Weights, find_state, read_weights

TITLES = {"simclr": "SimCLR", "simsiam": "SimSiam", "moco": "MoCo", "byol": "BYOL"}

UNCHANGED = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
"""SimCLR was trained on pixels from 0 to 1 (Chen et al., ICML 2020); the others with ImageNet's normalisation."""


def list_self_supervised() -> list[str]:
    """List the architectures whose checkpoints can be loaded."""
    from torchvision import models

    return [name for name in models.list_models(module=models) if name.startswith(("resnet", "wide_resnet"))]


def load_self_supervised(method: str, name: str, *, weights: Weights = "DEFAULT", **options: Any) -> Encoder:
    """Load the encoder of a checkpoint of contrastive or self-distilling training, without its projection head.

    Parameters
    ----------
    method : {"simclr", "simsiam", "moco", "byol"}
    name : str
        One of torchvision's ResNets. If the first convolution in the file is 3 × 3, it is the variant for CIFAR:
        without the first pooling, for images of 32 pixels.
    weights : str, Path or mapping
        The checkpoint, or None for random weights.
    **options
        See `Encoder`; `image_size` too.
    """
    from torchvision import models

    known = list_self_supervised()
    if name not in known:
        raise ValueError(f"{method} knows torchvision's ResNets, and no {name!r}.{did_you_mean(name, known)}")
    if isinstance(weights, str) and weights == "DEFAULT":
        raise ValueError(
            f"{TITLES[method]} has no weights that can be downloaded: pass a checkpoint, as in"
            f" load_encoder('{method}/{name}', weights='checkpoint.pth')."
        )
    network: nn.Module = models.get_model(name, weights=None)
    head = last_linear(network) or ""
    size = 224
    if weights is not None:
        contents, origin = read_weights(weights)
        size = _load(network, head, f"{TITLES[method]} {name}", contents, origin)
    take_off(network, head)
    size = options.pop("image_size", size)
    mean, std = UNCHANGED if method == "simclr" else (IMAGENET_MEAN, IMAGENET_STD)
    resize = round(size * 256 / 224) if size >= 64 else size
    preprocess = options.pop("preprocess", None) or Preprocess(size, resize, mean, std)
    return Encoder(network, preprocess=preprocess, name=f"{TITLES[method]} {name}", **options)


def _load(network: nn.Module, head: str, name: str, contents: Any, origin: str) -> int:
    """Load the weights, and return the side of the images that they are for."""

    def load() -> None:
        state = find_state(contents, origin, network, name, head=[head], variants=_variants(network), extras=True)
        network.load_state_dict(state, strict=False)

    try:
        load()
    except ValueError as error:
        stem = network.conv1
        if "conv1.weight has the shape" not in str(error) and "0.weight has the shape" not in str(error):
            raise
        assert isinstance(stem, nn.Conv2d)
        network.conv1 = nn.Conv2d(3, stem.out_channels, 3, padding=1, bias=False)
        network.maxpool = nn.Identity()
        try:
            load()
        except ValueError:
            raise error from None
        return 32
    return 224


def _variants(network: nn.Module) -> list[Mapping[str, str]]:
    """Return the names of a ResNet's tensors, and those that ``nn.Sequential(*children)`` gives them."""
    children = [child for child, _ in network.named_children()]
    variants: list[Mapping[str, str]] = [{}]
    for left_out in ((), ("maxpool",)):
        numbers = {child: str(i) for i, child in enumerate(c for c in children if c not in left_out)}
        names = {}
        for key in network.state_dict():
            child, _, rest = key.partition(".")
            if child in numbers:
                names[key] = f"{numbers[child]}.{rest}"
        variants.append(names)
    return variants
