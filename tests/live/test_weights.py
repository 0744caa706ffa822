"""A live widget on a module that is trained: what it shows when training rests is of the present weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import cocoa_widget as cw
from cocoa_widget.live import View
from tests.conftest import Convolutional, encoder_of

from .helpers import direct, question


@pytest.mark.parametrize(
    "method", [cw.RISE(n_masks=64), cw.CAM(), cw.IntegratedGradients(steps=4)], ids=lambda m: m.name
)
def test_weights_that_change_in_the_middle_of_passes(make, pictures, method):
    """An optimiser steps in the middle of every third pass, many times: no row and no heatmap keeps what it saw."""
    module = Convolutional()
    passes = []

    def interfere(*_):
        passes.append(len(passes))
        if len(passes) % 3 == 0 and len(passes) < 40:
            with torch.no_grad():
                module.body[0].weight.mul_(-1.1)

    module.pool.register_forward_pre_hook(interfere)
    q = question(method=method)
    engine, _, encoder = make(module, q)
    engine.watch("a", View(explicands=32, visible=tuple(pictures)))
    engine.wait(120)
    del module.pool._forward_pre_hooks[next(iter(module.pool._forward_pre_hooks))]
    engine.ask(question(method=method, corpus=("p4", "p5")))
    engine.wait(120)
    images = cw.ImageSet(pictures)
    keys = [key for image in images if (key := images.key(image)) in encoder.representations]
    at = [image for image in images if images.key(image) in keys]
    torch.testing.assert_close(encoder.representations.get(keys), encoder_of(module).represent(images, at))
    expected = direct(encoder_of(module), pictures, question(method=method, corpus=("p4", "p5")), "p0").heatmaps[0]
    np.testing.assert_allclose(engine.heatmap("p0").values, expected, atol=1e-4 * abs(expected).max())


def test_a_refresh_drops_what_was_prepared(make, pictures):
    module = Convolutional()
    engine, _, encoder = make(module)
    engine.watch("a", View(explicands=32))
    engine.wait(120)
    module.body[0].weight.data.mul_(-1)  # PyTorch does not count it
    encoder.refresh()
    q = question(corpus=("p4",))
    engine.ask(q)
    engine.wait(120)
    expected = direct(encoder_of(module), pictures, q, "p0").heatmaps[0]
    np.testing.assert_allclose(engine.heatmap("p0").values, expected, atol=1e-5 * abs(expected).max())


def test_rows_that_others_have_made_do_not_hide_that_operators_are_of_earlier_weights(make, pictures):
    """All rows of the new weights are there before the slow lane has looked."""
    module = Convolutional()
    engine, _, encoder = make(module)
    engine.watch("a", View(explicands=32))
    engine.wait(120)
    with engine._state.changed:  # the slow lane cannot look meanwhile
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.mul_(-0.7)
        encoder.represent(cw.ImageSet(pictures))
        q = engine._state.question
        assert engine._painter.heatmaps(q, engine.version, {"p0": None}) == []
        with pytest.raises(ValueError, match="not explained yet"):
            engine.inspector.influence("p0")
    found = engine.heatmap("p0", 120)
    expected = direct(encoder, pictures, question(), "p0").heatmaps[0]
    np.testing.assert_allclose(found.values, expected, atol=1e-5 * abs(expected).max())


def test_new_weights_drop_what_the_old_ones_prepared(make, pictures):
    module = Convolutional()
    engine, _, encoder = make(module)
    engine.wait(120)
    with torch.no_grad():
        module.body[0].weight.mul_(-1)
    q = question(corpus=("p4",))
    engine.ask(q)
    engine.wait(120)
    expected = direct(encoder, pictures, q, "p0").heatmaps[0]
    np.testing.assert_allclose(engine.heatmap("p0").values, expected, atol=1e-5 * abs(expected).max())
