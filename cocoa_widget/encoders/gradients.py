"""Differentiation of functions of the representations, while the module may be trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from .copying import ModuleCopy
from .errors import EncoderError, NoFeatureMap
from .frozen_normalisation import FrozenNormalisation
from .passes import Passes
from .probing.hooks import watching
from .probing.parts import find_part

Result = TypeVar("Result")

TRIES = 3
"""How often gradients are taken if the weights change meanwhile; the last time with weights that do not."""

LAST_MAP = "*"
"""Stands for the name of the last layer that gives a feature map."""


@dataclass(frozen=True)
class Gradients:
    """Result of one forward and backward pass, float32.

    `values` (B,) are the objective's, `points` (B, c, h, w) where it was differentiated (inputs, or a layer's output),
    and `gradients` its gradients there, in the same shape.
    """

    values: Tensor
    points: Tensor
    gradients: Tensor


class Attached:
    """The function from inputs (B, 3, H, W) to representations (B, d) that autograd can follow.

    Attributes
    ----------
    module : torch.nn.Module
        What runs: a copy of the encoder's module that shares its weights, so hooks belong on parts of this one.
    """

    def __init__(self, copy: ModuleCopy, represent: Callable[[Tensor], Tensor]) -> None:
        self.module = copy.module
        self.counterpart = copy.counterpart
        self._represent = represent

    def __call__(self, inputs: Tensor) -> Tensor:
        """Compute representations."""
        return self._represent(inputs)


class Differentiator:
    """Differentiate functions of an encoder's representations.

    Parameters
    ----------
    passes : Passes
        Runs the module; its lock is held from the forward to the backward pass.
    """

    def __init__(self, passes: Passes) -> None:
        self._passes, self._settings = passes, passes.settings

    def gradients(self, inputs: Tensor, objective: Callable[[Tensor], Tensor], layer: str | None) -> Gradients:
        """Differentiate a function of the representations; see `Encoder.gradients`."""
        if layer == LAST_MAP:
            layer = self._passes.last_map
            if layer is None:
                raise NoFeatureMap(f"Encoder {self._settings.name!r} has no layer that gives a feature map.")
        return self.differentiate(lambda represent: self._gradients(represent, inputs, objective, layer))

    def differentiate(self, work: Callable[[Attached], Result]) -> Result:
        """Return the result of `work`, which is called again if the weights change; see `Encoder.differentiate`."""
        for _ in range(TRIES - 1):
            try:
                with self.attached() as represent:
                    return work(represent)
            except RuntimeError as error:
                if not _overwritten(error.__cause__ or error):
                    raise
        with self.attached(private=True) as represent:
            return work(represent)

    @contextmanager
    def attached(self, *, private: bool = False) -> Iterator[Attached]:
        """Give the function from inputs to representations that autograd can follow; see `Encoder.attached`."""
        passes = self._passes
        if not passes.differentiable:
            raise EncoderError(
                f"Encoder {self._settings.name!r} is a function without gradients. Choose a method that needs none,"
                " such as 'rise', 'occlusion' or 'kernel_shap'."
            )

        with passes.lock, torch.inference_mode(False), torch.enable_grad():
            copy = passes.twin.private() if private else passes.twin.current()

            def represent(inputs: Tensor) -> Tensor:
                # A clone, so that a module may begin with an in-place operation.
                with FrozenNormalisation():
                    output = passes.call(copy.module, inputs.clone(), torch.float32)
                    return passes.reader.representations(output, len(inputs))

            yield Attached(copy, represent)

    def _gradients(
        self, represent: Attached, inputs: Tensor, objective: Callable[[Tensor], Tensor], layer: str | None
    ) -> Gradients:
        leaf = points = inputs.detach().clone().requires_grad_()
        if layer is None:
            values = objective(represent(leaf))
        else:
            hook = find_part(represent.module, layer, self._settings.name).register_forward_hook
            with watching(hook, lambda _, __, output: output) as watched:
                values = objective(represent(leaf))
            points = self._map(watched, layer)
        try:
            (gradient,) = torch.autograd.grad(values.sum(), points)
        except RuntimeError as error:
            raise EncoderError(
                f"Encoder {self._settings.name!r} cannot be differentiated ({error}). Choose a method that needs no"
                " gradients, such as 'rise'."
            ) from error
        return Gradients(values.detach().float(), points.detach().float(), gradient.float())

    def _map(self, kept: list[Tensor], layer: str) -> Tensor:
        if not kept or not isinstance(kept[-1], Tensor) or kept[-1].ndim != 4:
            shape = "nothing" if not kept else str(tuple(getattr(kept[-1], "shape", ())))
            raise NoFeatureMap(
                f"Layer {layer!r} of encoder {self._settings.name!r} gives no feature map (B, c, h, w) but {shape}:"
                " choose another layer."
            )
        return kept[-1]


def _overwritten(error: BaseException) -> bool:
    """Return whether an optimiser may have changed weights between a forward and its backward pass."""
    return "modified by an inplace operation" in str(error)
