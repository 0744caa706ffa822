"""Baselines: what replaces the parts of an explicand that a method removes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Protocol, cast, runtime_checkable

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from ..encoders import Encoder


class Baseline(Protocol):
    """A function from preprocessed explicands (n, 3, H, W) to what replaces their removed parts, in the same shape."""

    def __call__(self, explicands: Tensor) -> Tensor:
        """Return the baselines (n, 3, H, W) of explicands (n, 3, H, W)."""
        ...


@runtime_checkable
class _NeedsEncoder(Protocol):
    """A baseline that is given as a colour or an image, which an encoder has to preprocess."""

    def for_encoder(self, encoder: Encoder) -> Baseline: ...


@dataclass(frozen=True)
class Blur:
    """The explicand itself, blurred by a Gaussian: the baseline of Lin et al. (ICLR 2023).

    Parameters
    ----------
    kernel_size : int
        Side of the kernel in pixels, odd.
    sigma : float
        Standard deviation in pixels.
    """

    kernel_size: int = 21
    sigma: float = 5.0

    name: ClassVar[str] = "blur"
    label: ClassVar[str] = "Blur"
    hint: ClassVar[str] = "Removed parts are blurred (the paper's)"

    def __post_init__(self) -> None:
        if self.kernel_size < 1 or self.kernel_size % 2 == 0:
            raise ValueError(f"Blur needs an odd kernel_size of at least 1, not {self.kernel_size}.")
        if self.sigma <= 0:
            raise ValueError(f"Blur needs a positive sigma, not {self.sigma}.")

    def __call__(self, explicands: Tensor) -> Tensor:
        """Return the blurred explicands (n, 3, H, W)."""
        half = self.kernel_size // 2
        offsets = torch.arange(-half, half + 1, device=explicands.device, dtype=explicands.dtype)
        kernel = torch.exp(-0.5 * (offsets / self.sigma) ** 2)
        kernel = (kernel / kernel.sum()).expand(explicands.shape[1], 1, 1, -1)
        # An image cannot be reflected by more than its own size: tiny ones repeat their border.
        mode = "reflect" if half < min(explicands.shape[-2:]) else "replicate"
        channels = explicands.shape[1]
        rows = F.conv2d(F.pad(explicands, (half, half, 0, 0), mode), kernel, groups=channels)
        return F.conv2d(F.pad(rows, (0, 0, half, half), mode), kernel.transpose(2, 3), groups=channels)


@dataclass(frozen=True)
class Constant:
    """One colour everywhere.

    Parameters
    ----------
    colour : (int, int, int)
        Red, green and blue, 0 to 255, before the encoder's preprocessing; black by default.
    """

    colour: tuple[int, int, int] = (0, 0, 0)

    name: ClassVar[str] = "constant"
    label: ClassVar[str] = "Black"
    hint: ClassVar[str] = "Removed parts are one colour"

    def __post_init__(self) -> None:
        if len(self.colour) != 3 or not all(0 <= value <= 255 for value in self.colour):
            raise ValueError(f"Constant needs a colour of three values from 0 to 255, not {self.colour}.")

    def for_encoder(self, encoder: Encoder) -> Baseline:
        """Return the colour as the encoder sees it."""
        return _Fixed(self, encoder.stack([Image.new("RGB", (320, 320), self.colour)]).mean((2, 3), keepdim=True))

    def __call__(self, explicands: Tensor) -> Tensor:
        """Raise `TypeError`: the values of the colour are unknown until an encoder has preprocessed it."""
        raise TypeError(_UNBOUND.format(type(self).__name__))


@dataclass(frozen=True)
class MeanColour:
    """The explicand's own mean colour everywhere."""

    name: ClassVar[str] = "mean_colour"
    label: ClassVar[str] = "Mean colour"
    hint: ClassVar[str] = "Removed parts have the image's mean colour"

    def __call__(self, explicands: Tensor) -> Tensor:
        """Return the mean colours in the shape of the explicands."""
        return explicands.mean((2, 3), keepdim=True).expand_as(explicands).clone()


@dataclass(frozen=True)
class Noise:
    """Independent Gaussian noise with the explicand's own mean and standard deviation in each channel.

    Parameters
    ----------
    seed : int
        Same seed, same noise, for every explicand.
    """

    seed: int = 0

    name: ClassVar[str] = "noise"
    label: ClassVar[str] = "Noise"
    hint: ClassVar[str] = "Removed parts are noise with the image's colours"

    def __call__(self, explicands: Tensor) -> Tensor:
        """Return noise in the shape of the explicands."""
        generator = torch.Generator().manual_seed(self.seed)
        noise = torch.randn(explicands.shape[1:], generator=generator).to(explicands)
        return explicands.mean((2, 3), keepdim=True) + explicands.std((2, 3), keepdim=True) * noise


