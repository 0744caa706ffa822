"""Modules may be trained, changed and hooked while they are explained."""

from __future__ import annotations

import copy
import threading

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations

import cocoa_widget as cw
from cocoa_widget.encoders.twin import Twin
from tests.conftest import Convolutional, encoder_of

STEPS = 200


class Trained(Convolutional):
    """A network whose training every disturbance would change: with dropout, and with a parametrised head."""

    def __init__(self):
        super().__init__()
        self.body.insert(3, nn.Dropout(0.3))
        self.body.insert(5, nn.BatchNorm2d(16))
        self.head = parametrizations.weight_norm(nn.Linear(16, 16))

    def forward(self, images):
        return self.head(super().forward(images))


def train(module: nn.Module, steps: int = STEPS, after=lambda step: None) -> list[str]:
    """Train as notebooks do, and list the disturbances that were found."""
    generator = torch.Generator().manual_seed(5)
    module.train()
    torch.manual_seed(7)
    optimiser = torch.optim.SGD(module.parameters(), lr=0.01, momentum=0.9)
    wrong: list[str] = []
    for step in range(steps):
        images, targets = torch.randn(8, 3, 32, 32, generator=generator), torch.randn(8, 16, generator=generator)
        optimiser.zero_grad()
        wrong += [f"step {step}: {name} rests" for name, m in module.named_modules() if not m.training]
        loss = F.mse_loss(module(images), targets)
        loss.backward()
        wrong += [f"step {step}: {name} has no gradient" for name, p in module.named_parameters() if p.grad is None]
        wrong += [f"step {step}: {name} is frozen" for name, p in module.named_parameters() if not p.requires_grad]
        optimiser.step()
        after(step)
    return wrong


def use(encoder: cw.Encoder, inputs: Tensor, work: str) -> None:
    """Do one kind of work of a live widget."""
    w = torch.ones(16)
    if work == "encode":
        encoder.forward(inputs)
    elif work == "gradients":
        found = encoder.gradients(inputs, lambda vectors: vectors @ w).gradients
        assert torch.isfinite(found).all()
    elif work == "integrated_gradients":
        cw.Explainer(encoder, cw.IntegratedGradients(steps=4)).explain(inputs[:1], corpus=torch.ones(1, 16))
    else:
        cw.Explainer(encoder, cw.RISE(n_masks=16)).prepare(inputs[:1])


@pytest.mark.parametrize("trainer", ["main", "other"])
def test_a_training_loop_is_not_disturbed(inputs, trainer):
    """The same weights, bit for bit, as without a widget; the loop sees no error and no mode that it did not set."""
    alone, module = Trained(), Trained()
    assert train(alone) == []
    encoder = encoder_of(module)
    stop, rounds, failed = (
        threading.Event(),
        dict.fromkeys(("encode", "gradients", "integrated_gradients", "rise"), 0),
        [],
    )
    changed = threading.Condition()

    def explain():
        while not stop.is_set():
            for work in rounds:
                try:
                    use(encoder, inputs, work)
                except cw.EncoderError as error:
                    # Only the error that answers of two networks are not mixed is allowed.
                    if "changed" not in str(error):
                        failed.append(repr(error))
                except Exception as error:
                    failed.append(repr(error))
                with changed:
                    rounds[work] += 1
                    changed.notify_all()

    def keep_step(step):
        """Wait for a round of explaining during the training, however the threads are scheduled."""
        if step % 20 == 0:
            with changed:
                count = dict(rounds)
                assert changed.wait_for(lambda: stop.is_set() or sum(rounds.values()) > sum(count.values()), 60)

    wrong: list[str] = []

    def training():
        try:
            wrong.extend(train(module, after=keep_step))
        except Exception as error:
            wrong.append(repr(error))
        finally:
            stop.set()

    first, second = (training, explain) if trainer == "main" else (explain, training)
    thread = threading.Thread(target=second)
    thread.start()
    first()
    thread.join(120)
    assert wrong == []
    assert failed == []
    assert all(rounds.values())
    for (name, mine), theirs in zip(module.state_dict().items(), alone.state_dict().values(), strict=True):
        assert torch.equal(mine, theirs), name
    # After the training, the results are those of an untouched copy.
    copied = copy.deepcopy(module).eval()
    torch.testing.assert_close(encoder.encode(inputs), copied(inputs).detach())
    leaf = inputs.clone().requires_grad_()
    (expected,) = torch.autograd.grad(copied(leaf).sum(), leaf)
    found = encoder.gradients(inputs, lambda vectors: vectors.sum(1)).gradients
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def replace_part(module):
    module.body[0] = nn.Conv2d(3, 8, 3, stride=2, padding=1)


def replace_parameter(module):
    module.body[0].weight = nn.Parameter(torch.randn(8, 3, 3, 3))


def replace_data(module):
    module.body[0].weight.data = torch.randn(8, 3, 3, 3)


def assign_state(module):
    module.load_state_dict({key: value + 0.1 for key, value in module.state_dict().items()}, assign=True)


def take_step(module):
    with torch.no_grad():
        module.body[0].weight.mul_(-1)


def set_attribute(module):
    module.body[1].eps = 2.0


def add_hook(module):
    module.pool.register_forward_hook(lambda _, __, output: output + 1)


def patch_forward(module):
    module.forward = lambda images: 2 * type(module).forward(module, images)


CHANGES = [
    replace_part,
    replace_parameter,
    replace_data,
    assign_state,
    take_step,
    set_attribute,
    add_hook,
    patch_forward,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda c: c.__name__)
