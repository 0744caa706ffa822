"""An image encoder: any torch module with its preprocessing, device and precision."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from ..images import ImageSet, as_image_set
from ..texts import AS_TYPED, fill
from .copying import ModuleCopy
from .decoding import Decoder
from .device import choose_device, choose_precision, out_of_memory
from .errors import EncoderError, NoFeatureMap
from .frozen import FrozenNormalisation
from .function import FunctionModule
from .identity import Identity
from .moment import Moment
from .preprocess import Frame, Preprocess, Transform, frame_of
from .probing.anatomy import Anatomy
from .probing.hooks import watching
from .probing.output import Output, OutputReader
from .probing.tokens import PatchTokens
from .representations import Representations
from .text import TextTower
from .twin import Twin

Result = TypeVar("Result")

FeatureKind = Literal["pooled", "tokens"]
"""The final feature map that is averaged to the representation, or a vision transformer's patch tokens as a map."""

PROMPTS_AT_ONCE = 32
"""So few that one batch of them does not keep others waiting."""

SPECIAL_TOKENS = 2
"""Around every prompt, for its start and its end."""

TRIES = 3
"""How often images are encoded, or gradients taken, if the weights change meanwhile."""

LAST_MAP = "*"
"""Stands for the name of the last layer that gives a feature map."""


@dataclass(frozen=True)
class Encoded:
    """What one forward pass gives: `representations` (B, d) and, where asked for, `features` (B, d, h, w), float32.

    The mean of ``"pooled"`` features over their positions equals `representations`.
    """

    representations: Tensor
    features: Tensor | None = None


@dataclass(frozen=True)
class Gradients:
    """What one forward and backward pass gives, float32.

    `values` (B,) are the objective's, `points` (B, c, h, w) where it was differentiated (inputs, or a layer's output),
    and `gradients` its gradients there, in the same shape.
    """

    values: Tensor
    points: Tensor
    gradients: Tensor


class Attached:
    """The function from inputs (B, 3, H, W) to representations (B, d) that autograd can follow.

    Attributes
    ----------
    module : torch.nn.Module
        What runs: a copy of the encoder's module that shares its weights, so hooks belong on parts of this one.
    """

    def __init__(self, copy: ModuleCopy, represent: Callable[[Tensor], Tensor]) -> None:
        self.module = copy.module
        self.counterpart = copy.counterpart
        self._represent = represent

    def __call__(self, inputs: Tensor) -> Tensor:
        """Compute representations."""
        return self._represent(inputs)


