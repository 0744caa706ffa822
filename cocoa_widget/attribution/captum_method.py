"""Attributions of Captum as methods."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from .batches import ScoreModule
from .method import DirectMethod
from .resample import distribute


class CaptumMethod(DirectMethod):
    """An attribution of Captum (Kokhlikyan et al., 2020), with the score as its forward function.

    Channels are summed; a layer's attribution is distributed over the pixels.

    Parameters
    ----------
    cls : callable
        A class of ``captum.attr``. For a class that needs more than the forward function (a `torch.nn.Module`), a
        function that makes the attribution: ``lambda score: LayerGradCam(score, score.encoder.layer4)``.
        `score.encoder` is the copy of the encoder's module that runs; a layer of the module itself is replaced by the
        copy's.
    **kwargs
        Arguments of ``attribute``. If it takes `baselines` and they are not given here, it gets the explicand's
        baseline.

    Examples
    --------
    >>> CaptumMethod(captum.attr.DeepLift)  # doctest: +SKIP
    >>> CaptumMethod(captum.attr.Occlusion, sliding_window_shapes=(3, 16, 16))  # doctest: +SKIP
    """

    name: ClassVar[str] = "captum"
    label: ClassVar[str] = "Captum"
    hint: ClassVar[str] = "An attribution of Captum's; every change of the bins runs it anew"

    def __init__(self, cls: Callable[..., Any], **kwargs: Any) -> None:
        if not callable(cls):
            raise TypeError(f"CaptumMethod takes a class of captum.attr, not {cls!r}.")
        self._cls, self._kwargs = cls, kwargs
        called = getattr(cls, "__name__", "attribution")
        # Set on the instance, so that two of Captum's methods are two entries in the menu.
        self.name = f"captum.{called}"  # type: ignore[misc]
        self.label = f"Captum {called}"  # type: ignore[misc]
        kinds = {kind.__name__ for kind in getattr(cls, "__mro__", ())}
        self.pixelwise = "GradientAttribution" in kinds and "LayerAttribution" not in kinds  # type: ignore[misc]

    def __repr__(self) -> str:
        return f"CaptumMethod({self.name.removeprefix('captum.')}, {self._kwargs})"

    def explain(self, score: Callable[[Tensor], Tensor], explicand: Tensor, baseline: Tensor) -> Tensor:
        attribution = self._cls(score)
        if isinstance(score, ScoreModule):
            _redirect(attribution, score)
        settings = dict(self._kwargs)
        if "baselines" in inspect.signature(attribution.attribute).parameters:
            settings.setdefault("baselines", baseline[None])
        found = attribution.attribute(explicand[None].requires_grad_(), **settings)
        if isinstance(found, tuple):  # with a convergence delta, or one attribution for each input
            found = found[0]
        maps = torch.as_tensor(found).detach().float()
        if maps.ndim != 4:
            raise ValueError(
                f"{self.label} returned an attribution of the shape {tuple(maps.shape)}; a heatmap needs (1, c, h, w)."
            )
        summed = maps[0].sum(0)
        full = explicand.shape[-2], explicand.shape[-1]
        return summed if summed.shape == full else distribute(summed, full, None)


def _redirect(attribution: Any, score: ScoreModule, depth: int = 2) -> None:
    """Replace the layers of the user's module that an attribution holds by those of the copy that runs."""
    for name, value in list(getattr(attribution, "__dict__", {}).items()):
        if isinstance(value, nn.Module):
            if (found := score.counterpart(value)) is not value:
                setattr(attribution, name, found)
        elif isinstance(value, list) and any(isinstance(each, nn.Module) for each in value):
            value[:] = [score.counterpart(each) if isinstance(each, nn.Module) else each for each in value]
        elif depth and type(value).__module__.startswith("captum."):
            _redirect(value, score, depth - 1)
