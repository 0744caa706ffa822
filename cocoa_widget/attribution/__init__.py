"""Attribution methods, one file per family; `method` says what one is, `run` runs the encoder for them."""

from .baseline import Baseline, Blur
from .cam import CAM, CAMOperator
from .integrated_gradients import IntegratedGradients
from .method import GradientMethod, LinearMethod, Method, Operator, Path, Preparation, Size
from .rise import RISE

METHODS: dict[str, type[Method]] = {method.name: method for method in (RISE, CAM, IntegratedGradients)}
"""The methods by name, in the order of the page's menu."""


def as_method(method: str | Method) -> Method:
    """Return a method by name with its default settings, or the method itself.

    Raises
    ------
    ValueError
        There is no method of that name.
    TypeError
        It is neither a name nor a method.
    """
    if isinstance(method, Method):
        return method
    if not isinstance(method, str):
        raise TypeError(f"method must be a name or a cocoa_widget method, not {type(method).__name__}.")
    if method not in METHODS:
        raise ValueError(f"Unknown method {method!r}: choose one of {', '.join(METHODS)}.")
    return METHODS[method]()


__all__ = [
    "CAM",
    "METHODS",
    "RISE",
    "Baseline",
    "Blur",
    "CAMOperator",
    "GradientMethod",
    "IntegratedGradients",
    "LinearMethod",
    "Method",
    "Operator",
    "Path",
    "Preparation",
    "Size",
    "as_method",
]
