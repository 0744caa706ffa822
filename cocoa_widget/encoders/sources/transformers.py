"""Vision models of Hugging Face's transformers: CLIP and SigLIP with their text towers, DINOv2 and others.

A folder holds settings (JSON), weights (safetensors, or a pickle of which only tensors are read) and perhaps Python
code, which is never run; where a model needs its own code, or has attention kernels downloaded, it is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from ...optional import needing, require
from ..device import choose_device
from ..encoder import Encoder
from ..identity import Identity
from ..text_tower import TextTower, describe_tokenizer
from .checkpoint import Weights, find_state, read_weights, refuse_placeholder
from .downloading import downloading
from .foreign_code import SAFE, check_image_processor, check_tokenizer, check_transformers_config, refusing_code

PUBLISHED = (
    "openai/clip-vit-base-patch32",
    "openai/clip-vit-base-patch16",
    "openai/clip-vit-large-patch14",
    "laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
    "google/siglip-base-patch16-224",
    "google/siglip2-base-patch16-224",
    "facebook/dinov2-small",
    "facebook/dinov2-base",
    "facebook/dino-vits16",
    "facebook/dino-vitb16",
    "google/vit-base-patch16-224",
    "facebook/convnext-tiny-224",
    "microsoft/resnet-50",
    "microsoft/swin-tiny-patch4-window7-224",
)


def list_transformers() -> list[str]:
    """List some well-known models; any other with an image processor loads too."""
    return list(PUBLISHED)


class Processor:
    """An image processor as a function of one picture."""

    def __init__(self, processor: Any) -> None:
        self._processor = processor

    def __call__(self, picture: Image.Image) -> Tensor:
        """Return the pixels (3, H, W)."""
        pixels: Tensor = self._processor(images=picture.convert("RGB"), return_tensors="pt")["pixel_values"][0]
        return pixels

    def __repr__(self) -> str:
        return repr(self._processor)


class Pooled(nn.Module):
    """A vision model that returns its pooled output (B, d), or its class token where it has no trained pooler."""

    def __init__(self, model: nn.Module, *, pooler: bool = True) -> None:
        super().__init__()
        self.model, self.pooler = model, pooler

    def forward(self, images: Tensor) -> Tensor:
        """Encode images (B, 3, H, W)."""
        output = self.model(pixel_values=images)
        pooled: Tensor | None = getattr(output, "pooler_output", None) if self.pooler else None
        return output.last_hidden_state[:, 0] if pooled is None else pooled.flatten(1)

    def extra_repr(self) -> str:
        """Return the way of pooling, which distinguishes modules with the same weights in the fingerprint."""
        return f"pooler={self.pooler}"


class Projected(nn.Module):
    """CLIP's visual tower; its projection is applied to all tokens, so that patches lie in the space of texts too."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.tower: nn.Module = model.vision_model
        normalisation = self.tower.post_layernorm
        self.projection = nn.Sequential(normalisation, model.visual_projection)

    def forward(self, images: Tensor) -> Tensor:
        """Encode images (B, 3, H, W)."""
        tokens: Tensor = self.projection(self.tower(pixel_values=images).last_hidden_state)
        return tokens[:, 0]


class TransformersText(TextTower):
    """The text tower of a joint model, with its tokenizer."""

    def __init__(self, model: nn.Module, tokenizer: Any, context: int | None, pad: bool, device: torch.device) -> None:
        self._model, self._tokenizer, self._pad, self._device = model.to(device).eval(), tokenizer, pad, device
        self._identity = Identity(model)
        self.context = context
        self._about = f"{pad} {context} {describe_tokenizer(tokenizer)}"

    @property
    def fingerprint(self) -> str:
        """Hash of the model without its visual tower, its settings and its tokenizer."""
        settings: dict[str, Any] = self._model.config.to_dict()  # type: ignore[union-attr, operator]
        settings = {key: value for key, value in settings.items() if key != "_name_or_path"}
        return self._identity.fingerprint(lambda: f"{self._model!r}{sorted(settings.items())!r}{self._about}")

    def encode(self, prompts: Sequence[str]) -> Tensor:
        """Tokenise and encode prompts."""
        tokens = self._tokenizer(
            list(prompts),
            padding="max_length" if self._pad else True,
            truncation=self.context is not None,
            max_length=self.context,
            return_tensors="pt",
        )
        with torch.inference_mode():
            found = self._model.get_text_features(**tokens.to(self._device))  # type: ignore[operator]
        vectors: Tensor = found if isinstance(found, Tensor) else found.pooler_output
        return vectors.float()

    def cuts(self, prompts: Sequence[str]) -> list[bool]:
        """Return which prompts have more tokens than the context."""
        if self.context is None:
            return [False] * len(prompts)
        return [len(ids) > self.context for ids in self._tokenizer(list(prompts), verbose=False)["input_ids"]]


