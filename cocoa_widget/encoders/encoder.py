"""An image encoder: any torch module with its preprocessing, device and precision."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from ..images import ImageSet, as_image_set
from .device import choose_device, choose_precision, out_of_memory
from .errors import EncoderError, NoFeatureMap
from .pooling import find_pooling
from .preprocess import Frame, Preprocess, Transform, frame_of
from .representations import Representations

Output = str | int | Callable[[Any], Tensor]


@dataclass(frozen=True)
class Encoded:
    """What one forward pass gives: `representations` (B, d) and, where asked for, `features` (B, d, h, w), float32.

    The mean of `features` over its positions equals `representations`.
    """

    representations: Tensor
    features: Tensor | None = None


class Encoder:
    """Wrap a torch module that maps images to representations.

    Parameters
    ----------
    module : torch.nn.Module
        Maps (B, 3, H, W) to (B, d), or to feature maps (B, d, h, w) whose mean over positions is then the
        representation. It is moved to `device`, and run in eval mode whatever mode it is in.
    preprocess : callable, optional
        Maps an RGB `PIL.Image.Image` to a tensor (3, H, W), e.g. a torchvision transform. By default: resize the
        shorter side to `image_size`, crop the centre, normalise with ImageNet's statistics.
    image_size : int, default 224
        Side in pixels of the default preprocessing's output.
    output : str, int or callable, optional
        Which part of the module's output is the representation, where it returns a dict (key), a tuple (index), or
        anything else (a function of the output).
    device : str or torch.device, default "auto"
        ``"auto"`` takes CUDA, else MPS, else the CPU.
    precision : {"auto", "float32", "bfloat16", "float16"}
        ``"auto"`` runs under bfloat16 autocast where the device is faster at it, but gradients in float32. Results are
        float32 always.
    batch_size : int, optional
        Images per forward pass; by default 64 on a GPU and 8 on a CPU, whose caches hold no more. It halves by
        itself when memory runs out.
    name : str, optional
        What to call the encoder on the page.

    Raises
    ------
    EncoderError
        From every method that runs the module: it raised, or its output has the wrong type or shape, or is not finite.

    Examples
    --------
    >>> encoder = Encoder(torchvision.models.resnet18(weights="DEFAULT"))  # doctest: +SKIP
    >>> encoder.encode(["photo.jpg"]).shape  # doctest: +SKIP
    torch.Size([1, 1000])
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        preprocess: Transform | None = None,
        image_size: int = 224,
        output: Output | None = None,
        device: str | torch.device = "auto",
        precision: str = "auto",
        batch_size: int | None = None,
        name: str | None = None,
    ) -> None:
        if not isinstance(module, nn.Module):
            raise TypeError(f"module must be a torch.nn.Module, not {type(module).__name__}.")
        self.device = choose_device(device)
        self.dtype = choose_precision(precision, self.device)
        # A low precision hurts gradients most, and CPUs are not even faster at them.
        self._gradient_dtype = torch.float32 if precision == "auto" else self.dtype
        self.module = module.to(self.device)
        self.preprocess: Transform = preprocess or Preprocess(image_size)
        self.output = output
        self.batch_size = batch_size or (8 if self.device.type == "cpu" else 64)
        self.name = name or type(module).__name__
        # One pass at a time: hooks and the train/eval switch belong to the module, not to a thread.
        self._lock = threading.RLock()
        self._frames: dict[tuple[int, int], Frame] = {}
        self._fingerprint: tuple[tuple[tuple[int, int], ...], str] | None = None
        self._table: tuple[str, Representations] | None = None
        self._table_lock = threading.Lock()
        self._pooling: list[str | None] = []  # found once: [name of the pooling module] or [None]
        self._input_size: tuple[int, int] | None = None

    def __repr__(self) -> str:
        return f"Encoder({self.name!r}, device={self.device}, precision={self.precision})"

    @property
    def precision(self) -> str:
        """Name of the number format that the module runs in."""
        return str(self.dtype).removeprefix("torch.")

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width in pixels of what the module sees."""
        if self._input_size is None:
            height, width = self._preprocessed(Image.new("RGB", (320, 320))).shape[1:]
            self._input_size = height, width
        return self._input_size

    # ---- identity ------------------------------------------------------------------------------------------------

    @property
    def fingerprint(self) -> str:
        """Hash of the weights, preprocessing, output and precision: equal fingerprints give equal representations."""
        tensors = list(self.module.state_dict(keep_vars=True).items())
        # In-place changes (an optimiser's step) raise a tensor's version, so the hash is taken only when one happened.
        state = tuple(
            (t.data_ptr(), -1 if t.is_inference() else t._version) for _, t in tensors if isinstance(t, Tensor)
        )
        if self._fingerprint is None or self._fingerprint[0] != state:
            digest = hashlib.blake2b(
                f"{self.module!r}{self.preprocess!r}{self.output!r}{self.dtype}".encode(), digest_size=16
            )
            for key, tensor in tensors:
                digest.update(key.encode())
                if isinstance(tensor, Tensor):
                    digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
            self._fingerprint = state, digest.hexdigest()
        return self._fingerprint[1]

    @property
    def representations(self) -> Representations:
        """Table of the representations that the encoder in its present state has computed, by image key."""
        with self._table_lock:
            fingerprint = self.fingerprint
            if self._table is None or self._table[0] != fingerprint:
                self._table = fingerprint, Representations()  # those of earlier weights are of no more use
            return self._table[1]

    # ---- inputs --------------------------------------------------------------------------------------------------

    def frame(self, width: int, height: int) -> Frame:
        """Tell which part of a `width` × `height` picture the module sees, as left, top, right, bottom fractions."""
        size = width, height
        if size not in self._frames:
            self._frames[size] = frame_of(self.preprocess, width, height)
        return self._frames[size]

    def inputs(self, images: Any) -> Tensor:
        """Turn images into the module's input.

        Parameters
        ----------
        images : Tensor, or anything that `ImageSet` takes
            A float tensor (B, 3, H, W) or (3, H, W) is taken as preprocessed already.

        Returns
        -------
        Tensor
            (B, 3, H, W), float32, on the encoder's device.
        """
        if isinstance(images, Tensor) and images.is_floating_point():
            batch = images[None] if images.ndim == 3 else images
            if batch.ndim != 4:
                raise ValueError(
                    f"A float tensor of images must have the shape (B, 3, H, W); this one has {tuple(images.shape)}."
                )
            return batch.to(self.device, torch.float32)
        image_set: ImageSet = as_image_set(images)
        return self.stack(image_set.load(image_id) for image_id in image_set.ids)

    def stack(self, pictures: Iterable[Image.Image]) -> Tensor:
        """Preprocess pictures into one batch (B, 3, H, W), float32, on the encoder's device."""
        return torch.stack([self._preprocessed(picture) for picture in pictures]).to(self.device)

    def _preprocessed(self, picture: Image.Image) -> Tensor:
        tensor = self.preprocess(picture)
        if not isinstance(tensor, Tensor) or tensor.ndim != 3:
            shape = tuple(tensor.shape) if isinstance(tensor, Tensor) else type(tensor).__name__
            raise EncoderError(
                f"The preprocess of encoder {self.name!r} must turn a picture into a tensor (3, H, W), not {shape}."
            )
        return tensor.float()

    # ---- passes --------------------------------------------------------------------------------------------------

    def encode(self, images: Any) -> Tensor:
        """Compute representations.

        Parameters
        ----------
        images : Tensor, or anything that `ImageSet` takes
            See `inputs`.

        Returns
        -------
        Tensor
            (B, d), float32, on the encoder's device, not normalised.
        """
        if isinstance(images, Tensor) and images.is_floating_point():
            return self.forward(self.inputs(images)).representations
        return self.represent(as_image_set(images))

    def represent(self, images: ImageSet, image_ids: Sequence[str] | None = None) -> Tensor:
        """Return the representations (n, d) of images by id, and compute only those that are not known yet."""
        keys = [images.key(image_id) for image_id in (images.ids if image_ids is None else image_ids)]
        ids = dict(zip(keys, images.ids if image_ids is None else image_ids, strict=True))
        table = self.representations
        missing = table.missing(list(ids))
        for start in range(0, len(missing), self.batch_size):
            batch = missing[start : start + self.batch_size]
            table.add(batch, self.forward(self.stack(images.load(ids[key]) for key in batch)).representations)
        return table.get(keys)

    def forward(self, inputs: Tensor, *, features: bool = False) -> Encoded:
        """Run the module on `inputs` (B, 3, H, W) in batches, without gradients.

        Parameters
        ----------
        inputs : Tensor
            (B, 3, H, W), preprocessed.
        features : bool
            Keep the final feature maps as well.

        Raises
        ------
        NoFeatureMap
            `features` are asked of an encoder that does not end in global average pooling.
        """
        parts: list[Encoded] = []
        start, size = 0, self.batch_size
        with self._lock, torch.inference_mode():
            while start < len(inputs):
                try:
                    parts.append(self._run(inputs[start : start + size], features))
                except (EncoderError, RuntimeError) as error:
                    if not out_of_memory(error.__cause__ or error) or size == 1:
                        raise
                    size = max(1, size // 2)
                    self.batch_size = size
                    if self.device.type == "cuda":
                        torch.cuda.empty_cache()
                else:
                    start += size
        if len(parts) == 1:
            return parts[0]
        maps = [part.features for part in parts if part.features is not None]
        return Encoded(torch.cat([part.representations for part in parts]), torch.cat(maps) if maps else None)

    def gradients(self, inputs: Tensor, objective: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        """Differentiate a function of the representations by the inputs.

        Parameters
        ----------
        inputs : Tensor
            (B, 3, H, W), preprocessed; one batch.
        objective : callable
            Maps representations (B, d) to one number for each input (B,).

        Returns
        -------
        values : Tensor
            (B,), float32.
        gradients : Tensor
            (B, 3, H, W), float32.
        """
        with self._lock, torch.inference_mode(False), torch.enable_grad():
            leaf = inputs.detach().clone().requires_grad_()
            # A clone, so that a module may begin with an in-place operation.
            values = objective(self._representations(self._call(leaf.clone(), self._gradient_dtype), len(leaf)))
            try:
                (gradient,) = torch.autograd.grad(values.sum(), leaf)
            except RuntimeError as error:
                raise EncoderError(
                    f"Encoder {self.name!r} cannot be differentiated ({error}). Choose a method that needs no"
                    " gradients, such as 'rise'."
                ) from error
        return values.detach().float(), gradient.float()

    def _run(self, batch: Tensor, features: bool) -> Encoded:
        pooling = self.pooling
        if pooling is None:
            if features:
                raise NoFeatureMap(
                    f"Encoder {self.name!r} does not end in global average pooling, so CAM has nothing to decompose."
                    " Choose the method 'rise', which works with every encoder."
                )
            return Encoded(self._representations(self._call(batch), len(batch)))
        kept: list[Tensor] = []
        if pooling == "":
            kept.append(self._select(self._call(batch)))
        else:
            hook = self.module.get_submodule(pooling).register_forward_pre_hook(lambda _, args: kept.append(args[0]))
            try:
                self._representations(self._call(batch), len(batch))
            finally:
                hook.remove()
        # Pooled here in float32 instead of by the module: at a low precision its mean would differ from the map's.
        representations = self._checked(kept[-1], len(batch))
        return Encoded(representations, kept[-1].float() if features else None)

    @property
    def pooling(self) -> str | None:
        """Name of the submodule that pools the final feature map; "" if it returns the map; None without one."""
        if not self._pooling:
            height, width = self.input_size
            probe = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(0)).to(self.device)
            with self._lock, torch.inference_mode():
                found = find_pooling(self.module, lambda: self._select(self._call(probe, torch.float32)))
            self._pooling = [found]
        return self._pooling[0]

    def _call(self, batch: Tensor, dtype: torch.dtype | None = None) -> Any:
        dtype = dtype or self.dtype
        autocast = torch.autocast(self.device.type, dtype, enabled=dtype != torch.float32)
        if self.device.type in ("cpu", "cuda"):
            batch = batch.to(memory_format=torch.channels_last)
        with self._evaluating(), autocast:
            try:
                return self.module(batch)
            except Exception as error:
                raise EncoderError(
                    f"Encoder {self.name!r} raised {type(error).__name__} on a batch of the shape"
                    f" {tuple(batch.shape)}: {error}"
                ) from error

    @contextmanager
    def _evaluating(self) -> Iterator[None]:
        # A module may be in training elsewhere in the notebook: its batch statistics must not move by our passes.
        training = [m for m in self.module.modules() if m.training]
        for m in training:
            m.training = False
        try:
            yield
        finally:
            for m in training:
                m.training = True

    def _select(self, output: Any) -> Tensor:
        if callable(self.output):
            output = self.output(output)
        elif self.output is not None:
            try:
                output = output[self.output]
            except (KeyError, IndexError, TypeError) as error:
                raise EncoderError(
                    f"Encoder {self.name!r} has no output {self.output!r}; it returns {_describe(output)}."
                ) from error
        if not isinstance(output, Tensor):
            raise EncoderError(
                f"Encoder {self.name!r} returns {_describe(output)}: say which part is the representation with"
                " Encoder(…, output=…)."
            )
        return output

    def _representations(self, output: Any, count: int) -> Tensor:
        return self._checked(self._select(output), count)

    def _checked(self, tensor: Tensor, count: int) -> Tensor:
        if tensor.ndim == 4:
            tensor = tensor.mean((2, 3), dtype=torch.float32)
        if tensor.ndim != 2 or tensor.shape[0] != count or tensor.shape[1] == 0:
            raise EncoderError(
                f"Encoder {self.name!r} returned the shape {tuple(tensor.shape)} for {count} images; it must return"
                f" ({count}, d) or ({count}, d, h, w). If it returns more than that, say which part with"
                " Encoder(…, output=…)."
            )
        tensor = tensor.float()
        if not bool(torch.isfinite(tensor).all()):
            raise EncoderError(
                f"Encoder {self.name!r} returned values that are not finite (NaN or infinity). Check its weights and"
                f" its preprocess{'' if self.dtype == torch.float32 else ', or try precision=' + repr('float32')}."
            )
        return tensor


def _describe(output: Any) -> str:
    if isinstance(output, Mapping):
        return f"a dict with the keys {', '.join(map(repr, output))}"
    if isinstance(output, Sequence) and not isinstance(output, str):
        return f"a {type(output).__name__} of {len(output)}"
    return f"a {type(output).__name__}"
