"""open_clip's joint models of images and texts: the visual tower as encoder, and the text tower beside it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .checkpoint import Weights, find_state, read_weights
from .device import choose_device
from .downloading import downloading
from .encoder import Encoder
from .identity import Identity
from .near import did_you_mean
from .optional import needing, require
from .text import TextTower

SCHEMES = ("hf-hub:", "local-dir:")
SCALES = ("logit_scale", "logit_bias")
"""Of the loss: no representation depends on them, and files have them in several shapes."""


def _open_clip() -> Any:
    return require("open_clip", "open_clip", "An encoder of open_clip")


def list_open_clip() -> list[str]:
    """List the published weights as ``ARCHITECTURE/TAG``."""
    return ["/".join(pair) for pair in _open_clip().list_pretrained()]


class OpenClipText(TextTower):
    """The text tower of one of open_clip's models, with its tokenizer."""

    def __init__(self, model: nn.Module, tokenizer: Any, device: torch.device) -> None:
        self._model, self._tokenizer, self._device = model.to(device).eval(), tokenizer, device
        self._identity = Identity(model)
        self.context = getattr(tokenizer, "context_length", None)

    @property
    def fingerprint(self) -> str:
        """Hash of the model without its visual tower."""
        return self._identity.fingerprint(lambda: f"{self._model!r}{self._tokenizer!r}"[:10_000])

    def encode(self, prompts: Sequence[str]) -> Tensor:
        """Tokenise and encode prompts."""
        with torch.inference_mode():
            tokens = self._tokenizer(list(prompts)).to(self._device)
            found: Tensor = self._model.encode_text(tokens, normalize=False)  # type: ignore[operator]
        return found.float()

    def cuts(self, prompts: Sequence[str]) -> list[bool]:
        """Tell which prompts have more tokens than the context."""
        if self.context is None:
            return [False] * len(prompts)
        inner = getattr(self._tokenizer, "tokenizer", None)
        if inner is not None:  # one of transformers', wrapped
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
        With the file of published weights, name their tag, too: it says which activation and which preprocessing they
        were trained with, which the file does not.
    **options
        See `Encoder`.
    """
    open_clip = _open_clip()
    folder = name.removeprefix("local-dir:")
    if Path(folder, "open_clip_config.json").is_file():
        name = f"local-dir:{folder}"
    architecture, tag = (name, None) if name.startswith(SCHEMES) else _split(open_clip, name, weights)
    if isinstance(weights, str) and weights in ("DEFAULT", tag):
        what = f"The model {name}" if tag is None else f"The weights {tag} of {architecture}"
        whole = architecture if tag is None else f"{architecture}/{tag}"
        instead = f"load_encoder('open_clip/{whole}', weights='{tag or 'model'}.safetensors')"
        model, preprocess = _create(open_clip, architecture, tag, what=what, instead=instead)
    else:
        model, preprocess = _create(open_clip, architecture, tag, load_weights=False)
        if weights is not None:
            contents, origin = read_weights(weights)
            state = _state(open_clip, model, contents, origin, architecture)
            model.load_state_dict({key: state[key] for key in state if key not in SCALES}, strict=False)
    if hasattr(model.visual, "output_tokens"):
        model.visual.output_tokens = False  # CoCa's decoder would take them
    visual: nn.Module = model.visual
    model.visual = nn.Identity()
    what, instead = f"The tokenizer of {architecture}", f"load_encoder('open_clip/local-dir:FOLDER') for {name}"
    with needing("open_clip", what), downloading(what, instead):
        tokenizer = open_clip.get_tokenizer(architecture)
    device = choose_device(options.get("device", "auto"))
    return Encoder(
        project_tokens(visual),
        preprocess=options.pop("preprocess", None) or preprocess,
        text=OpenClipText(model, tokenizer, device),
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


def _create(
    open_clip: Any, name: str, tag: str | None, *, load_weights: bool = True, what: str = "", instead: str = ""
) -> tuple[Any, Any]:
    with downloading(what or f"What {name} is made of", instead or f"load_encoder('open_clip/{name}', weights=PATH)"):
        # OpenAI's weights need another activation than the architecture's name says.
        published = {} if tag is None else open_clip.get_pretrained_cfg(name, tag)
        with warnings.catch_warnings(), _quiet(), needing("open_clip", f"The model {name}"):
            warnings.simplefilter("ignore")
            model, _, preprocess = open_clip.create_model_and_transforms(
                name,
                pretrained=tag if load_weights else None,  # with a tag it would download, to load or not
                load_weights=load_weights,
                pretrained_text=False,
                force_quick_gelu=bool(published.get("quick_gelu")),
                **{f"image_{part}": published.get(part) for part in ("mean", "std", "interpolation", "resize_mode")},
            )
    return model, preprocess


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep open_clip from writing to the root logger that a model has no weights, which it is about to be given."""
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
        # The checkpoints of OpenAI, Apple and others have other names; open_clip knows how they map.
        convert = require("open_clip.convert", "open_clip", "A checkpoint of another project").convert_state_dict
        if not isinstance(contents, Mapping):
            raise
        try:
            converted = convert(model, dict(contents))
            if not hasattr(model, "positional_embedding"):
                converted = open_clip.model.convert_to_custom_text_state_dict(converted)
        except Exception:  # it is made for files that fit
            converted = contents
        return find_state(converted, origin, model, name, head=SCALES)


def project_tokens(visual: nn.Module) -> nn.Module:
    """Move a vision transformer's projection behind its last normalisation, where it meets all tokens.

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
