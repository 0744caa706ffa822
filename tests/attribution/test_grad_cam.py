import pytest
from torch import nn

import cocoa_widget as cw
from tests.attribution.methods import close, explain
from tests.conftest import Convolutional, encoder_of


def test_grad_cam_at_the_pooled_map_is_cam(convolutional, inputs, corpus):
    """With the dot product the gradient there is the direction, the same at every position."""
    there = explain(convolutional, "grad_cam", inputs, corpus=corpus, similarity="dot")
    close(there, explain(convolutional, "cam", inputs, corpus=corpus, similarity="dot"))


def test_an_unknown_layer_names_its_neighbours(convolutional, inputs, corpus):
    with pytest.raises(cw.EncoderError, match=r"no layer 'body.9'.*body"):
        cw.Explainer(convolutional, cw.GradCAM(layer="body.9")).explain(inputs, corpus=corpus)


def test_a_layer_without_a_map_is_refused(inputs, corpus):
    encoder = encoder_of(nn.Sequential(Convolutional(), nn.Linear(16, 8)))
    with pytest.raises(cw.NoFeatureMap, match=r"Layer '1'.*no feature map"):
        cw.Explainer(encoder, cw.GradCAM(layer="1")).explain(inputs, corpus=corpus)


def test_an_encoder_without_maps_has_no_grad_cam(linear, inputs, corpus):
    with pytest.raises(cw.NoFeatureMap, match="no layer that gives a feature map"):
        cw.Explainer(linear, "grad_cam").explain(inputs, corpus=corpus)
