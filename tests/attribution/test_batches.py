"""Batches of inputs of several operators."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from cocoa_widget.attribution import CAM, Operator, SharpCAM
from cocoa_widget.attribution.batches import advance
from cocoa_widget.attribution.method import Preparation
from cocoa_widget.contrast import Score
from cocoa_widget.encoders import Encoded
from tests.conftest import Convolutional, encoder_of


class Recorded(Convolutional):
    """Records the shapes of its batches, also in copies: they share the list."""

    shapes: list[tuple[int, ...]]

    def __init__(self, broken: bool = False) -> None:
        super().__init__()
        self.counter.shapes, self.broken = [], broken

    def forward(self, images: Tensor) -> Tensor:
        self.counter.shapes.append(tuple(images.shape[::2]))
        if self.broken and bool((images[:, 0].amax((1, 2)) > 50).any()):
            raise RuntimeError("too bright")
        return super().forward(images)


def drain(encoder, operators: list[Operator], count: int) -> list[tuple[int, ...]]:
    assert encoder.pooling == "pool"
    encoder.module.counter.shapes.clear()
    while not all(operator.complete for operator in operators):
        advance(encoder, operators, count)
    return encoder.module.counter.shapes


def test_a_batch_holds_inputs_of_one_size(inputs) -> None:
    encoder, method = encoder_of(Recorded()), SharpCAM(scales=(2, 3))
    ahead = method.start(inputs[0], inputs[0])
    advance(encoder, [ahead], 1)
    operators = [ahead, *(method.start(x, x) for x in inputs[1:]), CAM().start(inputs[0], inputs[0])]
    shapes = drain(encoder, operators, 64)
    assert shapes == [(1, 64), (1, 96), (3, 32), (2, 64), (2, 96)]


def test_an_enlarged_input_counts_as_several_passes(inputs) -> None:
    encoder, method = encoder_of(Recorded()), SharpCAM(scales=(2, 4))
    operators = [method.start(x, x) for x in inputs]
    shapes = drain(encoder, operators, 8)
    assert shapes == [(3, 32), (2, 64), (1, 128), (1, 128), (1, 64), (1, 128)]
    assert [operator.done for operator in operators] == [21, 21, 21]


def test_batches_do_not_change_coefficients(inputs) -> None:
    encoder, method = encoder_of(Convolutional()), SharpCAM()
    together, alone = ([method.start(x, x) for x in inputs] for _ in range(2))
    while not all(operator.complete for operator in together):
        advance(encoder, together, 16)
    for operator in alone:
        while not operator.complete:
            advance(encoder, [operator], 1)
    for one, other in zip(together, alone, strict=True):
        torch.testing.assert_close(one.coefficients, other.coefficients, rtol=1e-4, atol=1e-7)


def test_an_explicand_that_cannot_be_enlarged_leaves_the_others_their_sizes(inputs) -> None:
    """Bicubic interpolation overshoots: here beyond what the module takes."""
    bright = inputs[0].clone()
    bright[0, 10:20, 10:20] = 50
    encoder, method = encoder_of(Recorded(broken=True)), SharpCAM(scales=(2, 3))
    operators = [method.start(x, x) for x in (inputs[1], bright, inputs[2])]
    drain(encoder, operators, 64)
    assert [operator.total for operator in operators] == [14, 1, 14]
    assert operators[0].shortfall is None
    assert "too bright" in operators[1].shortfall


class Stubborn(Operator):
    """An operator that cannot do without its inputs."""

    total = 1
    nbytes = 0

    def inputs(self, count: int) -> Tensor:
        return torch.full((1, 3, 32, 32), 99.0)

    def accept(self, encoded: Encoded) -> None:
        self.done = 1

    def apply(self, score: Score, size: tuple[int, int] | None = None) -> Tensor:
        return torch.zeros(score.k, 32, 32)


def test_the_error_of_inputs_that_are_needed_is_raised(inputs) -> None:
    encoder = encoder_of(Recorded(broken=True))
    fine: list[Preparation] = [CAM().start(inputs[0], inputs[0])]
    assert encoder.pooling == "pool"
    with pytest.raises(RuntimeError, match="too bright"):
        advance(encoder, [*fine, Stubborn()], 8)
    assert fine[0].complete
