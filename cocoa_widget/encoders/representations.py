"""Representations of images, each computed once."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


class Representations:
    """A growing table of representations by image key; one table belongs to one state of one encoder.

    Unit vectors and norms are kept apart, so that cosine and dot-product means are both one gather away.
    """

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._unit = torch.empty(0, 0)
        self._norm = torch.empty(0)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key: str) -> bool:
        return key in self._rows

    def missing(self, keys: Sequence[str]) -> list[str]:
        """List the keys that have no representation yet."""
        return [key for key in keys if key not in self._rows]

    def add(self, keys: Sequence[str], representations: Tensor) -> None:
        """Keep `representations` (n, d) under `keys`; a key that is there already keeps what it has."""
        with self._lock:
            fresh = [i for i, key in enumerate(keys) if key not in self._rows]
            if not fresh:
                return
            vectors = representations.detach()[fresh].float()
            norm = vectors.norm(dim=1)
            start, stop = len(self._rows), len(self._rows) + len(fresh)
            if stop > len(self._norm):
                self._grow(max(stop, 2 * start, 64), vectors)
            self._unit[start:stop] = F.normalize(vectors, dim=1)
            self._norm[start:stop] = norm
            self._rows.update({keys[i]: start + j for j, i in enumerate(fresh)})

    def _grow(self, capacity: int, like: Tensor) -> None:
        with torch.inference_mode(False):  # who asks first must not decide who may write later
            unit = torch.empty(capacity, like.shape[1], device=like.device)
            norm = torch.empty(capacity, device=like.device)
        if used := len(self._rows):
            unit[:used], norm[:used] = self._unit[:used], self._norm[:used]
        self._unit, self._norm = unit, norm

    def get(self, keys: Sequence[str]) -> Tensor:
        """Return the representations (n, d) of `keys`, not normalised."""
        rows = self._index(keys)
        return self._unit[rows] * self._norm[rows, None]

    def mean(self, keys: Sequence[str], *, unit: bool) -> Tensor:
        """Return the mean (d,) over `keys` of the representations, or of their unit vectors."""
        rows = self._index(keys)[None]
        if unit:
            return F.embedding_bag(rows, self._unit, mode="mean")[0]
        weights = (self._norm[rows] / rows.shape[1]).to(self._unit.dtype)
        return F.embedding_bag(rows, self._unit, mode="sum", per_sample_weights=weights)[0]

    def _index(self, keys: Sequence[str]) -> Tensor:
        return torch.tensor([self._rows[key] for key in keys], device=self._unit.device)
