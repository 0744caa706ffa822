"""Forward passes of the module: in batches that fit into memory, at the chosen precision, with feature maps."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from .copying import ModuleCopy
from .dense import DenseKind, completed, reading
from .device import out_of_memory, weights_dtype
from .errors import EncoderError, NoFeatureMap
from .function_module import FunctionModule
from .probing.anatomy import Anatomy
from .probing.attention import Blocks
from .probing.hooks import watching
from .probing.output_reader import OutputReader
from .probing.tokens import TokenGrid
from .settings import Settings
from .twin import Twin

FeatureKind = Literal["pooled", "tokens"] | DenseKind
"""The final feature map that is averaged to the representation; a vision transformer's patch tokens as a map; or what
the attention of its blocks gives for each patch (see `DenseKind`)."""


@dataclass(frozen=True)
class Encoded:
    """Result of one forward pass: `representations` (B, d) and, if asked for, `features` (B, d, h, w), float32.

    The mean of ``"pooled"`` features and of ``"contributions"`` over their positions equals `representations`.
    """

    representations: Tensor
    features: Tensor | None = None


class Passes:
    """Run an encoder's module.

    Parameters
    ----------
    twin : Twin
        Its copies of the module are what runs.
    settings : Settings
    input_size : callable
        Returns height and width of the module's input, for the passes that find out how the module is made.

    Attributes
    ----------
    lock : threading.RLock
        Held for each pass, and while what is known of the module's parts is read or replaced. There is one pass at a
        time, as hooks belong to the module that runs and not to a thread.
    reader : OutputReader
    differentiable : bool
        Whether the module is more than a `FunctionModule`: it has gradients, and its parts can be looked into.
    """

    def __init__(self, twin: Twin, settings: Settings, input_size: Callable[[], tuple[int, int]]) -> None:
        self.lock = threading.RLock()
        self.twin, self.settings = twin, settings
        self.differentiable = not isinstance(twin.module, FunctionModule)
        self.reader = OutputReader(settings.name, settings.output, settings.dtype == torch.float32)
        self._input_size = input_size
        weights = weights_dtype(twin.module)
        # Weights of a low precision run as they are: autocast would leave parts of such a module in float32.
        self._cast = None if weights == torch.float32 else weights
        self._anatomy: Anatomy | None = None  # guarded by `lock`

    # ---- the module's parts --------------------------------------------------------------------------------------

    @property
    def pooling(self) -> str | None:
        """Name of the submodule that pools the final feature map; see `Encoder.pooling`."""
        with self.lock:  # before the lock within `cached_property`, which a pass on another thread takes second
            return self._found(self.twin.current()).pooling if self.differentiable else None

    @property
    def tokens(self) -> TokenGrid | None:
        """Where the patch tokens are; see `Encoder.tokens`."""
        with self.lock:
            return self._found(self.twin.current()).tokens if self.differentiable else None

    @property
    def blocks(self) -> Blocks | None:
        """The last blocks of a vision transformer; see `Encoder.blocks`."""
        with self.lock:
            return self._found(self.twin.current()).blocks if self.differentiable else None

    @property
    def last_map(self) -> str | None:
        """Name of the last submodule that returns a feature map; see `Encoder.last_map`."""
        with self.lock:
            return self._found(self.twin.current()).last_map if self.differentiable else None

    def forget_parts(self) -> None:
        """Drop what is known of the module's parts, so that it is found again when it is needed."""
        with self.lock:
            self._anatomy = None

    def _found(self, copy: ModuleCopy) -> Anatomy:
        """Return what is known of the module's parts; it is found again if parts or settings have been replaced."""
        if self._anatomy is None or not self._anatomy.about(copy):
            self._anatomy = Anatomy(copy, self._run_probe, self.reader.select)
        return self._anatomy

    def _run_probe(self, module: nn.Module) -> Any:
        """Run a module on two inputs of noise, while hooks record what passes through its parts."""
        height, width = self._input_size()
        probe = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(0)).to(self.settings.device)
        with self.lock, torch.inference_mode():
            return self.call(module, probe, torch.float32)

    # ---- passes --------------------------------------------------------------------------------------------------

    def forward(self, inputs: Tensor, features: FeatureKind | None = None) -> Encoded:
        """Run the module on `inputs` (B, 3, H, W) in batches; see `Encoder.forward`."""
        parts: list[Encoded] = []
        start, size = 0, self.settings.batch_size
        with self.lock, torch.inference_mode():
            while start < len(inputs):
                batch = inputs[start : start + size]
                try:
                    parts.append(self._run(batch, features))
                except (EncoderError, RuntimeError) as error:
                    if self.settings.device.type == "cuda":
                        torch.cuda.empty_cache()
                    if not out_of_memory(error.__cause__ or error) or len(batch) == 1:
                        raise  # one large input alone says nothing on batches of smaller ones
                    size = len(batch) // 2
                    self.settings.batch_size = max(1, self.settings.batch_size // 2)
                else:
                    start += size
        if len(parts) == 1:
            return parts[0]
        maps = [part.features for part in parts if part.features is not None]
        return Encoded(torch.cat([part.representations for part in parts]), torch.cat(maps) if maps else None)

    def call(self, module: nn.Module, batch: Tensor, dtype: torch.dtype | None = None) -> Any:
        """Return the output of a copy of the module for one batch (B, 3, H, W); hold `lock`.

        Parameters
        ----------
        module : torch.nn.Module
        batch : Tensor
        dtype : torch.dtype, optional
            The number format to run in; the settings' by default.
        """
        device, dtype = self.settings.device.type, dtype or self.settings.dtype
        low = self._cast is None and dtype != torch.float32
        autocast = torch.autocast(device, dtype, enabled=low)
        if self._cast is not None:
            batch = batch.to(self._cast)
        if device in ("cpu", "cuda"):
            batch = batch.to(memory_format=torch.channels_last)
        with autocast:
            try:
                return module(batch)
            except Exception as error:
                raise EncoderError(
                    f"Encoder {self.settings.name!r} raised {type(error).__name__} on a batch of the shape"
                    f" {tuple(batch.shape)}: {error}"
                ) from error

    def _run(self, batch: Tensor, features: FeatureKind | None) -> Encoded:
        copy = self.twin.current()
        module = copy.module
        if features is not None and features != "pooled":
            return self._run_tokens(copy, batch, features)
        pooling = self._found(copy).pooling if self.differentiable else None
        if pooling is None:
            if features:
                raise NoFeatureMap(
                    f"Encoder {self.settings.name!r} does not end in global average pooling, so CAM has nothing to"
                    " decompose. Choose the method 'rise', which works with every encoder."
                )
            return Encoded(self.reader.representations(self.call(module, batch), len(batch)))
        if pooling == "":
            kept = self.reader.select(self.call(module, batch))
        else:
            part = module.get_submodule(pooling)
            with watching(part.register_forward_pre_hook, lambda _, args: args[0]) as watched:
                self.reader.representations(self.call(module, batch), len(batch))
            kept = watched[-1]
        # Pooled here in float32 instead of by the module: at a low precision its mean would differ from the map's.
        return Encoded(self.reader.checked(kept, len(batch)), kept.float() if features else None)

    def _run_tokens(self, copy: ModuleCopy, batch: Tensor, features: Literal["tokens"] | DenseKind) -> Encoded:
        module, found = copy.module, self._found(copy) if self.differentiable else None
        if found is None or found.tokens is None:
            raise NoFeatureMap(
                f"Encoder {self.settings.name!r} has no patch tokens in the space of its representations. Choose the"
                " method 'rise', which works with every encoder."
            )
        part = module.get_submodule(found.tokens.module)
        with ExitStack() as stack:
            if features != "tokens":
                if found.blocks is None:
                    raise NoFeatureMap(
                        f"Encoder {self.settings.name!r} has no transformer blocks of a known kind. Choose the method"
                        " 'patch_tokens', which takes its patch tokens as they are."
                    )
                stack.enter_context(reading(module, found.blocks, found.tokens, features))
            watched = stack.enter_context(watching(part.register_forward_hook, lambda _, __, output: output))
            output = self.call(module, batch)
        tokens = watched[-1].float()
        representations = self.reader.representations(output, len(tokens))[: len(batch)]
        tokens = tokens[-len(batch) :]  # what was read comes last
        if features == "contributions":
            tokens = completed(tokens, found.tokens.prefix, representations)
        return Encoded(representations, found.tokens.as_map(tokens))
