"""Sharp CAM: the final feature maps of the enlarged explicand, projected on the direction."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from ..contrast import LinearScore, Score
from ..encoders import Encoded, Encoder, EncoderError, FeatureKind, NoFeatureMap
from .cam import CAM, summands
from .compact import Compact
from .method import LinearMethod, Operator
from .refinement import RefinedOperator
from .resample import Size, resampling
from .rise import RISE
from .spread import SeparableSpread, bilinear
from .stored import StoredOperator

LARGEST = 896 * 896
"""Most pixels of an enlarged explicand: a pass takes time and memory in proportion to them."""


class SharpCAMOperator(Operator):
    """The mean of one explicand's feature maps at several sizes, each resized to one grid of cells, less its own mean.

    The first pass is at the explicand's own size. It gives the representation, whose norm the cosine divides by, and
    the positions of the plain feature map, of which those of larger ones are multiples. Its map is what is known until
    the first larger one takes its place. From that pass on, the grid stays the same.

    Parameters
    ----------
    explicand : Tensor
        (3, H, W).
    scales : tuple of float
        Multiples of the explicand's size, each greater than the one before it.
    cells : int
        Most cells along the longer side of the grid.
    features : FeatureKind
        A kind of feature maps whose mean over positions is the representation.
    """

    def __init__(
        self, explicand: Tensor, scales: tuple[float, ...], cells: int, features: FeatureKind = "pooled"
    ) -> None:
        self.features = features
        self._explicand: Tensor | None = explicand
        self._full: Size = (explicand.shape[-2], explicand.shape[-1])
        self._scales, self._most = scales, cells  # scales that are left
        self._plain = torch.empty(0)  # the representation (d,) at the explicand's own size
        self._positions: Size = (1, 1)  # of the feature map at that size
        self._grid: Size = (1, 1)
        # The sum (d, cells) of feature maps and their number, and once they are complete, the coefficients for the dot
        # product. Replaced as a whole, because another thread may be reading.
        self._known: tuple[Tensor, int] | Compact = torch.empty(0, 1), 1
        self._shortfall: str | None = None
        self.total = 1 + sum(map(_passes, scales))

    @property
    def nbytes(self) -> int:
        known = self._known
        held = [self._plain, known if isinstance(known, Compact) else known[0]]
        return sum(part.nbytes for part in (held if self._explicand is None else [*held, self._explicand]))

    @property
    def shortfall(self) -> str | None:
        return self._shortfall

    def inputs(self, count: int) -> Tensor:
        if self._explicand is None:
            raise RuntimeError("This operator is complete: it has no inputs left.")
        plain = self._explicand[None]
        return plain if self.done == 0 else F.interpolate(plain, self._size(), mode="bicubic", align_corners=False)

    def accept(self, encoded: Encoded) -> None:
        assert encoded.features is not None
        features = encoded.features[0]
        if self.done == 0:
            self._plain = encoded.representations[0].clone()
            self._positions = features.shape[1], features.shape[2]
            scales = tuple(scale for scale in self._scales if self._at(scale) != self._positions)
            self._grid = self._cells(scales[-1] if scales else 1)
            self._known = self._resized(features), 1
            self._go_on(1, scales)
        elif (features.shape[1], features.shape[2]) == self._positions:
            self._stop("its feature map stays the same")
        else:
            assert not isinstance(self._known, Compact)
            total, count = self._known
            cells = self._resized(features)
            self._known = (cells, 1) if self.done == 1 else (total + cells, count + 1)
            self._go_on(_passes(self._scales[0]), self._scales[1:])

    def _resized(self, features: Tensor) -> Tensor:
        """Resize a feature map (d, h, w) to the grid, less its mean: (d, cells)."""
        rows, columns = (
            resampling(many, few, features.device) for many, few in zip(features.shape[1:], self._grid, strict=True)
        )
        cells = (rows @ features @ columns.T).flatten(1)
        return cells - cells.mean(1, keepdim=True)

    def do_without(self, reason: Exception) -> bool:
        if self.done == 0:
            return False
        self._stop(str(reason))
        return True

    def _go_on(self, passes: int, scales: tuple[float, ...]) -> None:
        """Count the last pass, and go on with `scales`."""
        self.done += passes
        self._scales = scales
        self.total = self.done + sum(map(_passes, scales))
        if scales:
            self.weight = _passes(scales[0])
        else:
            self._known = Compact.of(self.coefficients_for("dot").contiguous())  # as in a file: products are the same
            self._explicand = None

    def _stop(self, reason: str) -> None:
        height, width = self._size()
        self._shortfall = f"No sharper heatmap, as the encoder cannot use inputs of {height} × {width} pixels: {reason}"
        self._go_on(0, ())

    def _at(self, scale: float) -> Size:
        """Return the positions of the feature map at a scale; whole ones make inputs multiples of the stride."""
        rows, columns = self._positions
        return max(1, round(scale * rows)), max(1, round(scale * columns))

    def _size(self) -> Size:
        """Return height and width in pixels of the next enlarged explicand."""
        wanted = zip(self._full, self._at(self._scales[0]), self._positions, strict=True)
        height, width = (round(length * many / plain) for length, many, plain in wanted)
        return height, width

    def _cells(self, scale: float) -> Size:
        """Return the rows and columns of cells: the positions at a scale, at most `cells` of them a side."""
        rows, columns = self._at(scale)
        share = min(1, self._most / max(rows, columns))
        return max(1, round(rows * share)), max(1, round(columns * share))

    def apply(self, score: Score, size: Size | None = None) -> Tensor:
        linear = score if isinstance(score, LinearScore) else LinearScore(score.slopes(self._plain), "dot")
        return self.spread.maps(self.values(linear), size)

    @property
    def spread(self) -> SeparableSpread:
        """The bilinear map from cells to pixels."""
        return bilinear(self._grid, self._full, self._plain.device)

    @property
    def grid(self) -> Size:
        """Rows and columns of cells."""
        return self._grid

    def coefficients_for(self, similarity: str) -> Tensor:
        """Return what sets each cell of the enlarged explicands apart from their mean, (cells, d)."""
        known = self._known
        if isinstance(known, Compact):
            return known.divided(self._norm(similarity)).matrix()
        cells, count = known
        share: Tensor = cells.T / (count * cells.shape[1] * self._norm(similarity))
        return share

    def values(self, score: LinearScore) -> Tensor:
        known, norm = self._known, self._norm(score.similarity)
        if isinstance(known, Compact):
            return known.divided(norm).product(score.directions)
        cells, count = known
        # Divided last: the cells are many, and their products with a direction few.
        products: Tensor = score.directions @ cells / (count * cells.shape[1] * norm)
        return products

    def stored(self) -> StoredOperator | None:
        known = self._known
        if not isinstance(known, Compact):
            return None
        kept = {similarity: known.divided(self._norm(similarity)) for similarity in ("cosine", "dot")}
        return StoredOperator(kept, self.spread, None)

    def _norm(self, similarity: str) -> float:
        """Return what products with the representation are divided by."""
        return 1.0 if similarity == "dot" else max(float(self._plain.norm()), 1e-12)


def _passes(scale: float) -> int:
    """Return how many passes a pass at a scale costs as much as."""
    return max(1, round(scale**2))


@dataclass(frozen=True)
class SharpCAM(LinearMethod):
    """CAM of the enlarged explicand at several sizes, with its edges: the most precise method on where objects are.

    The explicand is enlarged bicubically to each scale and encoded. The final feature maps are resized bilinearly to
    one grid of cells, averaged, and projected on the direction. Each position of a feature map sees a part of the input
    of a fixed number of pixels, and so a smaller part of an enlarged explicand. The pass at the explicand's own size
    comes first, and its feature map, which is CAM's, is what heatmaps show until the first enlarged one.

    Enlarged explicands have other representations than the explicand itself, so a heatmap does not sum to gamma. Its
    zero is the mean of the explicand's cells: before the guided filter, the sum is 0. Their products with the direction
    have no better zero, as they are often positive everywhere: all parts of photographs are somewhat alike.

    The heatmap says where what is like the corpus lies; RISE says which pixels gamma depends on. Edges are those of
    the explicand: a heatmap ends at them even where the encoder is not as precise.

    An encoder whose feature map does not grow with its input keeps CAM's, and too little memory leaves the smaller
    scales; both are reported. Of a vision transformer, which has a fixed number of patches, it is CAM
    with that zero and with edges.

    Parameters
    ----------
    scales : tuple of float
        Multiples of the explicand's size, each greater than the one before. They are rounded to whole positions of the
        feature map, and limited to 896 × 896 pixels.
    cells : int
        Most cells along the longer side of the grid.
    masks : int
        Masks of a RISE heatmap that refines the heatmap: once its passes, which come last, are done, the mean of both
        is shown. 128 are enough; 0 for none.
    follow_edges : bool
        Whether heatmaps end with a guided filter; see `LinearMethod`.
    """

    scales: tuple[float, ...] = (1.43, 2, 3, 4)
    cells: int = 28
    masks: int = 0
    follow_edges: bool = True

    name: ClassVar[str] = "sharp"
    label: ClassVar[str] = "Sharp CAM"
    hint: ClassVar[str] = "Where objects are: CAM of the enlarged picture, with its edges; does not sum to the score"
    refusal: ClassVar[type[EncoderError]] = NoFeatureMap

    def __post_init__(self) -> None:
        if not self.scales or not all(a < b for a, b in pairwise((1, *self.scales))):
            raise ValueError(f"SharpCAM needs scales above 1 in ascending order, not {self.scales}.")
        if self.cells < 2:
            raise ValueError(f"SharpCAM needs at least 2 cells, not {self.cells}.")
        if self.masks < 0:
            raise ValueError(f"SharpCAM needs masks of at least 0, not {self.masks}.")

    def obstacle(self, encoder: Encoder) -> str | None:
        """Return why an encoder's representation is not known as a sum over positions; None if it is."""
        return CAM().obstacle(encoder)

    def start(self, explicand: Tensor, baseline: Tensor) -> Operator:
        height, width = explicand.shape[-2:]
        largest = sqrt(LARGEST / (height * width))
        scales = sorted({min(scale, largest) for scale in self.scales if min(scale, largest) > 1})
        return self._refined(SharpCAMOperator(explicand, tuple(scales), self.cells), explicand, baseline)

    def start_with(self, encoder: Encoder, explicand: Tensor, baseline: Tensor) -> Operator:
        if encoder.pooling is not None:
            return self.start(explicand, baseline)
        # A transformer has a position for each patch of the size that it was trained at, and no use for larger inputs.
        operator = SharpCAMOperator(explicand, (), self.cells, summands(encoder) or "pooled")
        return self._refined(operator, explicand, baseline)

    def _refined(self, operator: Operator, explicand: Tensor, baseline: Tensor) -> Operator:
        if self.masks == 0:
            return operator
        return RefinedOperator(operator, RISE(n_masks=self.masks).start(explicand, baseline))
