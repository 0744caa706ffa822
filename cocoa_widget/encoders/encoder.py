"""An image encoder: any torch module with its preprocessing, device and precision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ..images import ImageSet, as_image_set
from ..texts import AS_TYPED
from .decoding import Decoder
from .device import choose_device, choose_dtype
from .encoding import Encoding, Known, LocalEncoding, represent
from .function_module import FunctionModule
from .gradients import Attached, Differentiator, Gradients, Result
from .inputs import Inputs
from .moment import Moment, Moments
from .passes import Encoded, FeatureKind, Passes
from .preprocess import Frame, Preprocess, Transform
from .probing.attention import Blocks
from .probing.output_reader import Output
from .probing.parts import find_part
from .probing.tokens import TokenGrid
from .prompts import PromptEncoder, check_prompts
from .representations import Representations
from .settings import Setting, Settings
from .text_tower import TextTower
from .twin import Twin


class Encoder:
    """A torch module that maps images to representations, with its preprocessing, device and precision.

    The module itself is left alone, and may be trained while it is explained: what runs is a copy of its objects, in
    eval mode and without gradients, that shares its weights and follows its changes; see `Twin`.

    Parameters
    ----------
    module : torch.nn.Module
        Maps (B, 3, H, W) to (B, d), or to feature maps (B, d, h, w) whose mean over positions is then the
        representation. It is moved to `device` and not changed otherwise.
    preprocess : callable, optional
        Maps an RGB `PIL.Image.Image` to a tensor (3, H, W), e.g. a torchvision transform. By default: resize the
        shorter side to `image_size`, crop the centre, normalise with ImageNet's statistics.
    image_size : int, default 224
        Side in pixels of the default preprocessing's output.
    output : str, int or callable, optional
        Which part of the module's output is the representation: the key of a dict, the index of a tuple, or a
        function of the output.
    device : str or torch.device, default "auto"
        ``"auto"`` takes CUDA, else MPS, else the CPU.
    precision : {"auto", "float32", "bfloat16", "float16"}
        ``"auto"`` runs under bfloat16 autocast on devices that are faster at it. Results are float32, and gradients
        are always computed in float32, as they lose most by a low precision. A module whose weights are not float32
        runs in their precision.
    batch_size : int, optional
        Images per forward pass; by default 64 on a GPU and 8 on a CPU, whose caches hold no more. It is halved
        when memory runs out.
    classifier : callable, optional
        Maps representations (n, d) to logits (n, classes), such as the last layer that a classification network had;
        only evaluation by classes needs it.
    text : TextTower, optional
        The text tower of a joint model, which maps prompts into the space of the representations.
    name : str, optional
        Name of the encoder on the page and in errors; the class of the module by default.

    Raises
    ------
    EncoderError
        By every method that runs the module: it raised, or its output has the wrong type or shape, or is not finite.

    Examples
    --------
    >>> encoder = Encoder(torchvision.models.resnet18(weights="DEFAULT"))  # doctest: +SKIP
    >>> encoder.encode(["photo.jpg"]).shape  # doctest: +SKIP
    torch.Size([1, 1000])
    """

    name = Setting[str]()
    preprocess = Setting[Transform]()
    output = Setting[Output | None]()
    device = Setting[torch.device]()
    dtype = Setting[torch.dtype]()
    batch_size = Setting[int]()

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
        classifier: Callable[[Tensor], Tensor] | None = None,
        text: TextTower | None = None,
        name: str | None = None,
    ) -> None:
        if not isinstance(module, nn.Module):
            raise TypeError(f"module must be a torch.nn.Module, not {type(module).__name__}.")
        where = choose_device(device)
        self._settings = settings = Settings(
            name=name or type(module).__name__,
            preprocess=preprocess or Preprocess(image_size),
            output=output,
            device=where,
            dtype=choose_dtype(precision, where, module),
            batch_size=batch_size or (8 if where.type == "cpu" else 64),
        )
        self.module = module.to(where)
        self.classifier = classifier.to(where) if isinstance(classifier, nn.Module) else classifier
        self.text = text
        twin = Twin(self.module)
        self._inputs = Inputs(settings)
        self._passes = Passes(twin, settings, self._inputs.size)
        self._differentiator = Differentiator(self._passes)
        self._moments = Moments(twin, settings)

    @classmethod
    def from_function(
        cls,
        function: Callable[[np.ndarray], Any],
        *,
        preprocess: Transform | None = None,
        image_size: int = 224,
        batch_size: int | None = None,
        name: str | None = None,
    ) -> Encoder:
        """Wrap any function of images: an ONNX session, a remote service, another framework.

        Methods that perturb (RISE, Occlusion, KernelSHAP) explain it; those that need gradients or feature maps raise
        `EncoderError`.

        Parameters
        ----------
        function : callable
            Maps a float32 array (B, 3, H, W) to representations (B, d), an array or a tensor.
        preprocess, image_size, batch_size, name
            As for `Encoder`.

        Examples
        --------
        >>> session = onnxruntime.InferenceSession("encoder.onnx")  # doctest: +SKIP
        >>> Encoder.from_function(lambda images: session.run(None, {"images": images})[0])  # doctest: +SKIP
        """
        return cls(
            FunctionModule(function),
            preprocess=preprocess,
            image_size=image_size,
            device="cpu",
            precision="float32",
            batch_size=batch_size,
            name=name or getattr(function, "__name__", "function"),
        )

    @property
    def differentiable(self) -> bool:
        """Whether the encoder has gradients."""
        return self._passes.differentiable

    @property
    def classifier(self) -> Callable[[Tensor], Tensor] | None:
        """Function from representations (n, d) to logits (n, classes); of a module, a copy that shares its weights."""
        return self._classifier.current().module if isinstance(self._classifier, Twin) else self._classifier

    @classifier.setter
    def classifier(self, classifier: Callable[[Tensor], Tensor] | None) -> None:
        self._classifier = Twin(classifier) if isinstance(classifier, nn.Module) else classifier

    def __repr__(self) -> str:
        return f"Encoder({self.name!r}, device={self.device}, precision={self.precision})"

    @property
    def precision(self) -> str:
        """Name of the number format that the module runs in."""
        return str(self.dtype).removeprefix("torch.")

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width in pixels of what the module sees."""
        return self._inputs.size()

    # ---- identity ------------------------------------------------------------------------------------------------

    @property
    def fingerprint(self) -> str:
        """Hash of the weights, preprocessing, output and precision: equal fingerprints give equal representations.

        It follows optimisers' steps, loaded weights, and replaced parts and settings. Writes through ``.data`` or to a
        NumPy view are not noticed: call `refresh` afterwards.
        """
        return self._moments.identified()[1]

    @property
    def representations(self) -> Representations:
        """Table of the representations that the encoder in its present state has computed, by image key."""
        return self.moment().representations

    def moment(self) -> Moment:
        """Return the encoder's present state: take it before passes, and keep their results only if it lasts."""
        return self._moments.now()

    def refresh(self) -> None:
        """Forget what was computed with earlier weights.

        Optimisers' steps, ``load_state_dict``, and replaced parts, parameters and attributes are noticed without it.
        Call it after changes that PyTorch does not count: writes through ``.data`` or to a NumPy view of a weight,
        writes to a list or an array that the module holds, and replaced parts of a TorchScript module.
        """
        with self._passes.lock:
            self._moments.refresh()
            self._passes.forget_parts()

    # ---- images ------------------------------------------------------------------------------------------------------

    def frame(self, width: int, height: int) -> Frame:
        """Return the part of a `width` × `height` picture that the module sees: left, top, right, bottom fractions."""
        return self._inputs.frame(width, height)

    def inputs(self, images: Any) -> Tensor:
        """Preprocess images into the module's input.

        Parameters
        ----------
        images : Tensor, or anything that `ImageSet` takes
            A float tensor (B, 3, H, W) or (3, H, W) is taken as preprocessed already.

        Returns
        -------
        Tensor
            (B, 3, H, W), float32, on the encoder's device.
        """
        return self._inputs.batch(images)

    def stack(self, pictures: Iterable[Image.Image]) -> Tensor:
        """Preprocess pictures into one batch (B, 3, H, W), float32, on the encoder's device."""
        return self._inputs.stack(pictures)

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
        """Return the representations (n, d) of images by id, and compute only those that are not known yet.

        If the weights change meanwhile, the images are encoded again. If they change every time, each representation is
        that by the weights at the time when its image was encoded, and it is not kept.
        """
        ids = list(images.ids if image_ids is None else image_ids)
        return represent(images, ids, self.moment, partial(self._encoding, images))

    def _encoding(self, images: ImageSet, known: Known) -> Encoding:
        decoder = self.decoder(images, lambda _, key: known(key))
        return LocalEncoding(decoder, lambda batch: self.forward(batch.to(self.device)), self.batch_size, known)

    def decoder(self, images: ImageSet, needless: Callable[[str, str], bool] | None = None) -> Decoder:
        """Return a decoder, which loads and preprocesses images in threads, some of them ahead; close it after use.

        Parameters
        ----------
        images : ImageSet
        needless : callable, optional
            Tells by an image's id and key whether its pixels are not needed.
        """
        return Decoder(images, self._inputs.preprocessed, needless)

    def forward(self, inputs: Tensor, *, features: FeatureKind | None = None) -> Encoded:
        """Run the module on `inputs` (B, 3, H, W) in batches, without gradients.

        Parameters
        ----------
        inputs : Tensor
            (B, 3, H, W), preprocessed.
        features : FeatureKind, optional
            Which feature maps to return as well.

        Raises
        ------
        NoFeatureMap
            The encoder has no such `features`.
        """
        return self._passes.forward(inputs, features)

    # ---- gradients ---------------------------------------------------------------------------------------------------

    def gradients(
        self, inputs: Tensor, objective: Callable[[Tensor], Tensor], *, layer: str | None = None
    ) -> Gradients:
        """Differentiate a function of the representations.

        Parameters
        ----------
        inputs : Tensor
            (B, 3, H, W), preprocessed; one batch.
        objective : callable
            Maps representations (B, d) to one number for each input (B,).
        layer : str, optional
            Name of the submodule by whose output (B, c, h, w) to differentiate, or `LAST_MAP`; else by the inputs.
        """
        return self._differentiator.gradients(inputs, objective, layer)

    def differentiate(self, work: Callable[[Attached], Result]) -> Result:
        """Call `work` with the function that autograd can follow, and return its result.

        If an optimiser's step between forward and backward pass makes it fail, it is called again, the last time with
        weights that nothing else writes to.
        """
        return self._differentiator.differentiate(work)

    def attached(self, *, private: bool = False) -> AbstractContextManager[Attached]:
        """Give the function from inputs (B, 3, H, W) to representations (B, d) that autograd can follow.

        Within the context, weights need no gradients, which saves memory and time, and no other thread runs the module
        through this encoder. A `private` function has its own copy of the weights, which no optimiser's step changes.
        """
        return self._differentiator.attached(private=private)

    # ---- parts of the module -----------------------------------------------------------------------------------------

    def submodule(self, name: str) -> nn.Module:
        """Return a part of the module by its dotted name; raise `EncoderError` if that name is unknown."""
        return find_part(self.module, name, self.name)

    @property
    def pooling(self) -> str | None:
        """Name of the submodule that pools the final feature map; "" if the module returns it; None without one."""
        return self._passes.pooling

    @property
    def tokens(self) -> TokenGrid | None:
        """Where the patch tokens of a vision transformer are; None for other encoders."""
        return self._passes.tokens

    @property
    def blocks(self) -> Blocks | None:
        """The last blocks of a vision transformer with patch tokens, if they are of a known kind; None for others."""
        return self._passes.blocks

    @property
    def last_map(self) -> str | None:
        """Name of the last submodule that returns a feature map (B, c, h, w); "" for the module; None without one."""
        return self._passes.last_map

    # ---- prompts -------------------------------------------------------------------------------------------------

    def encode_text(self, prompts: str | Sequence[str], *, template: str = AS_TYPED) -> Tensor:
        """Compute the representations of prompts, each once for a state of the encoder.

        Parameters
        ----------
        prompts : str or sequence of str
        template : str
            Name of one of `TEMPLATES`, or a sentence with a place ``{}`` for the prompt. Of several sentences it is the
            mean of unit vectors, a unit vector again (Radford et al., ICML 2021).

        Returns
        -------
        Tensor
            (n, d), float32, on the encoder's device, not normalised.

        Raises
        ------
        EncoderError
            The encoder has no text tower.
        ValueError
            A prompt is empty, or the template has no place for one.
        """
        prompts = check_prompts(prompts)
        return self._prompts().encode(prompts, template, self.moment())

    def cut_prompts(self, prompts: Sequence[str], *, template: str = AS_TYPED) -> list[str]:
        """List the prompts that are longer than the text tower reads, and so are cut."""
        return self._prompts().cut(prompts, template)

    def text_keys(self, prompts: Sequence[str], *, template: str = AS_TYPED) -> list[str]:
        """Return the keys of prompts' representations in the table of `representations`."""
        return self._prompts().keys(prompts, template)

    def _prompts(self) -> PromptEncoder:
        return PromptEncoder(self.text, self._settings, self._passes.lock)
