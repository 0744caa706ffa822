"""The one loop that runs encoders for methods."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..direction import scores
from ..encoders import Encoded, Encoder, EncoderError
from ..encoders.device import out_of_memory
from .method import Operator, Path, Preparation


def advance(encoder: Encoder, operators: Sequence[Operator], count: int) -> None:
    """Run one batch of at most `count` passes for the first of `operators` that need them, all of one kind."""
    shares: list[tuple[Operator, int]] = []
    batches: list[Tensor] = []
    for operator in operators:
        if operator.complete:
            continue
        batch = operator.inputs(count)
        shares.append((operator, len(batch)))
        batches.append(batch)
        count -= len(batch)
        if count <= 0:
            break
    if not batches:
        return
    inputs = batches[0] if len(batches) == 1 else torch.cat(batches)
    encoded = encoder.forward(inputs, features=operators[0].needs_features)
    start = 0
    for operator, length in shares:
        part = slice(start, start + length)
        maps = None if encoded.features is None else encoded.features[part]
        operator.accept(Encoded(encoded.representations[part], maps))
        start += length


def advance_path(encoder: Encoder, path: Path, direction: Tensor, similarity: str, count: int) -> None:
    """Run one batch of at most `count` forward and backward passes along `path` for `direction` (d,)."""

    def objective(vectors: Tensor) -> Tensor:
        # Cloned here: the direction may come out of inference mode, where autograd cannot follow it.
        return scores(vectors, direction.clone(), similarity)

    found = None
    while found is None:
        try:
            found = encoder.gradients(path.inputs(count), objective)
        except (EncoderError, RuntimeError) as error:
            if count == 1 or not out_of_memory(error.__cause__ or error):
                raise
        if found is None:  # outside of `except`, where the failed pass is free
            count = encoder.batch_size = max(1, min(count, encoder.batch_size) // 2)
    path.accept(*found)


def remaining(preparations: Sequence[Preparation]) -> int:
    """Count the passes that are left."""
    return sum(p.total - p.done for p in preparations)
