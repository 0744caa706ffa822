"""timm's networks as encoders, CNNs and vision transformers, however trained, without their classifier."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from typing import Any

from torch import nn

from ...optional import require
from ...spelling import did_you_mean
from ..encoder import Encoder
from ..probing.heads import head_of, replace
from .checkpoint import Weights, find_state, read_weights
from .downloading import downloading


def _timm() -> Any:
    return require("timm", "timm", "An encoder of timm")


def list_timm() -> list[str]:
    """List timm's architectures, and each of their published weights as ``ARCHITECTURE.TAG``."""
    timm = _timm()
    return sorted({*timm.list_models(), *timm.list_pretrained()})


def load_timm(name: str, *, weights: Weights = "DEFAULT", image_size: int | None = None, **options: Any) -> Encoder:
    """Load a network of timm with ``num_classes=0``: the input of its classifier is the representation.

    Parameters
    ----------
    name : str
        As in ``timm.list_models()`` or ``timm.list_pretrained()``.
    weights : str, Path, mapping or None
        ``"DEFAULT"`` for the published ones, the path of a checkpoint, a state dict, or None for random weights.
    image_size : int, optional
        Side in pixels of the input; by default the one that the weights were published with.
    **options
        See `Encoder`.
    """
    timm = _timm()
    known = list_timm()
    if name not in known:
        raise ValueError(f"timm has no network {name!r}.{did_you_mean(name, known)}")
    defaults = timm.get_pretrained_cfg(name)
    # Transformers have a position for each patch, so their size is set; other networks take any size.
    sized = {"img_size": image_size} if image_size and defaults is not None and defaults.fixed_input_size else {}
    if isinstance(weights, str) and weights == "DEFAULT":
        if not timm.is_model_pretrained(name):
            raise ValueError(f"There are no published weights of {name}: pass weights=PATH, or None for random ones.")
        with downloading(f"The weights of {name}", f"load_encoder('timm/{name}', weights='{name}.safetensors')"):
            network = timm.create_model(name, pretrained=True, **sized)
    else:
        network = timm.create_model(name, pretrained=False, **sized)
        if weights is not None:
            _load_weights(network, name, weights)
    classifier = network.get_classifier()
    network.reset_classifier(0)
    preprocess = options.pop("preprocess", None) or _transform(timm, network, image_size)
    options["classifier"] = classifier if isinstance(classifier, nn.Linear) else None
    return Encoder(network, preprocess=preprocess, name=name, **options)


def _transform(timm: Any, network: nn.Module, image_size: int | None) -> Any:
    config = timm.data.resolve_model_data_config(network)
    if image_size:
        config["input_size"] = (3, image_size, image_size)
    return timm.data.create_transform(**config, is_training=False)


def _load_weights(network: Any, name: str, weights: Any) -> None:
    contents, origin = read_weights(weights)
    heads = _heads(network)
    try:
        state = find_state(contents, origin, network, name, head=heads)
    except ValueError as error:
        # Checkpoints of DINO, MAE and others name their tensors differently; timm converts them.
        converted = _converted(network, contents)
        if converted is None:
            raise
        try:
            state = find_state(converted, origin, network, name, head=heads)
        except ValueError:
            raise error from None
    for head in heads:
        replace(network, head, head_of(state, head))
    network.load_state_dict(state, strict=False)


def _heads(network: Any) -> Collection[str]:
    names = network.default_cfg.get("classifier") or ()
    found = [names] if isinstance(names, str) else names
    modules = dict(network.named_modules())
    return [head for head in found if isinstance(modules.get(head), nn.Linear | nn.Identity)]


def _converted(network: nn.Module, contents: Any) -> Mapping[str, Any] | None:
    convert = getattr(sys.modules[type(network).__module__], "checkpoint_filter_fn", None)
    if convert is None or not isinstance(contents, Mapping):
        return None
    try:
        converted: Mapping[str, Any] = convert(dict(contents), network)
    except Exception:  # it expects files that fit
        return None
    return converted
