"""TorchScript programs as encoders: a file that brings its own code, which runs in PyTorch's interpreter only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .checkpoint import read_weights
from .encoder import Encoder


class Program(nn.Module):
    """A TorchScript program in a module that takes hooks."""

    def __init__(self, program: nn.Module) -> None:
        super().__init__()
        self.program = program

    def forward(self, images: Tensor) -> Any:
        """Run the program."""
        return self.program(images)


def load_torchscript(name: str, **options: Any) -> Encoder:
    """Load a program that `torch.jit.save` wrote; perturbations and gradients explain it, its layers are not seen.

    Parameters
    ----------
    name : str
        Path of the file.
    **options
        See `Encoder`. The file does not say how pictures are prepared: without `preprocess`, ImageNet's usual way at
        `image_size`.
    """
    path = Path(name).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r}: give the path of a TorchScript file.")
    try:
        program: Any = torch.jit.load(path, map_location="cpu")  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError) as error:
        read_weights(path)  # says what else is wrong with it
        raise ValueError(
            f"{path} holds weights and no TorchScript program: name its architecture, as in"
            f" load_encoder('torchvision/resnet50', weights='{path}')."
        ) from error
    options.setdefault("name", path.stem)
    return Encoder(Program(program.eval()), **options)
