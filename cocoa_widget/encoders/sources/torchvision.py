"""torchvision's classification networks as encoders: their penultimate representation."""

from __future__ import annotations

from typing import Any

from PIL import Image
from torch import nn

from ...spelling import did_you_mean
from ..encoder import Encoder
from ..preprocess import Preprocess, Transform
from ..probing.heads import head_of, last_linear, replace, take_off
from .checkpoint import Weights, find_state, read_weights
from .downloading import downloading


def list_torchvision() -> list[str]:
    """List the classification networks that end in a linear layer."""
    from torchvision import models

    return [name for name in models.list_models(module=models) if not name.startswith("squeezenet")]


def load_torchvision(name: str, *, weights: Weights = "DEFAULT", **options: Any) -> Encoder:
    """Load a classification network of torchvision without its last linear layer.

    Parameters
    ----------
    name : str
        As in ``torchvision.models.list_models(module=torchvision.models)``.
    weights : str, Path, mapping or None
        The name of published weights (``"DEFAULT"``, ``"IMAGENET1K_V1"``, …), the path of a saved state dict, a state
        dict, or None for random weights.
    **options
        See `Encoder`.
    """
    from torchvision import models

    known = models.list_models(module=models)
    if name not in known:
        raise ValueError(f"torchvision has no classification network {name!r}.{did_you_mean(name, known)}")
    published = models.get_model_weights(name)
    network: nn.Module = models.get_model(name, weights=None)
    head = last_linear(network)
    if head is None:
        raise ValueError(
            f"torchvision/{name} has no linear classifier to drop; wrap the part that you want with"
            " cocoa_widget.Encoder(module)."
        )
    preset = published.DEFAULT
    if isinstance(weights, str) and weights in published.__members__:
        preset = published[weights]
        instead = f"load_encoder('torchvision/{name}', weights='{name}.pth')"
        with downloading(f"The weights {weights} of {name}", instead):
            network = models.get_model(name, weights=weights)
    elif weights is not None:
        load_weights(network, head, name, weights, published=list(published.__members__))
    preprocess = options.pop("preprocess", None) or as_preprocess(preset.transforms())
    return Encoder(network, preprocess=preprocess, classifier=take_off(network, head), name=name, **options)


def as_preprocess(preset: Any) -> Transform:
    """Return the preprocessing of a preset of torchvision, as a `Preprocess` if that can express it.

    The result is the same, but torchvision starts threads for every picture, which compete with the encoder for the
    processor while pictures are decoded ahead.
    """
    resamplings = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
    resample = resamplings.get(getattr(getattr(preset, "interpolation", None), "value", ""))
    if type(preset).__name__ != "ImageClassification" or resample is None:
        return preset  # type: ignore[no-any-return]
    (crop,), (resize,) = preset.crop_size, preset.resize_size
    return Preprocess(crop, resize=resize, mean=tuple(preset.mean), std=tuple(preset.std), resample=resample)


def load_weights(network: nn.Module, head: str, name: str, weights: Any, *, published: list[str]) -> None:
    """Load local weights into a network, whose classifier gets the size that it has in them."""
    try:
        contents, origin = read_weights(weights)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"{name} has no weights {str(weights)!r}, and there is no such file. Published are: {', '.join(published)}."
        ) from error
    state = find_state(contents, origin, network, name, head=[head])
    # The head, which is dropped later, has the size of the one in the file, not ImageNet's.
    replace(network, head, head_of(state, head))
    network.load_state_dict(state, strict=False)
