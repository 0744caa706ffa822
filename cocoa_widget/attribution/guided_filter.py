"""The guided filter, the last step of heatmaps that follow the edges of what they lie on."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import lru_cache

import torch
from PIL import Image
from torch import Tensor

from ..contrast import LinearScore, Score
from ..encoders import Encoder
from .method import Operator
from .outer_operator import OuterOperator
from .resample import Size, enlarge, shrink, smaller
from .spread import Spread
from .stored import StoredOperator

SIDE = 112
"""Longer side in pixels at which heatmaps are filtered; they are enlarged afterwards."""
RADIUS = 10 / SIDE
"""Half the window's side, as a share of the guide's longer side."""
EPSILON = 3e-4
"""Variance of the guide's colours, 0 to 1, from which on an edge is kept."""
TOGETHER = 4
"""Maps that are filtered at once: what is computed of more of them leaves the processor's caches."""


class GuidedFilter:
    """The guided filter (He, Sun & Tang, ECCV 2010) with a colour picture as its guide.

    In each window of (2 · radius + 1)² pixels, cut at the border, a map is fitted by an affine function of the guide's
    colours; a pixel's result is the mean of what the windows over it say. So the result has edges only where the guide
    has some. It is linear in the map, and keeps constant maps, but not a map's sum. Where the guide is constant, it is
    the mean over windows twice.

    The guide is rounded to 8 bits, in which the page gets it: both must filter with the same guide.

    Parameters
    ----------
    guide : Tensor
        (c, h, w), in 0..1, float32.
    radius : int
        In pixels.
    epsilon : float
        Variance of colours from which on an edge is kept.

    Attributes
    ----------
    pixels : Tensor
        (c, h, w), uint8: the guide, on the CPU.
    guide : Tensor
        (c, h, w), without the mean of each colour.
    radius, epsilon
        See above.
    """

    def __init__(self, guide: Tensor, radius: int, epsilon: float = EPSILON) -> None:
        self.radius, self.epsilon = radius, epsilon
        self.pixels = (255 * guide).round().to("cpu", torch.uint8)
        guide = self.pixels.to(guide.device).float() / 255
        # The result does not depend on an offset of the guide; without one, less is lost in differences of means.
        self.guide = guide - guide.mean((1, 2), keepdim=True)
        self._rows, self._columns = (window_means(length, radius, guide.device) for length in guide.shape[1:])
        self._mean = self._means(self.guide)
        precise = self.guide.cpu().double()  # not every device has doubles
        rows, columns = self._rows.cpu().double(), self._columns.cpu().double()
        mean = rows @ precise @ columns.T
        covariance = rows @ (precise[:, None] * precise) @ columns.T - mean[:, None] * mean
        covariance.diagonal(dim1=0, dim2=1).add_(epsilon)
        inverse = torch.linalg.inv(covariance.permute(2, 3, 0, 1)).permute(2, 3, 0, 1)
        self._inverse = inverse.to(self.guide).contiguous()

    @property
    def size(self) -> Size:
        """Height and width of the guide, and of the maps that can be filtered."""
        return self.guide.shape[1], self.guide.shape[2]

    @property
    def nbytes(self) -> int:
        """Memory that the filter holds, in bytes, without what all filters of a size share."""
        return sum(t.numel() * t.element_size() for t in (self.pixels, self.guide, self._mean, self._inverse))

    def apply(self, maps: Tensor) -> Tensor:
        """Filter maps (…, h, w)."""
        parts = torch.split(maps.reshape(-1, *self.size), TOGETHER)
        return torch.cat([self._apply(part) for part in parts]).reshape(maps.shape)

    def _apply(self, maps: Tensor) -> Tensor:
        """Filter maps (k, h, w)."""
        mean = self._means(maps)
        covariance = self._means(self.guide * maps[:, None]) - self._mean * mean[:, None]
        slopes = (self._inverse * covariance[:, None]).sum(2)
        offsets = mean - (slopes * self._mean).sum(1)
        return (self._means(slopes) * self.guide).sum(1) + self._means(offsets)

    def _means(self, maps: Tensor) -> Tensor:
        return self._rows @ maps @ self._columns.T


@lru_cache(maxsize=64)
@torch.inference_mode(False)  # cached: the first caller's mode must not decide what later callers can do with it
def window_means(length: int, radius: int, device: torch.device) -> Tensor:
    """Return the matrix (length, length) of means over windows, which are cut at the ends; its rows sum to 1."""
    pixels = torch.arange(length, device=device)
    near = ((pixels[:, None] - pixels).abs() <= radius).float()
    return near / near.sum(1, keepdim=True)


