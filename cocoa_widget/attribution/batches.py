"""Batches of encoder passes: the only place where attribution runs an encoder."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..contrast import Score
from ..encoders import Attached, Encoded, Encoder, EncoderError, out_of_memory
from .guided_filter import GuidedOperator, edges_of
from .method import DirectRun, GradientRun, LinearMethod, Method, Operator, Preparation, Run


def check_method(method: Method, encoder: Encoder) -> None:
    """Raise `EncoderError` if `encoder` lacks what `method` needs."""
    obstacle = method.obstacle(encoder)
    if obstacle is not None:
        raise method.refusal(
            f"{method.label} cannot explain this encoder: {obstacle}. Choose the method 'rise', which works with every"
            " encoder."
        )


def start(encoder: Encoder, method: LinearMethod, explicand: Tensor, baseline: Tensor) -> Operator:
    """Return a new operator for an explicand (3, H, W) and its baseline (3, H, W), with all of the method's steps."""
    operator = method.start_with(encoder, explicand, baseline)
    if not method.follow_edges:
        return operator
    return GuidedOperator(operator, edges_of(encoder, explicand), (explicand.shape[-2], explicand.shape[-1]))


def advance(encoder: Encoder, operators: Sequence[Operator], count: int) -> None:
    """Encode one batch of inputs, all of one size, for the first operators that are not complete.

    An operator whose inputs the encoder cannot take may do without them (see `Operator.do_without`).

    Parameters
    ----------
    encoder : Encoder
    operators : sequence of Operator
        Operators that need the same feature maps.
    count : int
        Passes in the batch, at most; a single input may count as more.
    """
    shares: list[tuple[Operator, int]] = []
    batches: list[Tensor] = []
    for operator in operators:
        if operator.complete:
            continue
        batch = operator.inputs(count)
        if batches and batch.shape[1:] != batches[0].shape[1:]:
            break
        shares.append((operator, len(batch)))
        batches.append(batch)
        count -= len(batch) * operator.weight
        if count <= 0:
            break
    if not batches:
        return
    inputs = batches[0] if len(batches) == 1 else torch.cat(batches)
    try:
        encoded = encoder.forward(inputs, features=operators[0].features)
    except RuntimeError as error:
        failed = error
    else:
        begin = 0
        for operator, length in shares:
            part = slice(begin, begin + length)
            maps = None if encoded.features is None else encoded.features[part]
            operator.accept(Encoded(encoded.representations[part], maps))
            begin += length
        return
    # Outside of `except`, so that the memory of the failed pass is free.
    if len(shares) > 1:
        for operator, length in shares:
            advance(encoder, [operator], length * operator.weight)  # each by itself: one may be why the others failed
    elif not shares[0][0].do_without(failed):
        raise failed


def advance_run(encoder: Encoder, run: Run, score: Score, count: int) -> None:
    """Run one batch of forward and backward passes; a `DirectRun` does all its work at once.

    When memory runs out, the batch is halved and tried again, and ``encoder.batch_size`` is lowered to it.

    Parameters
    ----------
    encoder : Encoder
    run : Run
    score : Score
        What the run explains, k = 1.
    count : int
        Passes in the batch, at most.
    """
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
        if found is None:  # outside of `except`, so that the memory of the failed pass is free
            count = encoder.batch_size = max(1, min(count, encoder.batch_size) // 2)
    run.accept(found)


class ScoreModule(nn.Module):
    """The score as a module, inputs (B, 3, H, W) → scores (B,), because some libraries put hooks on a module's parts.

    Attributes
    ----------
    encoder : Module
        The copy of the encoder's module that runs and shares its weights. Hooks belong on its parts.
    """

    def __init__(self, represent: Attached, score: Score) -> None:
        super().__init__()
        self.encoder = represent.module
        self._represent, self._score = represent, score

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the scores (B,) of inputs (B, 3, H, W)."""
        return self._score(self._represent(inputs))[0]

    def counterpart(self, layer: nn.Module) -> nn.Module:
        """Return the part of `encoder` that corresponds to `layer` of the user's module, or else `layer` itself."""
        return self._represent.counterpart(layer)


def remaining(preparations: Sequence[Preparation]) -> int:
    """Return how many passes are left in all."""
    return sum(p.total - p.done for p in preparations)
