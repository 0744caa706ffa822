"""torchvision's classification networks as encoders: their penultimate representation."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
from torch import Tensor, nn

from .encoder import Encoder

Weights = str | Path | Mapping[str, Tensor] | None


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
        near = difflib.get_close_matches(name, known, n=3)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise ValueError(f"torchvision has no classification network {name!r}.{hint}")
    published = models.get_model_weights(name)
    head = _last_linear(models.get_model(name, weights=None), name)
    network, preset = _with_weights(models, name, head, published, weights)
    classifier = _drop(network, head)
    preprocess = options.pop("preprocess", None) or (preset or published.DEFAULT).transforms()
    return Encoder(network, preprocess=preprocess, classifier=classifier, name=name, **options)


def _with_weights(models: Any, name: str, head: str, published: Any, weights: Weights) -> tuple[nn.Module, Any]:
    if weights is None:
        return models.get_model(name, weights=None), None
    if isinstance(weights, str) and weights in published.__members__:
        try:
            return models.get_model(name, weights=weights), published[weights]
        except (URLError, OSError) as error:
            raise ConnectionError(
                f"The weights {weights} of {name} could not be downloaded ({error}). Without a network, pass the path"
                f" of a saved state dict: load_encoder('torchvision/{name}', weights='{name}.pth')."
            ) from error
    if isinstance(weights, Mapping):
        state, origin = weights, "the given state dict"
    else:
        path = Path(weights)
        if not path.exists():
            raise FileNotFoundError(
                f"{name} has no weights {str(weights)!r}, and there is no such file. Published are:"
                f" {', '.join(published.__members__)}."
            )
        state, origin = torch.load(path, map_location="cpu", weights_only=True), str(path)
    # The size of the head that will be dropped is the file's own, not ImageNet's.
    network = models.get_model(name, weights=None)
    reference = network.state_dict()
    problems = [f"{key} is missing" for key in reference if key not in state]
    problems += [f"{key} is unknown" for key in state if key not in reference]
    problems = [p for p in problems if not p.startswith(f"{head}.") and "num_batches_tracked" not in p]
    problems += [
        f"{key} has the shape {tuple(state[key].shape)} instead of {tuple(tensor.shape)}"
        for key, tensor in reference.items()
        if key in state and not key.startswith(f"{head}.") and state[key].shape != tensor.shape
    ]
    if problems:
        more = f", and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise ValueError(f"{origin} does not fit {name}: {', '.join(problems[:3])}{more}.")
    parent, _, child = head.rpartition(".")
    setattr(network.get_submodule(parent), child, _own_head(state, head))
    network.load_state_dict(state, strict=False)
    return network, None


def _own_head(state: Mapping[str, Tensor], head: str) -> nn.Module:
    """Make a classifier of the size that the file has, or none for a file without one."""
    weight = state.get(f"{head}.weight")
    if weight is None:
        return nn.Identity()
    return nn.Linear(weight.shape[1], weight.shape[0], bias=f"{head}.bias" in state)


def _last_linear(network: nn.Module, name: str) -> str:
    linear = [key for key, module in network.named_modules() if isinstance(module, nn.Linear)]
    if not linear:
        raise ValueError(
            f"torchvision/{name} has no linear classifier to drop; wrap the part that you want with"
            " cocoa_widget.Encoder(module)."
        )
    return str(linear[-1])


def _drop(network: nn.Module, head: str) -> nn.Module | None:
    """Take the classifier out of the network; None if its weights were not known."""
    parent, _, child = head.rpartition(".")
    holder = network.get_submodule(parent)
    classifier = getattr(holder, child)
    setattr(holder, child, nn.Identity())
    return classifier if isinstance(classifier, nn.Linear) else None
