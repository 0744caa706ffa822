"""Helpers for tests with the real libraries and small random weights."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import cocoa_widget as cw

EXACT = {"device": "cpu", "precision": "float32"}


@pytest.fixture
def batch() -> Tensor:
    return torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def randomise(network: nn.Module) -> nn.Module:
    """Give a network weights and statistics unlike any initialisation, so that one in a wrong place is noticed."""
    torch.manual_seed(0)
    for tensor in network.state_dict().values():
        if tensor.is_floating_point():
            noise = torch.rand_like(tensor)
            tensor.copy_(tensor * (0.8 + 0.4 * noise) if tensor.ndim > 1 else tensor + 0.1 * (noise - 0.5))
    return network.eval()


def same(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected.float(), atol=1e-5, rtol=1e-5)


def explain(encoder: cw.Encoder, inputs: Tensor, method: cw.Method) -> Tensor:
    """Check that a method gives a heatmap that is not flat."""
    found = cw.Explainer(encoder, method).explain(inputs[:1], corpus=inputs[:1], foil=inputs[1:])
    assert found.heatmaps.std() > 0
    return found.heatmaps


class Returns(nn.Module):
    """A module that returns the result of a function of its input."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, images):
        return self.function(images)


def flat(x):
    return x.flatten(1)[:, :5]
