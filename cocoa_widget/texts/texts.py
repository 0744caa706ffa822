"""Prompts as members of the bins, together with images."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .templates import AS_TYPED, sentences

PREFIX = "text:"
"""The beginning of a prompt's id; the rest is the prompt itself."""


@dataclass(frozen=True, init=False)
class Texts:
    """Prompts as a corpus or a foil, or a part of one.

    Parameters
    ----------
    prompts : str or iterable of str
    template : str
        See `Encoder.encode_text`.

    Examples
    --------
    >>> explainer.explain("photos/", corpus=Texts("a dog"), foil=Texts(class_names("cifar100")))  # doctest: +SKIP
    """

    prompts: tuple[str, ...]
    template: str

    def __init__(self, prompts: str | Iterable[str], template: str = AS_TYPED) -> None:
        sentences(template)  # raises for a wrong one
        object.__setattr__(self, "prompts", (prompts,) if isinstance(prompts, str) else tuple(prompts))
        object.__setattr__(self, "template", template)

    def __len__(self) -> int:
        return len(self.prompts)


def is_text(member: str) -> bool:
    """Return whether the id of a bin's member is that of a prompt."""
    return member.startswith(PREFIX)


def text_id(prompt: str) -> str:
    """Return the id of a prompt, in which each run of white space becomes one space.

    Raises
    ------
    ValueError
        The prompt is empty.
    """
    if not isinstance(prompt, str):
        raise TypeError(f"A prompt is a string, not a {type(prompt).__name__}.")
    # Half of a surrogate pair, which is left if JavaScript cuts a string, cannot be encoded as UTF-8.
    whole = prompt.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    words = " ".join(whole.split())
    if not words:
        raise ValueError("A prompt is empty: describe in a few words what is meant.")
    return PREFIX + words


def prompt_of(member: str) -> str:
    """Return the prompt with an id."""
    return member.removeprefix(PREFIX)


def shown(member: str, longest: int = 40) -> str:
    """Return a member's name in messages: an image's id, or a prompt in quotes, cut to `longest` characters."""
    if not is_text(member):
        return member
    prompt = prompt_of(member)
    return f"“{prompt if len(prompt) <= longest else prompt[: longest - 1] + '…'}”"


def unread(prompts: Sequence[str], context: int | None) -> str:
    """Return the warning that prompts are longer than the context of a text tower."""
    room = f"{context} tokens" if context else "a part"
    return f"The encoder reads {room} of a prompt; the end of {named([*map(text_id, prompts)])} is not read."


def named(members: Sequence[str]) -> str:
    """Return the names of up to three members, and how many more there are."""
    more = f" and {len(members) - 3} more" if len(members) > 3 else ""
    return ", ".join(shown(member) for member in members[:3]) + more
