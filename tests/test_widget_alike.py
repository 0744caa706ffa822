"""The hint that an encoder tells images hardly apart, in code and to the page."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
import torchvision

import cocoa_widget as cw
from tests.wire import Wire


@pytest.fixture
def untrained():
    torch.manual_seed(0)
    network = torchvision.models.resnet18(weights=None)
    network.fc = torch.nn.Identity()
    return cw.Encoder(network, image_size=64)


def scores(widget, ids):
    return np.array([float(widget._live.heatmap(i, 120).score) for i in ids])


def test_an_untrained_network_tells_nothing_apart_and_centring_helps(make_widget, untrained):
    images = cw.demo_images()
    untrained.represent(images)
    ids = images.ids[1:13]
    bins = {"corpus": [images.ids[0]], "explicands": ids}
    widget = make_widget(images, encoder=untrained, method="cam", target="corpus", **bins)
    assert widget.likeness > 0.95
    with pytest.warns(UserWarning, match=r"nearly the same representation \(mean cosine \.?0?\.9\d\d\)"):
        widget.wait(120)
    plain = scores(widget, ids)
    assert plain.min() > 0.9
    widget.centred = True
    widget.wait(120)  # the warning comes once
    centred = scores(widget, ids)
    assert abs(centred.mean()) < 0.1
    assert centred.min() < 0 < centred.max()
    wire = Wire(widget)
    wire.ask("hello")  # a view that comes later is sent the last status, too
    message, _ = wire.wait(lambda m: m["kind"] == "status" and m["alike"] is not None)
    assert message["alike"] == pytest.approx(widget.likeness, abs=1e-3)


def test_the_demo_encoder_tells_images_apart(make_widget, demo_encoder):
    images = cw.demo_images()
    demo_encoder.represent(images)
    bins = {"corpus": [images.ids[0]], "explicands": [images.ids[1]]}
    widget = make_widget(images, encoder=demo_encoder, method="cam", **bins)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        widget.wait(120)
    assert widget.likeness < 0.5
    wire = Wire(widget)
    wire.ask("hello")  # a view that comes later is sent the last status, too
    wire.wait(lambda m: m["kind"] == "status")
    assert all(m["alike"] is None for m, _ in wire.messages if m["kind"] == "status")