def load_transformers(name: str, *, weights: Weights = "DEFAULT", **options: Any) -> Encoder:
    """Load a vision model, or a joint model of images and texts.

    Parameters
    ----------
    name : str
        ``ORG/NAME`` on the Hugging Face hub, or a folder that `save_pretrained` wrote.
    weights : str, Path, mapping or None
        ``"DEFAULT"`` for those of `name`; such a folder; the path of a checkpoint or a state dict for the architecture
        of `name`; or None for random weights.
    **options
        See `Encoder`.
    """
    library = require("transformers", "transformers", "An encoder of transformers")
    if isinstance(weights, (str, Path)) and Path(weights).is_dir():
        name, weights = str(weights), "DEFAULT"
    if name.startswith((".", "/", "~")) and not Path(name).expanduser().is_dir():
        raise FileNotFoundError(f"There is no folder {name!r}: give one that save_pretrained wrote.")
    name = str(Path(name).expanduser()) if name.startswith("~") else name
    instead = "load_encoder('transformers/FOLDER') with a folder that save_pretrained wrote"
    folder = Path(name).is_dir()
    if folder:
        for file in (*Path(name).glob("*.safetensors"), *Path(name).glob("*.bin")):
            refuse_placeholder(file)
    what, trusted = f"The model {name}", "load it with transformers and wrap it: cocoa_widget.Encoder(model)"
    code = refusing_code(f"The folder {name}" if folder else what, trusted)
    with downloading(what, instead), needing("transformers", what), code:
        check_transformers_config(library, name)
        config = library.AutoConfig.from_pretrained(name, **SAFE)
        preprocess = options.pop("preprocess", None)
        if preprocess is None:
            check_image_processor(library, name)
            preprocess = Processor(library.AutoImageProcessor.from_pretrained(name, **SAFE))
        model, missing = _model(library, config, name, weights)
        joint = hasattr(model, "get_text_features") and hasattr(model, "vision_model")
        if joint:
            check_tokenizer(name)
        tokenizer = library.AutoTokenizer.from_pretrained(name, **SAFE) if joint else None
    poolerless = [key for key in missing if "pooler" not in key.split(".")]
    if poolerless:
        raise ValueError(
            f"{name} does not fit {type(model).__name__}: {', '.join(poolerless[:3])} missing"
            f"{f', and {len(poolerless) - 3} more' if len(poolerless) > 3 else ''}."
        )
    text = None
    if joint:
        module: nn.Module = Projected(model) if hasattr(model, "visual_projection") else Pooled(model.vision_model)
        model.vision_model = nn.Identity()
        context = getattr(config.text_config, "max_position_embeddings", None)
        # SigLIP was trained on prompts that are padded to the context.
        pad = config.model_type.startswith("siglip")
        text = TransformersText(model, tokenizer, context, pad, choose_device(options.get("device", "auto")))
    else:
        module = Pooled(model, pooler=not missing)
    return Encoder(module, preprocess=preprocess, text=text, name=Path(name).name, **options)


def _model(library: Any, config: Any, name: str, weights: Weights) -> tuple[Any, list[str]]:
    """Return the model, and the names of parameters that its weights lack."""
    create: Callable[..., Any] = library.AutoModel.from_config
    if isinstance(weights, str) and weights == "DEFAULT":
        try:
            model, report = library.AutoModel.from_pretrained(
                name, dtype=torch.float32, output_loading_info=True, weights_only=True, **SAFE
            )
        except (RuntimeError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"The weights in {name} do not fit its config.json: {error}") from error
        except UnpicklingError as error:
            raise ValueError(
                f"The weights in {name} are damaged, or hold Python objects, not only tensors, and to load those could"
                " run any code; so they were not loaded. Where you trust them, load the model with transformers and"
                " save its tensors alone: model.save_pretrained(FOLDER)."
            ) from error
        except Exception as error:
            if type(error).__name__ != "SafetensorError":
                raise
            raise ValueError(f"The weights in {name} are damaged ({error}). Download or save them again.") from error
        return model, sorted(report["missing_keys"])
    model = create(config)
    if weights is None:
        return model, []
    contents, origin = read_weights(weights)
    optional = ["pooler"] if hasattr(model, "pooler") else []
    # A checkpoint of the same model with the head of a task has more tensors than are needed.
    state = find_state(contents, origin, model, name, head=optional, extras=not optional)
    return model, list(model.load_state_dict(state, strict=False).missing_keys)
