"""ONNX models as encoders, by onnxruntime: a function of images without gradients."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from .encoder import Encoder
from .near import did_you_mean
from .optional import require


class Session:
    """A function from images (B, 3, H, W) to one output of an ONNX model."""

    def __init__(self, path: Path, session: Any, output: str) -> None:
        self._session, self._output = session, output
        self._input = session.get_inputs()[0].name
        batch = session.get_inputs()[0].shape[0]
        self._batch: int | None = batch if isinstance(batch, int) else None
        digest = hashlib.blake2b(path.read_bytes(), digest_size=16)
        self._about = f"{path.name} {digest.hexdigest()} {output}"

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Run the model, in parts where it was exported for a fixed number of images."""
        size = self._batch or len(images)
        parts = []
        for start in range(0, len(images), size):
            part = images[start : start + size]
            filled = np.concatenate([part, np.repeat(part[-1:], size - len(part), 0)])
            parts.append(self._session.run([self._output], {self._input: filled})[0][: len(part)])
        return np.concatenate(parts)

    def __repr__(self) -> str:
        return self._about


def load_onnx(
    name: str, *, output: str | int = 0, device: str = "auto", precision: str = "auto", **options: Any
) -> Encoder:
    """Load an ONNX file; methods that perturb explain it.

    Parameters
    ----------
    name : str
        Path of the file.
    output : str or int, default 0
        Which of its outputs is the representation.
    device : {"auto", "cpu", "cuda"}
    precision : {"auto", "float32"}
        The file's own, whatever it is.
    **options
        `preprocess`, `image_size`, `batch_size`, `name`, as for `Encoder`. The file does not say how pictures are
        prepared: without `preprocess`, ImageNet's usual way at the size that the model takes.
    """
    runtime = require("onnxruntime", "onnx", "An ONNX encoder")
    path = Path(name).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r}: give the path of an ONNX file.")
    if precision not in ("auto", "float32"):
        raise ValueError(f"An ONNX file has a precision of its own, and cannot run in {precision}.")
    providers = ["CPUExecutionProvider"]
    if str(device).startswith("cuda"):
        if "CUDAExecutionProvider" not in runtime.get_available_providers():
            raise ValueError("This onnxruntime knows no CUDA: pip install onnxruntime-gpu, or use device='cpu'.")
        providers.insert(0, "CUDAExecutionProvider")
    try:
        session = runtime.InferenceSession(path, providers=providers)
    except Exception as error:  # onnxruntime's own exceptions have no common class
        raise ValueError(f"{path} is damaged, or no ONNX file: {error}") from error
    inputs, outputs = session.get_inputs(), [each.name for each in session.get_outputs()]
    shape = inputs[0].shape if len(inputs) == 1 else []
    if len(shape) != 4 or (isinstance(shape[1], int) and shape[1] != 3):
        described = ", ".join(f"{each.name} {each.shape}" for each in inputs)
        raise ValueError(f"{path} must take one input (B, 3, H, W), and takes {described}.")
    if isinstance(output, int) and output < len(outputs):
        output = outputs[output]
    if output not in outputs:
        near = did_you_mean(str(output), outputs) or f" It has {', '.join(outputs)}."
        raise ValueError(f"{path} has no output {output!r}.{near}")
    if isinstance(shape[2], int):
        options.setdefault("image_size", shape[2])
    options.setdefault("name", path.stem)
    return Encoder.from_function(Session(path, session, str(output)), **options)
