"""The end of the wire that lies in the kernel: messages, traits, and what the page asks for."""

from .changes import OrderedWidget
from .naming import default_name
from .page import Page
from .subshells import stay_in_subshell
from .traits import (
    BaselineTrait,
    BinTrait,
    Bool,
    CentredTrait,
    CheckedString,
    Enum,
    Fraction,
    Int,
    MethodTrait,
    baseline_name,
)

__all__ = [
    "BaselineTrait",
    "BinTrait",
    "Bool",
    "CentredTrait",
    "CheckedString",
    "Enum",
    "Fraction",
    "Int",
    "MethodTrait",
    "OrderedWidget",
    "Page",
    "baseline_name",
    "default_name",
    "stay_in_subshell",
]
