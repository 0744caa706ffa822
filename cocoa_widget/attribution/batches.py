"""The one loop that runs encoders for methods."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..contrast import Score
from ..encoders import Attached, Encoded, Encoder, EncoderError, out_of_memory
from .method import DirectRun, GradientRun, Method, Operator, Preparation, Run


def check_method(method: Method, encoder: Encoder) -> None:
    """Raise `EncoderError` if `encoder` lacks what `method` needs."""
    obstacle = method.obstacle(encoder)
    if obstacle is not None:
        raise method.refusal(
            f"{method.label} cannot explain this encoder: {obstacle}. Choose the method 'rise', which works with every"
            " encoder."
        )


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
    encoded = encoder.forward(inputs, features=operators[0].features)
    start = 0
    for operator, length in shares:
        part = slice(start, start + length)
        maps = None if encoded.features is None else encoded.features[part]
        operator.accept(Encoded(encoded.representations[part], maps))
        start += length


def advance_run(encoder: Encoder, run: Run, score: Score, count: int) -> None:
    """Run one batch of at most `count` forward and backward passes of a `run` for its `score` (k = 1)."""
    with torch.inference_mode(False):
        score = score.clone()
    if isinstance(run, DirectRun):
        encoder.differentiate(lambda represent: run.explain(ScoreModule(represent, score)))
        return
    assert isinstance(run, GradientRun)
    found = None
    while found is None:
        try:
            found = encoder.gradients(run.inputs(count), lambda vectors: score(vectors)[0], layer=run.layer)
        except (EncoderError, RuntimeError) as error:
            if count == 1 or not out_of_memory(error.__cause__ or error):
                raise
        if found is None:  # outside of `except`, where the failed pass is free
            count = encoder.batch_size = max(1, min(count, encoder.batch_size) // 2)
    run.accept(found)


class ScoreModule(nn.Module):
    """The score as a function of inputs (B, 3, H, W) → (B,); a module, since some libraries put hooks on the parts.

    `encoder` is what runs: a copy of the encoder's module that shares its weights. Hooks belong on its parts.
    """

    def __init__(self, represent: Attached, score: Score) -> None:
        super().__init__()
        self.encoder = represent.module
        self._represent, self._score = represent, score

    def forward(self, inputs: Tensor) -> Tensor:
        """Score inputs."""
        return self._score(self._represent(inputs))[0]

    def counterpart(self, layer: nn.Module) -> nn.Module:
        """Return the part of `encoder` that stands for a part of the user's module; others as they are."""
        return self._represent.counterpart(layer)


def remaining(preparations: Sequence[Preparation]) -> int:
    """Count the passes that are left."""
    return sum(p.total - p.done for p in preparations)
