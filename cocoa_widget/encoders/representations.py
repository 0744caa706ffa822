"""The table of representations that have been computed."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


class Representations:
    """Representations of images and prompts by key, of one state of one encoder; any thread may read and add.

    Unit vectors and norms are kept apart, so that means of either kind take one gather.
    """

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._unit = torch.empty(0, 0)
        self._norm = torch.empty(0)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key: str) -> bool:
        with self._lock:
            return key in self._rows

    def missing(self, keys: Sequence[str]) -> list[str]:
        """List the keys that have no representation yet."""
        with self._lock:
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
        with torch.inference_mode(False):  # the first caller's mode must not decide whether later ones can write
            unit = torch.empty(capacity, like.shape[1], device=like.device)
            norm = torch.empty(capacity, device=like.device)
        if used := len(self._rows):
            unit[:used], norm[:used] = self._unit[:used], self._norm[:used]
        self._unit, self._norm = unit, norm

    def get(self, keys: Sequence[str], others: Mapping[str, Tensor] | None = None) -> Tensor:
        """Return the representations (n, d) of `keys`, not normalised, from `others` or else from the table."""
        if others:
            return torch.stack([others[key] if key in others else self.get([key])[0] for key in keys])
        rows, units, norms = self._found(keys)
        return units[rows] * norms[rows, None]

    def mean(self, keys: Sequence[str], *, unit: bool) -> Tensor:
        """Return the mean (d,) over `keys` of the representations, or of their unit vectors."""
        found, units, norms = self._found(keys)
        rows = found[None]
        if unit:
            return F.embedding_bag(rows, units, mode="mean")[0]
        weights = (norms[rows] / rows.shape[1]).to(units.dtype)
        return F.embedding_bag(rows, units, mode="sum", per_sample_weights=weights)[0]

    def _found(self, keys: Sequence[str]) -> tuple[Tensor, Tensor, Tensor]:
        """Return the rows of keys, and the tables of unit vectors and norms that have them."""
        with self._lock:
            rows, units, norms = [self._rows[key] for key in keys], self._unit, self._norm
        return torch.tensor(rows, device=units.device, dtype=torch.int64), units, norms
