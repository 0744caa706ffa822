"""The last linear layer of a classification network: found, sized, and taken off."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn


def last_linear(network: nn.Module) -> str | None:
    """Name the last linear layer; None without one."""
    linear = [key for key, module in network.named_modules() if isinstance(module, nn.Linear)]
    return linear[-1] if linear else None


def replace(network: nn.Module, name: str, module: nn.Module) -> nn.Module:
    """Put another module in the place of a submodule, and return that."""
    parent, _, child = name.rpartition(".")
    holder = network.get_submodule(parent)
    former: nn.Module = getattr(holder, child)
    setattr(holder, child, module)
    return former


def take_off(network: nn.Module, head: str) -> nn.Linear | None:
    """Take the classifier out of a network; None if its weights were not known."""
    classifier = replace(network, head, nn.Identity())
    return classifier if isinstance(classifier, nn.Linear) else None


def head_of(state: Mapping[str, Tensor], head: str) -> nn.Module:
    """Make a classifier of the size that a state dict has, or none where it has none."""
    weight = state.get(f"{head}.weight")
    if weight is None or weight.ndim != 2:
        return nn.Identity()
    return nn.Linear(weight.shape[1], weight.shape[0], bias=f"{head}.bias" in state)
