"""Find a part of a module by its name."""

from __future__ import annotations

from torch import nn

from ...spelling import did_you_mean
from ..errors import EncoderError


def find_part(module: nn.Module, name: str, encoder: str) -> nn.Module:
    """Return a submodule by its dotted name.

    Parameters
    ----------
    module : torch.nn.Module
    name : str
    encoder : str
        Name of the encoder, for the error.

    Raises
    ------
    EncoderError
        There is no such submodule; the message names those with similar names.
    """
    modules: dict[str, nn.Module] = dict(module.named_modules())
    name = name.removeprefix("_orig_mod.")  # the copy that runs is of what torch.compile wrapped
    if name not in modules:
        hint = did_you_mean(name, modules, cutoff=0.3) or f" Its last layers are {', '.join(list(modules)[-3:])}."
        raise EncoderError(f"Encoder {encoder!r} has no layer {name!r}.{hint}")
    return modules[name]