@dataclass(frozen=True, eq=False)
class GuidedSpread(Spread):
    """A spread that ends with a guided filter.

    Attributes
    ----------
    inner : Spread
        What comes before the filter, at the size of the guide.
    guided : GuidedFilter
        Of one explicand.
    """

    inner: Spread
    guided: GuidedFilter

    @property
    def k(self) -> int:  # type: ignore[override]
        """How many numbers the inner spread takes."""
        return self.inner.k

    @property
    def full(self) -> Size:  # type: ignore[override]
        """Height and width of the heatmap at the encoder's input size."""
        return self.inner.full

    def maps(self, values: Tensor, size: Size | None = None) -> Tensor:
        """Return the inner heatmaps, filtered at the guide's size and resized by `resize`."""
        return resize(self.guided.apply(self.inner.maps(values, self.guided.size)), self.full, size)


class GuidedOperator(OuterOperator):
    """An operator whose heatmaps end with a guided filter.

    It gives no standard errors: those of the unfiltered heatmap are not those of the filtered one.

    Parameters
    ----------
    inner : Operator
    guided : GuidedFilter
        Of the same explicand.
    full : (int, int)
        Height and width of the explicand.
    """

    def __init__(self, inner: Operator, guided: GuidedFilter, full: Size) -> None:
        self._inner, self._guided, self._full = inner, guided, full
        self.features, self.first_heatmap = inner.features, inner.first_heatmap
        self._follow()

    def _follow(self) -> None:
        self.total, self.done, self.weight = self._inner.total, self._inner.done, self._inner.weight

    @property
    def nbytes(self) -> int:
        return self._inner.nbytes + self._guided.nbytes

    @property
    def shortfall(self) -> str | None:
        return self._inner.shortfall

    @property
    def _next(self) -> Operator:
        return self._inner

    def apply(self, score: Score, size: Size | None = None) -> Tensor:
        return resize(self._guided.apply(self._inner.apply(score, self._guided.size)), self._full, size)

    @property
    def spread(self) -> GuidedSpread | None:
        """The spread of the operator within, filtered."""
        inner = self._inner.spread
        return None if inner is None else GuidedSpread(inner, self._guided)

    @property
    def grid(self) -> Size | None:
        """Grid of the operator within."""
        return self._inner.grid

    def supports(self, similarity: str) -> bool:
        return self._inner.supports(similarity)

    def keep_answers(self) -> None:
        self._inner.keep_answers()

    def without_answers(self) -> GuidedOperator:
        inner = self._inner.without_answers()
        if inner is self._inner:
            return self
        other = copy(self)
        other._inner = inner
        return other

    def coefficients_for(self, similarity: str) -> Tensor | None:
        return self._inner.coefficients_for(similarity)

    def values(self, score: LinearScore) -> Tensor | None:
        return self._inner.values(score)

    def stored(self) -> StoredOperator | None:
        inner = self._inner.stored()
        if inner is None:
            return None
        spread = GuidedSpread(inner.spread, self._guided)
        kept = {similarity: each.first(spread.k) for similarity, each in inner.kept.items()}
        return StoredOperator(kept, spread, None)


def resize(filtered: Tensor, full: Size, size: Size | None) -> Tensor:
    """Average filtered maps (…, h, w) down to `size`, or enlarge them bilinearly where it is larger than they are.

    The page averages in the same way, and leaves it to its canvases to enlarge. A `size` above `full` is `full`.
    """
    height, width = smaller(size, full)
    if height <= filtered.shape[-2] and width <= filtered.shape[-1]:
        return shrink(filtered, (height, width))
    return enlarge(filtered, full, size)


def edges_of(encoder: Encoder, explicand: Tensor) -> GuidedFilter:
    """Return the filter whose guide is an explicand (3, H, W), at most `SIDE` pixels on its longer side."""
    height, width = explicand.shape[-2:]
    longer = max(height, width)
    side = min(SIDE, longer)
    size = max(1, round(height * side / longer)), max(1, round(width * side / longer))
    return GuidedFilter(shrink(colours(encoder, explicand), size), max(1, round(RADIUS * side)))


def colours(encoder: Encoder, explicand: Tensor) -> Tensor:
    """Return an explicand's colours (3, H, W) in 0..1: what the encoder's preprocessing did to intensities is undone.

    Of a preprocessing that is not affine in the intensities, the explicand's own extremes become 0 and 1.
    """
    plain = encoder.stack([Image.new("RGB", (320, 320), grey) for grey in ("black", "white")])
    black, white = plain.flatten(2).median(2).values  # not the mean: there may be a frame around the picture
    span = white - black
    if not bool((span.abs() > 1e-6).all()):
        black, white = explicand.amin(), explicand.amax()
        span = (white - black).clamp(min=1e-6).expand(len(explicand))
        black = black.expand(len(explicand))
    found: Tensor = ((explicand - black[:, None, None]) / span[:, None, None]).clamp(0, 1)
    return found
