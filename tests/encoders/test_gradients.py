"""Gradients of functions of the representations."""

import pytest
import torch

import cocoa_widget as cw
from cocoa_widget.attribution.batches import advance_run
from cocoa_widget.attribution.method import DirectMethod
from cocoa_widget.contrast.score import LinearScore
from tests.conftest import Convolutional, encoder_of
from tests.encoders.conftest import Returns, flat


def test_a_module_that_blocks_gradients_is_named(inputs):
    encoder = encoder_of(Returns(lambda x: flat(x.detach())), name="blocked")
    with pytest.raises(cw.EncoderError, match=r"'blocked' cannot be differentiated.*'rise'"):
        encoder.gradients(inputs, lambda v: v.sum(1))


def test_in_place_first_layers_can_be_differentiated(inputs):
    encoder = encoder_of(Returns(lambda x: flat(x.relu_())))
    gradients = encoder.gradients(inputs, lambda v: v.sum(1)).gradients
    assert torch.equal(gradients.flatten(1)[:, :5], (flat(inputs) > 0).float())


class Impatient(DirectMethod):
    """Writes to the weights of the encoder's module between its own forward and backward pass."""

    name, label, hint = "impatient", "Impatient", "Takes a step of an optimiser in its middle"

    def __init__(self, module):
        self.module, self.passes = module, 0

    def explain(self, score, explicand, baseline):
        leaf = explicand[None].requires_grad_()
        value = score(leaf).sum()
        self.passes += 1
        step(self.module)
        return torch.autograd.grad(value, leaf)[0][0].sum(0)


def step(module):
    with torch.no_grad():
        module.body[3].weight.mul_(1.01)


def test_a_step_between_forward_and_backward_is_no_error(inputs):
    """Weights are written to between each forward and backward pass; the last try has a copy of them."""
    module = Convolutional()
    passes = []

    def objective(vectors):
        passes.append(len(vectors))
        step(module)
        return vectors.sum(1)

    encoder = encoder_of(module)
    assert torch.isfinite(encoder.gradients(inputs, objective).gradients).all()
    assert len(passes) == 3
    method = Impatient(module)
    run = method.start(inputs[0], inputs[0])
    advance_run(encoder, run, LinearScore(torch.ones(1, 16), "dot"), 1)
    assert run.complete
    assert method.passes == 3