def test_changes_are_followed(inputs, change):
    module = Convolutional()
    encoder = encoder_of(module)
    before = encoder.encode(inputs)
    assert torch.equal(encoder.encode(inputs), before)
    fingerprint, table = encoder.fingerprint, encoder.representations
    assert encoder.representations is table
    change(module)
    with torch.no_grad():
        expected = copy.deepcopy(module).eval()(inputs) if change is not patch_forward else 2 * before
    assert not torch.allclose(expected, before)
    torch.testing.assert_close(encoder.encode(inputs), expected)
    assert encoder.fingerprint != fingerprint
    assert encoder.representations is not table


def test_parts_are_found_again_when_one_is_replaced(inputs):
    module = Convolutional()
    encoder = encoder_of(module)
    assert encoder.pooling == "pool"
    module.pool = nn.AdaptiveMaxPool2d(1)
    assert encoder.pooling is None
    torch.testing.assert_close(encoder.encode(inputs), copy.deepcopy(module).eval()(inputs).detach())


def test_writing_through_data_takes_a_refresh(pictures):
    module = Convolutional()
    encoder, images = encoder_of(module), cw.ImageSet(pictures)
    old, table = encoder.encode(images), encoder.representations
    module.body[3].weight.data.mul_(2)
    assert encoder.representations is table  # PyTorch does not count it
    encoder.refresh()
    assert encoder.representations is not table
    found = encoder.encode(images)
    torch.testing.assert_close(found, encoder_of(module).encode(images))
    assert not torch.allclose(found, old)


def test_a_classifier_keeps_its_mode():
    head = nn.Sequential(nn.Linear(16, 8), nn.Dropout(0.5)).train()
    encoder = encoder_of(Convolutional(), classifier=head)
    vectors = torch.ones(2, 16)
    assert torch.equal(encoder.classifier(vectors), head[0](vectors))
    assert head.training
    assert head[1].training
    with torch.no_grad():
        head[0].weight.mul_(2)
    assert torch.equal(encoder.classifier(vectors), head[0](vectors))
    encoder.classifier = None
    assert encoder.classifier is None


def test_representations_by_changing_weights_are_not_kept(pictures):
    """An optimiser steps in the middle of every third batch; the representations of those batches are not kept."""
    module = Convolutional()
    encoder = encoder_of(module, batch_size=2)
    images = cw.ImageSet(pictures)
    encoder.pooling  # noqa: B018
    passes = []

    def interfere(*_):
        passes.append(len(passes))
        if len(passes) % 3 == 2 and len(passes) < 10:
            take_step(module)

    module.pool.register_forward_pre_hook(interfere)
    found = encoder.encode(images)
    again = encoder_of(module).encode(images)
    torch.testing.assert_close(found, again)
    torch.testing.assert_close(encoder.representations.get([images.key(i) for i in images]), again)


def test_every_row_is_by_the_present_weights(pictures):
    """One thread takes optimiser's steps while another encodes: no row by earlier weights stays in the table."""
    for trial in range(5):
        module = Convolutional()
        encoder, images = encoder_of(module, batch_size=1), cw.ImageSet(pictures)
        begun, done = threading.Event(), threading.Event()

        def steps(module=module, begun=begun, done=done, trial=trial):
            optimiser = torch.optim.SGD(module.parameters(), lr=0.05)
            begun.wait(120)
            for _ in range(10 + trial):
                optimiser.zero_grad()
                module(torch.randn(4, 3, 32, 32)).square().mean().backward()
                optimiser.step()
            done.set()

        thread = threading.Thread(target=steps)
        thread.start()
        begun.set()
        while not done.is_set():
            encoder.represent(images)
        thread.join()
        found, table = encoder.represent(images), encoder.representations
        fresh = encoder_of(module, batch_size=1).encode(cw.ImageSet(pictures))
        torch.testing.assert_close(found, fresh)
        torch.testing.assert_close(table.get([images.key(i) for i in images]), fresh)


def test_prepared_explicands_say_that_the_weights_have_changed(inputs, corpus, pictures):
    module = Convolutional()
    encoder = encoder_of(module)
    known = encoder.encode(corpus)
    linear, steep = (cw.Explainer(encoder, m).prepare(inputs) for m in (cw.RISE(n_masks=16), cw.IntegratedGradients(4)))
    take_step(module)
    linear.explain(corpus=known)  # known representations need no passes
    for ask in (linear.explain, linear.stability, linear.influence, linear.scores):
        with pytest.raises(cw.EncoderError, match=r"changed since the explicands were prepared.*prepare .* again"):
            ask(corpus=pictures["p0"])
    with pytest.raises(cw.EncoderError, match="changed since"):
        steep.explain(corpus=known)


def test_preparing_with_changing_weights_is_refused(inputs):
    module = Convolutional()
    encoder = encoder_of(module)
    module.pool.register_forward_pre_hook(lambda *_: take_step(module))
    with pytest.raises(
        cw.EncoderError, match=r"changed while explicands were prepared\. Prepare them again while training"
    ):
        cw.Explainer(encoder, cw.RISE(n_masks=16)).prepare(inputs)


def test_an_unchanged_module_is_not_copied_again():
    """A module of 200 parts is checked without being copied again."""
    module = nn.Sequential(*(nn.Conv2d(3, 3, 1) for _ in range(200)))
    twin = Twin(module)
    first = twin.current()
    assert twin.current() is first
    module[7].weight.grad = torch.zeros(3, 3, 1, 1)  # gradients that training leaves are not a change
    assert twin.current() is first
