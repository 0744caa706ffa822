"""The representations of prompts, by the text tower of a joint model."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..texts import fill
from .errors import EncoderError
from .moment import Moment
from .settings import Settings
from .text_tower import TextTower

PROMPTS_AT_ONCE = 32
"""Prompts in a batch; so few that other threads do not wait for long."""

SPECIAL_TOKENS = 2
"""Tokens around every prompt, for its start and its end."""


class PromptEncoder:
    """Encode prompts with a text tower.

    Parameters
    ----------
    tower : TextTower or None
        None for an encoder of images alone.
    settings : Settings
        Of the encoder that the tower belongs to.
    lock : context manager
        Held for each pass: there is one at a time, of images or of prompts.

    Raises
    ------
    EncoderError
        There is no tower.
    """

    def __init__(self, tower: TextTower | None, settings: Settings, lock: AbstractContextManager[Any]) -> None:
        if tower is None:
            raise EncoderError(
                f"Encoder {settings.name!r} has no text tower, so it cannot compare images with prompts. Load a joint"
                " model of images and texts, such as load_encoder('open_clip/ViT-B-32/openai'), or"
                " load_encoder('demo') with pip install \"cocoa-widget[demo]\"."
            )
        self._tower, self._settings, self._lock = tower, settings, lock

    def encode(self, prompts: Sequence[str], template: str, moment: Moment) -> Tensor:
        """Return the representations (n, d) of prompts, each computed once; see `Encoder.encode_text`."""
        tower = self._tower
        table, before, fresh = moment.representations, tower.fingerprint, dict[str, Tensor]()
        keys = self.keys(prompts, template)
        missing = list({key: prompt for key, prompt in zip(keys, prompts, strict=True) if key not in table}.items())
        for start in range(0, len(missing), PROMPTS_AT_ONCE):
            some = missing[start : start + PROMPTS_AT_ONCE]
            filled = [fill(template, prompt) for _, prompt in some]
            flat = [sentence for each in filled for sentence in each]
            with self._lock, torch.inference_mode():
                vectors = tower.encode(flat).to(self._settings.device, torch.float32)
            if vectors.ndim != 2 or len(vectors) != len(flat) or not bool(torch.isfinite(vectors).all()):
                raise EncoderError(
                    f"The text tower of encoder {self._settings.name!r} returned the shape {tuple(vectors.shape)} for"
                    f" {len(flat)} prompts, or values that are not finite; it must return ({len(flat)}, d)."
                )
            if len(flat) > len(some):
                vectors = F.normalize(
                    F.normalize(vectors, dim=1).reshape(len(some), -1, vectors.shape[1]).mean(1), dim=1
                )
            # If the tower has been trained meanwhile, nothing is kept.
            if tower.fingerprint != before or not moment.add([key for key, _ in some], vectors):
                fresh.update(zip((key for key, _ in some), vectors, strict=True))
        return table.get(keys, fresh)

    def keys(self, prompts: Sequence[str], template: str) -> list[str]:
        """Return the keys of prompts' representations in the encoder's table."""
        start = f"text\n{self._tower.fingerprint}\n{template}\n"
        return [start + prompt for prompt in prompts]

    def cut(self, prompts: Sequence[str], template: str) -> list[str]:
        """List the prompts that are longer than the text tower reads."""
        tower = self._tower
        if tower.context is None:
            return []
        # A token is at least a byte, so short prompts need no tokeniser, which may have to be loaded first.
        room = tower.context - SPECIAL_TOKENS
        filled = {prompt: fill(template, prompt) for prompt in prompts}
        long = [prompt for prompt, sentences in filled.items() if max(len(s.encode()) for s in sentences) > room]
        return [prompt for prompt in long if any(tower.cuts(filled[prompt]))]


def check_prompts(prompts: str | Sequence[str]) -> list[str]:
    """Return prompts as a list; raise TypeError or ValueError if there are none, or one is empty or not a string."""
    prompts = [prompts] if isinstance(prompts, str) else list(prompts)
    for prompt in prompts:
        if not isinstance(prompt, str):
            raise TypeError(f"A prompt is a string, not a {type(prompt).__name__}: {prompt!r}.")
        if not prompt.strip():
            raise ValueError("A prompt is empty: describe in a few words what is meant.")
    if not prompts:
        raise ValueError("There are no prompts: give at least one.")
    return prompts
