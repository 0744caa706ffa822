"""Explanations without a page: prepare explicands once, then explain them by any corpus and foil."""

from .explainer import Explainer
from .explanation import Explanation
from .prepared import Prepared

__all__ = ["Explainer", "Explanation", "Prepared"]
