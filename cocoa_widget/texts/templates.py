"""Templates for prompts: sentences like those that joint models were trained on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Template:
    """Sentences with a place ``{}`` for a prompt, which is represented by the mean of their unit representations."""

    label: str
    hint: str
    sentences: tuple[str, ...]


AS_TYPED = "none"

TEMPLATES: dict[str, Template] = {
    AS_TYPED: Template("As typed", "Nothing is put around a prompt", ("{}",)),
    "photo": Template(
        "This is a photo of a …", "The sentence of the paper, for names of things", ("This is a photo of a {}",)
    ),
    "ensemble": Template(
        "Several sentences",
        "The mean of eight sentences about a name, which says less about the wording",
        (
            "a photo of a {}",
            "a close-up of a {}",
            "a picture of the {}",
            "a bright photo of a {}",
            "a dark photo of the {}",
            "a cropped photo of a {}",
            "a photo of many {}",
            "there is a {} in the scene",
        ),
    ),
}


def sentences(template: str) -> tuple[str, ...]:
    """Return the sentences of a template by its name, or of one given as text with a place ``{}`` for the prompt.

    Raises
    ------
    ValueError
        The template is neither a name in `TEMPLATES` nor a text with exactly one place for the prompt.
    """
    if template in TEMPLATES:
        return TEMPLATES[template].sentences
    if template.count("{}") != 1:
        raise ValueError(
            f"Template {template!r} must have one {{}} where the prompt goes, as in 'a photo of a {{}}', or be one of"
            f" {', '.join(TEMPLATES)}."
        )
    return (template,)


def fill(template: str, prompt: str) -> list[str]:
    """Put a prompt into each sentence of a template; braces in the prompt stay as they are."""
    return [sentence.replace("{}", prompt) for sentence in sentences(template)]
