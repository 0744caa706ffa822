"""open_clip's joint models of images and texts: the visual tower as encoder, and the text tower beside it.

A folder holds settings (JSON), weights (safetensors, or a pickle of which only tensors are read), and perhaps a
tokenizer or a text tower of transformers; Python code that these bring is never run.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...optional import needing, require
from ...spelling import did_you_mean
from ..device import choose_device
from ..encoder import Encoder
from ..identity import Identity
from ..text_tower import TextTower, describe_tokenizer
from .checkpoint import Weights, find_state, read_weights
from .downloading import downloading
from .foreign_code import SAFE, check_settings, check_tokenizer, check_transformers_config, refusing_code

SCHEMES = ("hf-hub:", "local-dir:")
SCALES = ("logit_scale", "logit_bias")
"""Parameters of the loss, which no representation depends on, and which have several shapes in files."""

FILES = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
    "open_clip_pytorch_model.pth",
    "model.safetensors",
    "pytorch_model.bin",
    "pytorch_model.pth",
    "model.pth",
)
"""Names of a folder's weights, in open_clip's order; without any of them, the folder's only file is taken."""

TRUSTED = "load it with open_clip and wrap its tower: cocoa_widget.Encoder(model.visual, preprocess=…)"
"""How users load a model that they trust, for errors."""

TOKENIZER_TEXTS = ("clean", "language", "padding_side", "truncation_side")
"""Settings of a tokenizer whose texts are harmless. Those of others name files to read, or a library to download."""


def _open_clip() -> Any:
    return require("open_clip", "open_clip", "An encoder of open_clip")


def list_open_clip() -> list[str]:
    """List the published weights as ``ARCHITECTURE/TAG``."""
    return ["/".join(pair) for pair in _open_clip().list_pretrained()]


class OpenClipText(TextTower):
    """The text tower of one of open_clip's models, with its tokenizer."""

    def __init__(self, model: nn.Module, tokenizer: Any, device: torch.device, settings: Any = None) -> None:
        self._model, self._tokenizer, self._device = model.to(device).eval(), tokenizer, device
        self._identity = Identity(model)
        # Some settings, such as how tokens are pooled, are neither tensors nor in the model's `repr`.
        self._about = f"{json.dumps(settings, sort_keys=True)} {_describe(tokenizer)}"
        self.context = getattr(tokenizer, "context_length", None)

    @property
    def fingerprint(self) -> str:
        """Hash of the model without its visual tower, its settings and its tokenizer."""
        return self._identity.fingerprint(lambda: f"{self._model!r}{self._about}")

    def encode(self, prompts: Sequence[str]) -> Tensor:
        """Tokenise and encode prompts."""
        with torch.inference_mode():
            tokens = self._tokenizer(list(prompts)).to(self._device)
            found: Tensor = self._model.encode_text(tokens, normalize=False)  # type: ignore[operator]
        return found.float()

    def cuts(self, prompts: Sequence[str]) -> list[bool]:
        """Return which prompts have more tokens than the context."""
        if self.context is None:
            return [False] * len(prompts)
        inner = getattr(self._tokenizer, "tokenizer", None)
        if inner is not None:  # a tokenizer of transformers, wrapped
            return [len(inner(prompt, verbose=False)["input_ids"]) > self.context for prompt in prompts]
        return [len(self._tokenizer.encode(prompt)) + 2 > self.context for prompt in prompts]


