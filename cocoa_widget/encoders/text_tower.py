"""Text towers of joint models, which map prompts into the space of the images' representations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from torch import Tensor


class TextTower(ABC):
    """The text tower of a joint model: it maps prompts into the space of the images' representations.

    Attributes
    ----------
    note : str
        Shown on the page; "" for a model's own text tower.
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
        """Return for each prompt whether it is longer than the context, so that its end is not read."""

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """Hash of all that a representation depends on, except for the prompt; cheap after the first time."""

    def prepare(self) -> bool:
        """Do about 50 ms of the work that comes before the first prompt; return whether all of it is done."""
        return True


def describe_tokenizer(tokenizer: Any) -> str:
    """Describe all that the tokens of a prompt depend on; the text is the same in every process.

    Parameters
    ----------
    tokenizer
        Of transformers; its rules may be in Rust or in Python.
    """
    rules = getattr(tokenizer, "backend_tokenizer", None)
    words = sorted(tokenizer.get_vocab().items()) if rules is None else rules.to_str()
    settings = tokenizer.model_max_length, tokenizer.padding_side, tokenizer.truncation_side
    return f"{type(tokenizer).__name__} {settings} {tokenizer.all_special_tokens} {words}"
