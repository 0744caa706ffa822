"""ONNX models as encoders, run by onnxruntime: functions of images without gradients.

An ONNX file is a graph of operations that onnxruntime knows; it holds no program. Operations of other libraries would
come in a shared library that is registered for a session: this module registers none, so a model with such operations
is refused. Weights may lie in files beside the model, but only in its folder or below. A model can still ask for more
memory or time than there is (its loops have no limit).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ...optional import require
from ...spelling import did_you_mean
from ..encoder import Encoder
from .checkpoint import refuse_placeholder


class Session:
    """A function from images (B, 3, H, W) to one output of an ONNX model."""

    def __init__(self, files: Iterable[Path], session: Any, output: str) -> None:
        self._session, self._output = session, output
        self._input = session.get_inputs()[0].name
        batch = session.get_inputs()[0].shape[0]
        self._batch: int | None = batch if isinstance(batch, int) else None
        parts = [hashlib.blake2b(_read(file), digest_size=16).hexdigest() for file in files]
        self._about = f"{' '.join(parts)} {output}"

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Run the model; in parts if it was exported for a fixed number of images."""
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
        The file has a precision of its own.
    **options
        `preprocess`, `image_size`, `batch_size`, `name`, as for `Encoder`. The preprocessing is not in the
        file: without `preprocess`, it is the usual one for ImageNet at the size that the model takes.
    """
    runtime = require("onnxruntime", "onnx", "An ONNX encoder")
    path = Path(name).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {str(path)!r}: give the path of an ONNX file.")
    refuse_placeholder(path)
    if precision not in ("auto", "float32"):
        raise ValueError(f"An ONNX file has a precision of its own, and cannot run in {precision}.")
    providers = ["CPUExecutionProvider"]
    if str(device).startswith("cuda"):
        if "CUDAExecutionProvider" not in runtime.get_available_providers():
            raise ValueError("This onnxruntime has no CUDA: pip install onnxruntime-gpu, or use device='cpu'.")
        providers.insert(0, "CUDAExecutionProvider")
    files = [path, *_external_files(path)]
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
    return Encoder.from_function(Session(files, session, str(output)), **options)


def _read(file: Path) -> memoryview | bytes:
    """Map a file, which may have many gigabytes, into memory; an empty one cannot be mapped."""
    return np.memmap(file, np.uint8, "r").data if file.stat().st_size else b""


def _external_files(path: Path) -> list[Path]:
    """Return the files beside a model that hold weights of it.

    Raises
    ------
    ValueError
        The file is not an ONNX model, or names a file that is missing or not in the model's folder.
    """
    library = require("onnx", "onnx", "An ONNX encoder")
    try:
        model = library.load_model(path, load_external_data=False)
    except Exception as error:  # protobuf's exceptions, which depend on its implementation
        raise ValueError(f"{path} is damaged, or no ONNX file: {error}") from error
    found = set()
    for tensor in _tensors(model):
        location = next((entry.value for entry in tensor.external_data if entry.key == "location"), None)
        if tensor.data_location != library.TensorProto.EXTERNAL or location is None:
            continue
        file = path.parent / location
        # A model in the cache of the Hugging Face hub is a link, and so are the files beside it.
        folders = {path.parent.resolve(), path.resolve().parent}
        if Path(location).is_absolute() or not any(file.resolve().is_relative_to(folder) for folder in folders):
            raise ValueError(
                f"{path} has weights in {location!r}, which is outside of its folder, so it was not loaded. Where you"
                " trust it, put the file beside the model, and save the model with that name."
            )
        if not file.is_file():
            raise ValueError(f"{path} has weights in {location!r}, which is missing: put that file beside the model.")
        refuse_placeholder(file)
        found.add(file)
    return sorted(found)


def _tensors(model: Any) -> Iterator[Any]:
    """Walk through the weights and constants of a model, those in functions and in the bodies of loops included."""
    graphs = [model.graph]
    nodes = [node for function in model.functions for node in function.node]
    for training in model.training_info:
        graphs += [training.initialization, training.algorithm]
    while graphs or nodes:
        if graphs:
            graph = graphs.pop()
            yield from graph.initializer
            for sparse in graph.sparse_initializer:
                yield from (sparse.values, sparse.indices)
            nodes += graph.node
        else:
            for attribute in nodes.pop().attribute:
                yield from (attribute.t, *attribute.tensors)
                for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                    yield from (sparse.values, sparse.indices)
                graphs += [attribute.g, *attribute.graphs]