def load_open_clip(name: str, *, weights: Weights = "DEFAULT", **options: Any) -> Encoder:
    """Load one of open_clip's models.

    Parameters
    ----------
    name : str
        ``ARCHITECTURE/TAG`` as in ``open_clip.list_pretrained()``; ``ARCHITECTURE`` with `weights` of your own;
        ``hf-hub:ORG/NAME``; or a folder with an ``open_clip_config.json``.
    weights : str, Path, mapping or None
        ``"DEFAULT"`` for those of the tag, a tag, the path of a checkpoint, a state dict, or None for random weights.
        With the file of published weights, name their tag too: activation and preprocessing depend on it, and are not
        in the file.
    **options
        See `Encoder`.
    """
    open_clip = _open_clip()
    folder = name.removeprefix("local-dir:")
    if Path(folder, "open_clip_config.json").is_file():
        name = f"local-dir:{folder}"
    architecture, tag = (name, None) if name.startswith(SCHEMES) else _split(open_clip, name, weights)
    what = f"The model {name}" if tag is None else f"The weights {tag} of {architecture}"
    whole = architecture if tag is None else f"{architecture}/{tag}"
    instead = f"load_encoder('open_clip/{whole}', weights='{tag or 'model'}.safetensors')"
    where = f"The folder {folder}" if name.startswith("local-dir:") else f"The model {name}"
    with downloading(what, instead), needing("open_clip", f"The model {name}"), refusing_code(where, TRUSTED):
        settings = _settings(open_clip, architecture, where)
        published = isinstance(weights, str) and weights in ("DEFAULT", tag)
        if published and name.startswith(SCHEMES):
            weights = _find_weights(open_clip, name)
            published = False
        model, preprocess = _create(open_clip, architecture, tag, load_weights=published)
    if not published and weights is not None:
        contents, origin = read_weights(weights)
        state = _state(open_clip, model, contents, origin, architecture)
        model.load_state_dict({key: state[key] for key in state if key not in SCALES}, strict=False)
    if hasattr(model.visual, "output_tokens"):
        model.visual.output_tokens = False  # they are for CoCa's decoder
    visual: nn.Module = model.visual
    model.visual = nn.Identity()
    what, instead = f"The tokenizer of {architecture}", f"load_encoder('open_clip/local-dir:FOLDER') for {name}"
    with needing("open_clip", what), downloading(what, instead), refusing_code(where, TRUSTED):
        wrapped = settings["text_cfg"].get("hf_tokenizer_name")
        if wrapped:
            check_tokenizer(folder if name.startswith("local-dir:") else wrapped)
        # Only a tokenizer of transformers takes the argument.
        tokenizer = open_clip.get_tokenizer(architecture, **SAFE if wrapped else {})
    device = choose_device(options.get("device", "auto"))
    return Encoder(
        project_tokens(visual),
        preprocess=options.pop("preprocess", None) or preprocess,
        text=OpenClipText(model, tokenizer, device, settings),
        name=name.removeprefix("local-dir:"),
        **options,
    )


def _split(open_clip: Any, name: str, weights: Weights) -> tuple[str, str | None]:
    architecture, _, tag = name.partition("/")
    if not tag and isinstance(weights, str) and weights in open_clip.list_pretrained_tags_by_model(architecture):
        tag = weights
    known = open_clip.list_models()
    if architecture not in known:
        raise ValueError(f"open_clip has no architecture {architecture!r}.{did_you_mean(architecture, known)}")
    tags = open_clip.list_pretrained_tags_by_model(architecture)
    if tag and tag not in tags:
        near = did_you_mean(tag, tags) or f" Published are: {', '.join(tags) or 'none'}."
        raise ValueError(f"open_clip has no weights {tag!r} of {architecture}.{near}")
    if not tag and isinstance(weights, str) and weights == "DEFAULT":
        raise ValueError(
            f"Say which weights of {architecture}: load_encoder('open_clip/{architecture}/TAG') with one of"
            f" {', '.join(tags[:6]) or 'none that is published'}{', …' if len(tags) > 6 else ''}, or weights=PATH."
        )
    return architecture, tag or None


def _settings(open_clip: Any, architecture: str, where: str) -> dict[str, Any]:
    """Return the settings of a model, after checking that none asks for code to be run."""
    try:
        settings = open_clip.get_model_config(architecture)
        text = settings["text_cfg"]
        tokenizer = {} if text.get("tokenizer_kwargs") is None else dict(text["tokenizer_kwargs"])
        pretrained: str | None = text.get("hf_model_name")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"{where} has no valid open_clip_config.json ({type(error).__name__}: {error}). Download or save it again."
        ) from error
    check_settings(settings, "open_clip_config.json")
    for key, value in tokenizer.items():
        if not (value is None or isinstance(value, bool | int | float) or key in TOKENIZER_TEXTS):
            raise ValueError(
                f"{where} sets {key!r} of its tokenizer to {value!r}, which can make it read other files or hang, so it"
                f" was not loaded. Where you trust it, {TRUSTED}."
            )
    if pretrained is not None:
        check_transformers_config(require("transformers", "open_clip", f"The text tower of {architecture}"), pretrained)
    return dict(settings)


