"""Encoders by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .encoder import Encoder


def _demo(name: str, **options: Any) -> Encoder:
    from .demo import load_demo

    if name:
        raise ValueError(f"Unknown encoder 'demo/{name}': the demo encoder is just 'demo'.")
    return load_demo(**options)


def _torchvision(name: str, **options: Any) -> Encoder:
    from .torchvision import load_torchvision

    return load_torchvision(name, **options)


SOURCES: dict[str, Callable[..., Encoder]] = {"demo": _demo, "torchvision": _torchvision}


def load_encoder(name: str, **options: Any) -> Encoder:
    """Load an encoder by name.

    Parameters
    ----------
    name : str
        ``"demo"``, or ``"torchvision/NAME"`` with any of torchvision's classification networks.
    **options
        `weights` for torchvision (``"DEFAULT"``; a path to a state dict; ``None`` for random ones), and those of
        `Encoder`: `device`, `precision`, `batch_size`.

    Returns
    -------
    Encoder

    Raises
    ------
    ValueError
        The source or the network does not exist.
    ImportError
        A package that the source needs is not installed; the message names it.
    """
    source, _, rest = name.partition("/")
    if source not in SOURCES:
        raise ValueError(
            f"Unknown encoder {name!r}: use 'demo', 'torchvision/NAME', or wrap your own module with"
            " cocoa_widget.Encoder(module)."
        )
    return SOURCES[source](rest, **options)
