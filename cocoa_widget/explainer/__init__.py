"""Explanations without a page: prepare explicands once, then explain them by any corpus and foil."""

from .explainer import Explainer, Explanation, Prepared

__all__ = ["Explainer", "Explanation", "Prepared"]