def _find_weights(open_clip: Any, name: str) -> Path:
    """Return the file of weights of a folder, or of a repository on the Hugging Face hub."""
    if not name.startswith("local-dir:"):
        return Path(open_clip.download_pretrained_from_hf(name.removeprefix("hf-hub:")))
    folder = Path(name.removeprefix("local-dir:"))
    files = {file.name: file for ending in ("safetensors", "bin", "pth") for file in sorted(folder.glob(f"*.{ending}"))}
    known = [files[each] for each in FILES if each in files] or list(files.values())
    if not known or (len(known) > 1 and known[0].name not in FILES):
        found = f"several files that may be ({', '.join(files)})" if files else "none"
        raise ValueError(
            f"The folder {folder} must hold its weights as {FILES[0]}, and has {found}: rename the file, or pass"
            " weights=PATH (weights=None for random ones)."
        )
    return known[0]


def _create(open_clip: Any, name: str, tag: str | None, *, load_weights: bool) -> tuple[Any, Any]:
    # OpenAI's weights need another activation than the settings of the architecture name.
    published = {} if tag is None else open_clip.get_pretrained_cfg(name, tag)
    with warnings.catch_warnings(), _quiet():
        warnings.simplefilter("ignore")
        model, _, preprocess = open_clip.create_model_and_transforms(
            name,
            pretrained=tag if load_weights else None,  # with a tag, it would download the weights in any case
            load_weights=load_weights,
            pretrained_text=False,
            force_quick_gelu=bool(published.get("quick_gelu")),
            weights_only=True,
            **{f"image_{part}": published.get(part) for part in ("mean", "std", "interpolation", "resize_mode")},
        )
    return model, preprocess


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence open_clip's warning that a model has no weights: they are loaded next."""
    level = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(level)


def _state(open_clip: Any, model: nn.Module, contents: Any, origin: str, name: str) -> dict[str, Tensor]:
    try:
        return find_state(contents, origin, model, name, head=SCALES)
    except ValueError:
        # Checkpoints of OpenAI, Apple and others name their tensors differently; open_clip converts them.
        convert = require("open_clip.convert", "open_clip", "A checkpoint of another project").convert_state_dict
        if not isinstance(contents, Mapping):
            raise
        try:
            converted = convert(model, dict(contents))
            if not hasattr(model, "positional_embedding"):
                converted = open_clip.model.convert_to_custom_text_state_dict(converted)
        except Exception:  # it expects files that fit
            converted = contents
        return find_state(converted, origin, model, name, head=SCALES)


def project_tokens(visual: nn.Module) -> nn.Module:
    """Move a vision transformer's projection behind its last normalisation, where it is applied to all tokens.

    A projection is linear, so it may come before the class token is taken or the patches are averaged: the output is
    the same, and the patch tokens lie in the space that images share with texts.
    """
    normalisation, projection = getattr(visual, "ln_post", None), getattr(visual, "proj", None)
    if not isinstance(normalisation, nn.Module) or not isinstance(projection, nn.Parameter):
        return visual
    inputs, outputs = projection.shape
    linear = nn.Linear(inputs, outputs, bias=False)
    linear.weight = nn.Parameter(projection.detach().T.contiguous())
    visual.ln_post = nn.Sequential(normalisation, linear)
    visual.register_parameter("proj", None)
    return visual


def _describe(tokenizer: Any) -> str:
    """Return all that the tokens of a prompt depend on, the same in every process."""
    inner = getattr(tokenizer, "tokenizer", None)
    words = sorted(tokenizer.encoder.items()) if inner is None else describe_tokenizer(inner)
    functions = [getattr(tokenizer, name, None) for name in ("clean_fn", "reduction_fn")]
    settings = [getattr(tokenizer, name, None) for name in ("context_length", "tokenizer_mode", "strip_sep_token")]
    return f"{[getattr(each, '__name__', None) for each in functions]} {settings} {words}"
