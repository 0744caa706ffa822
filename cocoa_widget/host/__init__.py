"""The kernel's end of the wire: messages, traits, and answers to the page."""

from .binned import BinnedWidget
from .built_page import page_file
from .catalogue import Choices
from .naming import default_name
from .page import Page
from .prompts import Prompts
from .subshells import stay_in_subshell
from .traits import (
    BaselineTrait,
    Bool,
    CheckedString,
    Enum,
    Fraction,
    Int,
    MethodTrait,
    baseline_name,
)

__all__ = [
    "BaselineTrait",
    "BinnedWidget",
    "Bool",
    "CheckedString",
    "Choices",
    "Enum",
    "Fraction",
    "Int",
    "MethodTrait",
    "Page",
    "Prompts",
    "baseline_name",
    "default_name",
    "page_file",
    "stay_in_subshell",
]
