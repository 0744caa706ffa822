"""Members of the bins as users write them: prompts, and ids in any spelling."""

from __future__ import annotations

from collections.abc import Iterable

from ..texts import is_text, prompt_of, text_id


def as_members(prompts: Iterable[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the ids of prompts; and the prompts that are refused, each with the reason."""
    ids, refused = [], []
    for prompt in prompts:
        try:
            ids.append(text_id(prompt))
        except ValueError as error:
            refused.append((prompt, str(error)))
    return ids, refused


def spelt(members: Iterable[str]) -> list[str]:
    """Return members with each prompt in the one spelling that its id has.

    Raises
    ------
    ValueError
        A prompt is empty.
    """
    return [text_id(prompt_of(member)) if is_text(member) else member for member in members]
