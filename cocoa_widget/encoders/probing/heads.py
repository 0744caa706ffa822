"""The last linear layer of a classification network: found, sized, and taken off."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn


def last_linear(network: nn.Module) -> str | None:
    """Return the name of the last linear layer; None without one."""
    linear = [key for key, module in network.named_modules() if isinstance(module, nn.Linear)]
    return linear[-1] if linear else None


def replace(network: nn.Module, name: str, module: nn.Module) -> nn.Module:
    """Replace a submodule, and return the former one."""
    parent, _, child = name.rpartition(".")
    holder = network.get_submodule(parent)
    former: nn.Module = getattr(holder, child)
    setattr(holder, child, module)
    return former


def take_off(network: nn.Module, head: str) -> nn.Linear | None:
    """Replace the classifier of a network by the identity, and return it; None if it is no linear layer."""
    classifier = replace(network, head, nn.Identity())
    return classifier if isinstance(classifier, nn.Linear) else None


def head_of(state: Mapping[str, Tensor], head: str) -> nn.Module:
    """Return a classifier of the size that it has in a state dict; the identity if it is not there."""
    weight = state.get(f"{head}.weight")
    if weight is None or weight.ndim != 2:
        return nn.Identity()
    return nn.Linear(weight.shape[1], weight.shape[0], bias=f"{head}.bias" in state)
