"""A joint model with known geometry: each word has a direction of its own, and texts are apart from images."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

import cocoa_widget as cw

from .conftest import Convolutional, encoder_of

DIMENSIONS = 16


class Words(cw.TextTower):
    """The sum of a prompt's words, each a fixed random vector, plus the gap that all texts share."""

    note = "Only words count."
    context = 12

    def __init__(self, gap: float = 0.0) -> None:
        self.gap, self.calls = gap, []

    fingerprint = "words"

    def encode(self, prompts) -> Tensor:
        self.calls.append(list(prompts))
        shared = torch.full((DIMENSIONS,), self.gap)
        return torch.stack([sum((self.word(w) for w in prompt.split()[: self.context]), shared) for prompt in prompts])

    def cuts(self, prompts) -> list[bool]:
        return [len(prompt.split()) > self.context for prompt in prompts]

    @staticmethod
    def word(word: str) -> Tensor:
        seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest(), "big")
        return torch.randn(DIMENSIONS, generator=torch.Generator().manual_seed(seed))


def joint(gap: float = 0.0, **options) -> cw.Encoder:
    return encoder_of(Convolutional(DIMENSIONS), text=Words(gap), **options)