class Encoder:
    """Wrap a torch module that maps images to representations.

    The module stays its owner's: it may be trained while it is explained. What runs is a copy of its objects, in eval
    mode and without gradients, that shares its weights and follows its changes; see `Twin`.

    Parameters
    ----------
    module : torch.nn.Module
        Maps (B, 3, H, W) to (B, d), or to feature maps (B, d, h, w) whose mean over positions is then the
        representation. It is moved to `device` and otherwise left as it is.
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
        ``"auto"`` runs under bfloat16 autocast where the device is faster at it. Gradients, which a low precision hurts
        most, run in float32 always, and so are results. A module whose weights are not float32 runs as it is.
    batch_size : int, optional
        Images per forward pass; by default 64 on a GPU and 8 on a CPU, whose caches hold no more. It halves by
        itself when memory runs out.
    classifier : callable, optional
        Maps representations (n, d) to logits (n, classes), such as the last layer that a classification network had;
        only evaluation by classes needs it.
    text : TextTower, optional
        The other half of a joint model, which maps prompts into the space of the representations.
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
        classifier: Callable[[Tensor], Tensor] | None = None,
        text: TextTower | None = None,
        name: str | None = None,
    ) -> None:
        if not isinstance(module, nn.Module):
            raise TypeError(f"module must be a torch.nn.Module, not {type(module).__name__}.")
        self.device = choose_device(device)
        self.dtype = choose_precision(precision, self.device)
        self.module = module.to(self.device)
        weights = next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.float32)
        # Weights of a low precision run as they are: autocast would leave parts of such a module in float32.
        self._cast = None if weights == torch.float32 else weights
        if self._cast is not None:
            self.dtype = self._cast
        self.preprocess: Transform = preprocess or Preprocess(image_size)
        self.output = output
        self.batch_size = batch_size or (8 if self.device.type == "cpu" else 64)
        self.classifier = classifier.to(self.device) if isinstance(classifier, nn.Module) else classifier
        self.text = text
        self.name = name or type(module).__name__
        # One pass at a time: hooks belong to the module that runs, not to a thread.
        self._lock = threading.RLock()
        self._frames: dict[tuple[int, int], Frame] = {}
        self._twin = Twin(self.module)
        self._identity = Identity(self.module)
        self._table: tuple[str, Representations] | None = None
        self._table_lock = threading.Lock()
        self._reader = OutputReader(self.name, output, self.dtype == torch.float32)
        self._anatomy: Anatomy | None = None
        self._input_size: tuple[int, int] | None = None

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

        Methods that perturb (RISE, Occlusion, KernelSHAP) explain it; those that need gradients or feature maps say
        that they cannot.

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
        if not callable(function):
            raise TypeError(f"function must map arrays (B, 3, H, W) to (B, d), not be a {type(function).__name__}.")
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
        """Whether gradients can be asked for."""
        return not isinstance(self.module, FunctionModule)

    @property
    def classifier(self) -> Callable[[Tensor], Tensor] | None:
        """Maps representations (n, d) to logits (n, classes); a module comes as a copy that shares its weights."""
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
        if self._input_size is None:
            height, width = self._preprocessed(Image.new("RGB", (320, 320))).shape[1:]
            self._input_size = height, width
        return self._input_size

    # ---- identity ------------------------------------------------------------------------------------------------

    @property
    def fingerprint(self) -> str:
        """Hash of the weights, preprocessing, output and precision: equal fingerprints give equal representations.

        It follows optimisers' steps, loaded weights, and replaced parts and settings. Writing through ``.data`` or to a
        NumPy view passes it by: call `refresh` afterwards.
        """
        return self._identified()[1]

    @property
    def representations(self) -> Representations:
        """Table of the representations that the encoder in its present state has computed, by image key."""
        return self.moment().representations

    def moment(self) -> Moment:
        """Return the encoder's present state: take it before passes, and keep what they give only if it lasts.

        Examples
        --------
        >>> moment = encoder.moment()  # doctest: +SKIP
        >>> moment.add(keys, encoder.forward(inputs).representations)  # doctest: +SKIP
        True
        """
        with self._table_lock:
            state, fingerprint = self._identified()
            if self._table is None or self._table[0] != fingerprint:
                self._table = fingerprint, Representations()  # those of earlier weights are of no more use
            return Moment(self.name, fingerprint, self._table[1], self._twin.state, state)

    def refresh(self) -> None:
        """Forget what was computed with earlier weights.

        Changes that PyTorch counts are noticed without it: optimisers' steps, ``load_state_dict``, replaced parts,
        parameters and attributes. Call it after changes that are not counted: in-place writes through ``.data`` or to a
        NumPy view of a weight, a list or an array that the module keeps and you wrote to, or parts of a TorchScript
        module that you replaced.
        """
        with self._lock, self._table_lock:
            self._twin.refresh()
            self._table = self._anatomy = None

    def _identified(self) -> tuple[Hashable, str]:
        def about() -> str:
            settings = self._twin.current().settings
            return f"{self.module!r}{settings}{self.preprocess!r}{self.output!r}{self.dtype}"

        def tensors() -> Iterable[tuple[str, Any]]:
            module = self._twin.current().module
            return (dict(module.named_buffers()) | module.state_dict(keep_vars=True)).items()

        return self._identity.of(self._twin.state, about, tensors)

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
        """Return the representations (n, d) of images by id, and compute only those that are not known yet.

        If the weights change meanwhile, they are computed anew; of weights that never rest, each image gets what it
        was encoded with, and nothing is kept.
        """
        ids = list(images.ids if image_ids is None else image_ids)
        for _ in range(TRIES):
            moment = self.moment()
            found = self._represented(images, ids, moment)
            if moment.lasts:
                break
        return found

    def _represented(self, images: ImageSet, ids: Sequence[str], moment: Moment) -> Tensor:
        table = moment.representations
        keys = {image: images.known_key(image) for image in dict.fromkeys(ids)}
        wanted = [image for image, key in keys.items() if key is None or key not in table]
        fresh: dict[str, Tensor] = {}  # what was not put into the table, because the weights have changed
        if wanted:
            with self.decoder(images, lambda _, key: key in table) as decoder:
                for start in range(0, len(wanted), size := self.batch_size):
                    some, ahead = wanted[start : start + size], wanted[start + size : start + 2 * size]
                    batch: dict[str, Tensor] = {}
                    for image, (key, tensor) in zip(some, decoder.take(some, ahead), strict=True):
                        keys[image] = key
                        if tensor is not None and key not in fresh and key not in table:
                            batch[key] = tensor
                    if batch:
                        vectors = self.forward(torch.stack([*batch.values()]).to(self.device)).representations
                        if not moment.add([*batch], vectors):
                            fresh.update(zip(batch, vectors, strict=True))
        return _gathered([str(keys[image]) for image in ids], table, fresh)

    def decoder(self, images: ImageSet, needless: Callable[[str, str], bool] | None = None) -> Decoder:
        """Return what loads and preprocesses images in threads, some of them ahead; it must be closed.

        Parameters
        ----------
        images : ImageSet
        needless : callable, optional
            Of an image's id and its key: whether its pixels are not needed after all.
        """
        return Decoder(images, self._preprocessed, needless)

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
        prompts = [prompts] if isinstance(prompts, str) else list(prompts)
        for prompt in prompts:
            if not isinstance(prompt, str):
                raise TypeError(f"A prompt is a string, not a {type(prompt).__name__}: {prompt!r}.")
            if not prompt.strip():
                raise ValueError("A prompt is empty: describe in a few words what is meant.")
        if not prompts:
            raise ValueError("There are no prompts: give at least one.")
        tower, moment = self._tower(), self.moment()
        table, before, fresh = moment.representations, tower.fingerprint, dict[str, Tensor]()
        keys = self.text_keys(prompts, template=template)
        missing = list({key: prompt for key, prompt in zip(keys, prompts, strict=True) if key not in table}.items())
        for start in range(0, len(missing), PROMPTS_AT_ONCE):
            some = missing[start : start + PROMPTS_AT_ONCE]
            filled = [fill(template, prompt) for _, prompt in some]
            flat = [sentence for each in filled for sentence in each]
            with self._lock, torch.inference_mode():
                vectors = tower.encode(flat).to(self.device, torch.float32)
            if vectors.ndim != 2 or len(vectors) != len(flat) or not bool(torch.isfinite(vectors).all()):
                raise EncoderError(
                    f"The text tower of encoder {self.name!r} returned the shape {tuple(vectors.shape)} for"
                    f" {len(flat)} prompts, or values that are not finite; it must return ({len(flat)}, d)."
                )
            if len(flat) > len(some):
                vectors = F.normalize(
                    F.normalize(vectors, dim=1).reshape(len(some), -1, vectors.shape[1]).mean(1), dim=1
                )
            # Nothing is kept of a tower that is trained meanwhile.
            if tower.fingerprint != before or not moment.add([key for key, _ in some], vectors):
                fresh.update(zip((key for key, _ in some), vectors, strict=True))
        return _gathered(keys, table, fresh)

    def cut_prompts(self, prompts: Sequence[str], *, template: str = AS_TYPED) -> list[str]:
        """List the prompts that are longer than the text tower reads, so that their ends do not count."""
        tower = self._tower()
        if tower.context is None:
            return []
        # No token is less than a byte: most prompts need no tokeniser, which may have to be loaded first.
        room = tower.context - SPECIAL_TOKENS
        filled = {prompt: fill(template, prompt) for prompt in prompts}
        long = [prompt for prompt, sentences in filled.items() if max(len(s.encode()) for s in sentences) > room]
        return [prompt for prompt in long if any(tower.cuts(filled[prompt]))]

    def text_keys(self, prompts: Sequence[str], *, template: str = AS_TYPED) -> list[str]:
        """Return the keys of prompts' representations in the table of `representations`."""
        start = f"text\n{self._tower().fingerprint}\n{template}\n"
        return [start + prompt for prompt in prompts]

    def _tower(self) -> TextTower:
        if self.text is None:
            raise EncoderError(
                f"Encoder {self.name!r} has no text tower, so it cannot compare images with prompts. Load a joint model"
                " of images and texts, such as load_encoder('open_clip/ViT-B-32/openai'), or load_encoder('demo') with"
                ' pip install "cocoa-widget[demo]".'
            )
        return self.text

    # ---- images --------------------------------------------------------------------------------------------------

    def forward(self, inputs: Tensor, *, features: FeatureKind | None = None) -> Encoded:
        """Run the module on `inputs` (B, 3, H, W) in batches, without gradients.

        Parameters
        ----------
        inputs : Tensor
            (B, 3, H, W), preprocessed.
        features : {"pooled", "tokens"}, optional
            Which feature maps to keep as well.

        Raises
        ------
        NoFeatureMap
            The encoder has no such `features`.
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
            Name of the submodule by whose output (B, c, h, w) to differentiate, or `LAST_MAP`; by the inputs without
            it.
        """
        if layer == LAST_MAP:
            layer = self.last_map
            if layer is None:
                raise NoFeatureMap(f"Encoder {self.name!r} has no layer that gives a feature map.")
        return self.differentiate(lambda represent: self._gradients(represent, inputs, objective, layer))

    def differentiate(self, work: Callable[[Attached], Result]) -> Result:
        """Hand `work` the function that autograd can follow, and return its result.

        An optimiser's step between its forward and backward passes makes it fail. It is then called again, and at last
        with weights that nothing else writes to.
        """
        for _ in range(TRIES - 1):
            try:
                with self.attached() as represent:
                    return work(represent)
            except RuntimeError as error:
                if not _overwritten(error.__cause__ or error):
                    raise
        with self.attached(private=True) as represent:
            return work(represent)

    def _gradients(
        self, represent: Attached, inputs: Tensor, objective: Callable[[Tensor], Tensor], layer: str | None
    ) -> Gradients:
        leaf = points = inputs.detach().clone().requires_grad_()
        if layer is None:
            values = objective(represent(leaf))
        else:
            hook = self._part(represent.module, layer).register_forward_hook
            with watching(hook, lambda _, __, output: output) as watched:
                values = objective(represent(leaf))
            points = self._map(watched, layer)
        try:
            (gradient,) = torch.autograd.grad(values.sum(), points)
        except RuntimeError as error:
            raise EncoderError(
                f"Encoder {self.name!r} cannot be differentiated ({error}). Choose a method that needs no"
                " gradients, such as 'rise'."
            ) from error
        return Gradients(values.detach().float(), points.detach().float(), gradient.float())

    def submodule(self, name: str) -> nn.Module:
        """Return a part of the module by its dotted name; raises `EncoderError` with the names that are near."""
        return self._part(self.module, name)

    def _part(self, module: nn.Module, name: str) -> nn.Module:
        modules: dict[str, nn.Module] = dict(module.named_modules())
        name = name.removeprefix("_orig_mod.")  # the copy that runs is of what torch.compile wrapped
        if name not in modules:
            near = difflib.get_close_matches(name, modules, n=3, cutoff=0.3) or list(modules)[-3:]
            raise EncoderError(f"Encoder {self.name!r} has no layer {name!r}. Did you mean {' or '.join(near)}?")
        return modules[name]

    def _map(self, kept: list[Tensor], layer: str) -> Tensor:
        if not kept or not isinstance(kept[-1], Tensor) or kept[-1].ndim != 4:
            shape = "nothing" if not kept else str(tuple(getattr(kept[-1], "shape", ())))
            raise NoFeatureMap(
                f"Layer {layer!r} of encoder {self.name!r} gives no feature map (B, c, h, w) but {shape}: choose"
                " another layer."
            )
        return kept[-1]

    @contextmanager
    def attached(self, *, private: bool = False) -> Iterator[Attached]:
        """Give the function from inputs (B, 3, H, W) to representations (B, d) that autograd can follow.

        Weights need no gradients there, which saves memory and time; no other thread runs the module through this
        encoder meanwhile.

        Parameters
        ----------
        private : bool
            Use weights of its own. Else an optimiser's step between forward and backward pass makes the latter fail.
        """
        if not self.differentiable:
            raise EncoderError(
                f"Encoder {self.name!r} is a function without gradients. Choose a method that needs none, such as"
                " 'rise', 'occlusion' or 'kernel_shap'."
            )

        with self._lock, torch.inference_mode(False), torch.enable_grad():
            copy = self._twin.private() if private else self._twin.current()

            def represent(inputs: Tensor) -> Tensor:
                # A clone, so that a module may begin with an in-place operation.
                with FrozenNormalisation():
                    output = self._call(copy.module, inputs.clone(), torch.float32)
                    return self._reader.representations(output, len(inputs))

            yield Attached(copy, represent)

    def _run(self, batch: Tensor, features: FeatureKind | None) -> Encoded:
        copy = self._twin.current()
        module = copy.module
        if features == "tokens":
            return self._run_tokens(copy, batch)
        pooling = self._found(copy).pooling if self.differentiable else None
        if pooling is None:
            if features:
                raise NoFeatureMap(
                    f"Encoder {self.name!r} does not end in global average pooling, so CAM has nothing to decompose."
                    " Choose the method 'rise', which works with every encoder."
                )
            return Encoded(self._reader.representations(self._call(module, batch), len(batch)))
        if pooling == "":
            kept = self._reader.select(self._call(module, batch))
        else:
            part = module.get_submodule(pooling)
            with watching(part.register_forward_pre_hook, lambda _, args: args[0]) as watched:
                self._reader.representations(self._call(module, batch), len(batch))
            kept = watched[-1]
        # Pooled here in float32 instead of by the module: at a low precision its mean would differ from the map's.
        return Encoded(self._reader.checked(kept, len(batch)), kept.float() if features else None)

    def _run_tokens(self, copy: ModuleCopy, batch: Tensor) -> Encoded:
        module, tokens = copy.module, self._found(copy).tokens if self.differentiable else None
        if tokens is None:
            raise NoFeatureMap(
                f"Encoder {self.name!r} has no patch tokens in the space of its representations. Choose the method"
                " 'rise', which works with every encoder."
            )
        part = module.get_submodule(tokens.module)
        with watching(part.register_forward_hook, lambda _, __, output: output) as watched:
            representations = self._reader.representations(self._call(module, batch), len(batch))
        return Encoded(representations, tokens.as_map(watched[-1].float()))

    @property
    def pooling(self) -> str | None:
        """Name of the submodule that pools the final feature map; "" if it returns the map; None without one."""
        with self._lock:  # before the lock within `cached_property`, which a pass on another thread comes to second
            return self._found(self._twin.current()).pooling if self.differentiable else None

    @property
    def tokens(self) -> PatchTokens | None:
        """Where the patch tokens of a vision transformer are; None for other encoders."""
        with self._lock:
            return self._found(self._twin.current()).tokens if self.differentiable else None

    @property
    def last_map(self) -> str | None:
        """Name of the last submodule that returns a feature map (B, c, h, w); "" is the module itself, None no map."""
        with self._lock:
            return self._found(self._twin.current()).last_map if self.differentiable else None

    def _found(self, copy: ModuleCopy) -> Anatomy:
        """Return what is known of the module's parts; found anew when parts or settings have been replaced."""
        if self._anatomy is None or not self._anatomy.about(copy):
            self._anatomy = Anatomy(copy, self._run_probe, self._reader.select)
        return self._anatomy

    def _run_probe(self, module: nn.Module) -> Any:
        """Run a module on two inputs of noise, for hooks to see how it is made."""
        height, width = self.input_size
        probe = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(0)).to(self.device)
        with self._lock, torch.inference_mode():
            return self._call(module, probe, torch.float32)

    def _call(self, module: nn.Module, batch: Tensor, dtype: torch.dtype | None = None) -> Any:
        dtype = dtype or self.dtype
        low = self._cast is None and dtype != torch.float32
        autocast = torch.autocast(self.device.type, dtype, enabled=low)
        if self._cast is not None:
            batch = batch.to(self._cast)
        if self.device.type in ("cpu", "cuda"):
            batch = batch.to(memory_format=torch.channels_last)
        with autocast:
            try:
                return module(batch)
            except Exception as error:
                raise EncoderError(
                    f"Encoder {self.name!r} raised {type(error).__name__} on a batch of the shape"
                    f" {tuple(batch.shape)}: {error}"
                ) from error


def _gathered(keys: Sequence[str], table: Representations, fresh: dict[str, Tensor]) -> Tensor:
    """Return the representations (n, d) of `keys`, some of them from outside the table."""
    if not fresh:
        return table.get(keys)
    return torch.stack([fresh[key] if key in fresh else table.get([key])[0] for key in keys])


def _overwritten(error: BaseException) -> bool:
    """Tell whether an optimiser may have changed weights between a forward and its backward pass."""
    return "modified by an inplace operation" in str(error)
