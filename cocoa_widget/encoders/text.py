"""The other half of a joint model: prompts become vectors in the space of the images' representations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from torch import Tensor


class TextTower(ABC):
    """Maps prompts into the space of an encoder's representations; one for each source of joint models.

    Attributes
    ----------
    note : str
        What its user should know about it; "" for a model's own text tower.
    context : int or None
        How many tokens of a prompt it reads; None without a limit.
    """

    note: str = ""
    context: int | None = None

    @abstractmethod
    def encode(self, prompts: Sequence[str]) -> Tensor:
        """Return the representations (n, d) of prompts, not normalised, on any device; runs without gradients."""

    @abstractmethod
    def cuts(self, prompts: Sequence[str]) -> list[bool]:
        """Tell for each prompt whether it is longer than the context, so that its end is not read."""

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """Hash of all that a representation depends on beside the prompt; cheap after the first time."""

    def prepare(self) -> bool:
        """Do some 50 ms of what has to be done before the first prompt; tell whether that was the last of it."""
        return True


def describe_tokenizer(tokenizer: Any) -> str:
    """Return all that the tokens of a prompt depend on, the same in every process.

    Parameters
    ----------
    tokenizer
        One of transformers', whether its rules are in Rust or in Python.
    """
    rules = getattr(tokenizer, "backend_tokenizer", None)
    words = sorted(tokenizer.get_vocab().items()) if rules is None else rules.to_str()
    settings = tokenizer.model_max_length, tokenizer.padding_side, tokenizer.truncation_side
    return f"{type(tokenizer).__name__} {settings} {tokenizer.all_special_tokens} {words}"
