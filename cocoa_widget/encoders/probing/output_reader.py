"""From the output of a module to representations, with errors that name the way out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ..errors import EncoderError

LARGEST = 0.5 * math.sqrt(torch.finfo(torch.float32).max)
"""The length of a vector whose product with another of that length is a finite float32."""

Output = str | int | Callable[[Any], Tensor]


class OutputReader:
    """Read the outputs of one module.

    Parameters
    ----------
    name : str
        Name of the encoder, for errors.
    part : str, int, callable or None
        Which part of the output is the representation.
    exact : bool
        Whether the module runs in float32; if not, the precision may be why values are not finite.
    """

    def __init__(self, name: str, part: Output | None, exact: bool) -> None:
        self._name, self._part, self._exact = name, part, exact

    def select(self, output: Any) -> Tensor:
        """Return the part of the output that is the representation, or the map that is averaged to it."""
        if callable(self._part):
            output = self._part(output)
        elif self._part is not None:
            try:
                output = output[self._part]
            except (KeyError, IndexError, TypeError) as error:
                raise EncoderError(
                    f"Encoder {self._name!r} has no output {self._part!r}; it returns {_describe(output)}."
                ) from error
        if not isinstance(output, Tensor):
            raise EncoderError(
                f"Encoder {self._name!r} returns {_describe(output)}: choose the part that is the representation with"
                " Encoder(…, output=…)."
            )
        return output

    def representations(self, output: Any, count: int) -> Tensor:
        """Return the representations (count, d), float32."""
        return self.checked(self.select(output), count)

    def checked(self, tensor: Tensor, count: int) -> Tensor:
        """Return the representations (count, d) of a tensor that has been selected; a map (count, d, h, w) is averaged.

        Raises
        ------
        EncoderError
            The shape is wrong, or values are not finite or too large to be compared.
        """
        if tensor.ndim == 4:
            tensor = tensor.mean((2, 3), dtype=torch.float32)
        if tensor.ndim != 2 or tensor.shape[0] != count or tensor.shape[1] == 0:
            raise EncoderError(
                f"Encoder {self._name!r} returned the shape {tuple(tensor.shape)} for {count} images; it must return"
                f" ({count}, d) or ({count}, d, h, w). If it returns more than that, choose the part with"
                " Encoder(…, output=…)."
            )
        tensor = tensor.float()
        largest = float(tensor.detach().abs().amax()) if count else 0.0  # NaN where there is one
        if not math.isfinite(largest):
            raise EncoderError(
                f"Encoder {self._name!r} returned values that are not finite (NaN or infinity). Check its weights and"
                f" its preprocess{'' if self._exact else ', or try precision=' + repr('float32')}."
            )
        if largest > (limit := LARGEST / math.sqrt(tensor.shape[1])):
            raise EncoderError(
                f"Encoder {self._name!r} returned values of up to {largest:.0e}, too large to be compared: beyond"
                f" {limit:.0e} products of representations exceed float32. Check its weights, or scale its output:"
                f" Encoder(…, output=lambda out: out / {largest:.0e})."
            )
        return tensor


def _describe(output: Any) -> str:
    if isinstance(output, Mapping):
        return f"a dict with the keys {', '.join(map(repr, output))}"
    if isinstance(output, Sequence) and not isinstance(output, str):
        return f"a {type(output).__name__} of {len(output)}"
    return f"a {type(output).__name__}"
