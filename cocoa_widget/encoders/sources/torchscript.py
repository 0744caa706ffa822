"""TorchScript programs as encoders: files with their own code, which runs only in PyTorch's interpreter.

That interpreter cannot run Python, and `program_rules` refuses programs that access files, processes or libraries. It
is not a sandbox: a program may compute without end, take all memory, print, change the seed of random numbers, or
exploit an error in an operation of PyTorch. Load files from sources that you do not trust in a process of its own, or
ask for the weights and the name of the architecture instead.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..encoder import Encoder
from .checkpoint import read_weights, refuse_bomb, refuse_placeholder
from .program_rules import Refused, check_archive, check_graphs


class Program(nn.Module):
    """A TorchScript program in a module that takes hooks."""

    def __init__(self, program: nn.Module) -> None:
        super().__init__()
        self.program = program

    def forward(self, images: Tensor) -> Any:
        """Run the program."""
        return self.program(images)


def load_torchscript(name: str, **options: Any) -> Encoder:
    """Load a program that `torch.jit.save` wrote; methods that perturb or differentiate explain it.

    Parameters
    ----------
    name : str
        Path of the file.
    **options
        See `Encoder`. The preprocessing is not in the file: without `preprocess`, it is the usual one for ImageNet at
        `image_size`.
    """
    path = Path(name).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r}: give the path of a TorchScript file.")
    refuse_placeholder(path)
    refuse_bomb(path)
    try:
        check_archive(path)
        program: Any = torch.jit.load(path, map_location="cpu")  # type: ignore[no-untyped-call]
        check_graphs(program)
    except Refused as error:
        raise ValueError(
            f"{path} {error}; so it was not run. Where you trust it, load it with torch.jit.load and wrap it:"
            " cocoa_widget.Encoder(program)."
        ) from error
    except (RuntimeError, ValueError) as error:
        read_weights(path)  # raises if the file is damaged
        raise ValueError(
            f"{path} holds weights and no TorchScript program: name its architecture, as in"
            f" load_encoder('torchvision/resnet50', weights='{path}')."
        ) from error
    options.setdefault("name", path.stem)
    return Encoder(Program(program.eval()), **options)
