"""Heatmaps of a widget under every setting: method, baseline, similarity, layer."""

from __future__ import annotations

import numpy as np
import pytest
import traitlets

import cocoa_widget as cw
from tests.conftest import Convolutional, Linear, encoder_of, headless
from tests.wire import BINS


@pytest.mark.parametrize("name", list(cw.BASELINES))
def test_another_baseline_is_another_picture(make_widget, pictures, name):
    widget = make_widget(**BINS)
    widget.baseline = name
    found = widget.heatmap("p0", 120)
    prepared, bins = headless(widget)
    np.testing.assert_allclose(found, prepared.explain(**bins).heatmaps[0], atol=1e-5 * abs(found).max())
    with pytest.raises(traitlets.TraitError, match="Unknown baseline 'none'"):
        widget.baseline = "none"


@pytest.mark.parametrize("name", [name for name in cw.METHODS if name != "patch_tokens"])
def test_every_method_in_the_widget(make_widget, name):
    widget = make_widget(method=name, **BINS)
    found = widget.heatmap("p0", 60)
    prepared, bins = headless(widget)
    np.testing.assert_allclose(found, prepared.explain(**bins).heatmaps[0], atol=1e-4 * abs(found).max())


def test_a_method_that_the_encoder_does_not_allow_raises_in_the_cell(make_widget):
    widget = make_widget(encoder=encoder_of(Linear()), method="cam", **BINS)
    with pytest.raises(cw.NoFeatureMap, match="global average pooling"):
        widget.wait(120)


def test_gaussian_similarity_in_the_widget(make_widget):
    widget = make_widget(encoder=encoder_of(Convolutional()), similarity="gaussian", **BINS)
    found = widget.heatmap("p0", 120)
    prepared, bins = headless(widget)
    np.testing.assert_allclose(found, prepared.explain(**bins, similarity="gaussian").heatmaps[0], atol=1e-6)


@pytest.mark.parametrize("layer", ["error", "stability"])
def test_layers(shown, layer):
    widget, _ = shown()
    widget.layer = layer
    found = widget.heatmap("p0", layer=layer)
    assert found.shape == (32, 32)
    assert found.min() >= 0
    assert widget.heatmap("p0").min() < 0, "the default is the attribution, also while the page shows another layer"


def test_the_standard_error_is_sent_to_the_page(shown):
    widget, wire = shown()
    version = max(m["version"] for m, _ in wire.messages if m["kind"] == "heatmaps")
    widget.layer = "error"
    message, (buffer,) = wire.wait(
        lambda m: m["kind"] == "heatmaps" and m["items"] and m["items"][0]["layer"] == "error"
    )
    assert message["version"] == version, "another layer is not another question"
    values = np.frombuffer(buffer, "<f2")
    assert values.min() >= 0
    assert values.max() == 1


def test_the_spread_is_the_bootstraps(shown):
    widget, _ = shown()
    prepared, bins = headless(widget)
    expected = prepared.stability(**bins)[0].deviation
    np.testing.assert_allclose(widget.heatmap("p0", layer="stability"), expected, atol=1e-5 * expected.max())


@pytest.mark.parametrize(
    ("options", "layer", "says"),
    [
        ({"method": cw.IntegratedGradients(steps=4)}, "stability", "encoder passes for every resampled bin"),
        ({"method": "occlusion"}, "error", "nothing at random"),
        ({"foil": ["p3"]}, "stability", "single image"),
    ],
)
def test_a_layer_that_cannot_be_computed_says_why(shown, options, layer, says):
    widget, wire = shown(**options)
    widget.layer = layer
    wire.wait(lambda m: m["kind"] == "heatmaps" and says in m.get("nothing", ""))
    with pytest.raises(ValueError, match=says):
        widget.heatmap("p0", 20, layer=layer)


def test_unknown_layers_are_refused(shown):
    widget, _ = shown()
    with pytest.raises(traitlets.TraitError):
        widget.layer = "best"
    with pytest.raises(ValueError, match="attribution, error, stability"):
        widget.heatmap("p0", layer="best")
