"""Cells: the places of an image as directions, to show where other images look the same to the encoder."""

from __future__ import annotations

import weakref
from collections.abc import Collection
from dataclasses import dataclass
from math import isqrt

import torch
import torch.nn.functional as F
from torch import Tensor

from ..attribution import Operator, Size
from .operators import PREVIEW, OperatorStore
from .products import coefficients_now
from .question import Question
from .sent import FLOAT, SHARPER

CELL_PREFIX = "cell:"
"""Start of the ids of cells, which image ids therefore cannot have."""
CELLS_A_SIDE = 14
"""Most rows and columns of cells of one image; the means of neighbouring places are taken where a grid has more."""
CELL_BYTES = 1 << 18
"""Most bytes of one image's products with the cells of another: finer grids, with larger products, have fewer cells."""


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of one image.

    Attributes
    ----------
    ids : tuple of str
        Row by row: what the cells were made of, their rows and columns, and the image, as the page reads them.
    vectors : Tensor
        (cells, d), unit vectors.
    operator : weakref of Operator
    done : int
        Passes that the operator had taken.
    complete : bool
        Whether these were all.
    """

    ids: tuple[str, ...]
    vectors: Tensor
    operator: weakref.ref[Operator]
    done: int
    complete: bool

    def is_dull(self, operator: Operator) -> bool:
        """Return whether `operator` is another one, or so much sharper that all products are sent again for it."""
        if self.operator() is not operator:
            return True
        return not self.complete and (operator.complete or operator.done >= SHARPER * self.done)


class CellIndex:
    """The cells of the images at whose places the user points.

    A method whose coefficients are of places gives an image its cells. For other methods, CAM's feature map does.

    Parameters
    ----------
    store : OperatorStore

    Attributes
    ----------
    ids : frozenset of str
        Of all cells.
    """

    def __init__(self, store: OperatorStore) -> None:
        self._store = store
        self._similarity = ""
        self._known: dict[str, Cells] = {}
        self.ids: frozenset[str] = frozenset()

    def follow(self, question: Question, images: Collection[str]) -> None:
        """Keep the cells of these images alone, made of their newest operators."""
        known = self._known if question.similarity == self._similarity else {}
        found = {image: self._cells(question, image, known.get(image)) for image in images}
        self._similarity = question.similarity
        self._set({image: cells for image, cells in found.items() if cells is not None})

    def forget(self, images: Collection[str]) -> None:
        """Forget the cells of images, so that they are new when they are made again."""
        self._set({image: cells for image, cells in self._known.items() if image not in images})

    def _set(self, known: dict[str, Cells]) -> None:
        if known != self._known:
            self._known = known
            self.ids = frozenset(cell for cells in known.values() for cell in cells.ids)

    @property
    def members(self) -> list[str]:
        """The ids of all cells in order."""
        return [cell for cells in self._known.values() for cell in cells.ids]

    def vectors(self) -> dict[str, Tensor]:
        """Return the unit vector (d,) of each cell."""
        return {
            cell: vector
            for cells in self._known.values()
            for cell, vector in zip(cells.ids, cells.vectors, strict=True)
        }

    def _cells(self, question: Question, image: str, known: Cells | None) -> Cells | None:
        """Return the cells of an image as they can be had now: the known ones, or new ones; None without any."""
        for recipe in (question.recipe, PREVIEW):
            operator = self._store.get(image, recipe)
            if operator is not None and operator.presentable and operator.grid is not None:
                if known is not None and not known.is_dull(operator):
                    return known
                return _cells(image, recipe[0].name, operator, question.similarity)
        return None


def _cells(image: str, method: str, operator: Operator, similarity: str) -> Cells:
    """Make the cells of an image from an operator with a grid."""
    complete = operator.complete
    coefficients, done = coefficients_now(operator, similarity)
    assert operator.grid is not None
    vectors, (rows, columns) = pooled(coefficients, operator.grid)
    origin = f"{CELL_PREFIX}{method}.{done}:{rows}x{columns}"
    ids = tuple(f"{origin}:{i}:{image}" for i in range(len(vectors)))
    return Cells(ids, vectors, weakref.ref(operator), done, complete)


def pooled(coefficients: Tensor, grid: Size) -> tuple[Tensor, Size]:
    """Return the unit vectors (cells, d) of a grid's places (places, d), and the rows and columns of cells.

    Where the grid has too many rows or columns, a cell is the mean of the places that it covers.
    """
    most = max(1, min(CELLS_A_SIDE, isqrt(CELL_BYTES // (FLOAT * (1 + len(coefficients))))))
    rows, columns = (min(length, most) for length in grid)
    places = coefficients.T.reshape(1, -1, *grid)
    means = F.adaptive_avg_pool2d(places, (rows, columns))[0].flatten(1).T
    return F.normalize(means, dim=1, eps=torch.finfo(means.dtype).tiny), (rows, columns)
