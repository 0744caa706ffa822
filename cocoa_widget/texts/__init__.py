"""Prompts: their ids, templates around them, and lists of class names."""

from .class_names import CLASS_NAMES, ClassNames, class_names
from .templates import AS_TYPED, TEMPLATES, Template, fill, sentences
from .texts import PREFIX, Texts, is_text, named, prompt_of, shown, text_id, unread

__all__ = [
    "AS_TYPED",
    "CLASS_NAMES",
    "PREFIX",
    "TEMPLATES",
    "ClassNames",
    "Template",
    "Texts",
    "class_names",
    "fill",
    "is_text",
    "named",
    "prompt_of",
    "sentences",
    "shown",
    "text_id",
    "unread",
]