@dataclass(frozen=True, eq=False)
class OtherImage:
    """Another image, so that a heatmap shows what the explicand has and the other image lacks.

    Parameters
    ----------
    image : str, Path, PIL image, array or tensor
        One image, in any form that `ImageSet` takes.
    """

    image: Any

    name: ClassVar[str] = "image"
    label: ClassVar[str] = "Another image"
    hint: ClassVar[str] = "Removed parts show another image"

    def for_encoder(self, encoder: Encoder) -> Baseline:
        """Return the image as the encoder sees it."""
        single = self.image if isinstance(self.image, Tensor) else [self.image]
        inputs = encoder.inputs(single)
        if len(inputs) != 1:
            raise ValueError(f"OtherImage takes one image, not {len(inputs)}.")
        return _Fixed(self, inputs)

    def __call__(self, explicands: Tensor) -> Tensor:
        """Raise `TypeError`: the values of the image are unknown until an encoder has preprocessed it."""
        raise TypeError(_UNBOUND.format(type(self).__name__))


_UNBOUND = (
    "{0} is given in pixels, which an encoder has to preprocess: pass it to an Explainer or a widget, or call"
    " {0}(…).for_encoder(encoder) first."
)


class _Fixed:
    """The same pixels, (1, 3, H, W) or one colour (1, 3, 1, 1), for every explicand."""

    def __init__(self, origin: Constant | OtherImage, pixels: Tensor) -> None:
        self.name, self.label, self.hint = origin.name, origin.label, origin.hint
        self._pixels = pixels
        self._digest = hashlib.blake2b(pixels.cpu().contiguous().numpy().tobytes()).digest()

    def __call__(self, explicands: Tensor) -> Tensor:
        if self._pixels.shape[-2:] != (1, 1) and self._pixels.shape[-2:] != explicands.shape[-2:]:
            raise ValueError(
                f"After preprocessing, the other image has {tuple(self._pixels.shape[-2:])} pixels and the explicand"
                f" {tuple(explicands.shape[-2:])}: give an image that has the explicand's size."
            )
        return self._pixels.to(explicands).expand_as(explicands).clone()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Fixed) and self._digest == other._digest

    def __hash__(self) -> int:
        return hash(self._digest)


BASELINES: dict[str, Any] = {baseline.name: baseline for baseline in (Blur, MeanColour, Constant, Noise)}
"""The baselines that need no settings, by name, in the order of the page's menu."""


def as_baseline(baseline: str | Baseline | None, encoder: Encoder) -> Baseline:
    """Return the baseline of that name, or the object itself, ready for an encoder; `Blur()` for None.

    Raises
    ------
    ValueError
        There is no baseline of that name.
    TypeError
        `baseline` is neither a name nor callable.
    """
    if baseline is None:
        return Blur()
    if isinstance(baseline, str):
        if baseline not in BASELINES:
            raise ValueError(
                f"Unknown baseline {baseline!r}: choose one of {', '.join(BASELINES)}, or give a function from"
                " explicands (n, 3, H, W) to what replaces them."
            )
        baseline = cast(Callable[[], Baseline], BASELINES[baseline])()
    if isinstance(baseline, _NeedsEncoder):
        return baseline.for_encoder(encoder)
    if not callable(baseline):
        raise TypeError(
            f"baseline must be a name or a function from explicands (n, 3, H, W) to what replaces them, not"
            f" {type(baseline).__name__}."
        )
    try:
        hash(baseline)  # operators are stored by their baseline
    except TypeError:
        return partial(baseline)
    return baseline


def baselines_of(baseline: Baseline, explicands: Tensor) -> Tensor:
    """Return the baselines (n, 3, H, W) of explicands (n, 3, H, W).

    Raises
    ------
    ValueError
        A user's function returned another shape, or no tensor.
    """
    found = baseline(explicands)
    if not isinstance(found, Tensor) or found.shape != explicands.shape:
        shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise ValueError(f"The baseline must return a tensor of the shape {tuple(explicands.shape)}, not {shape}.")
    return found.to(explicands)
