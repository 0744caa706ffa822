from __future__ import annotations

import captum.attr
import numpy as np
import pytest
import torch

import cocoa_widget as cw
from tests.attribution.methods import agree, explain

# Captum warns that it sets hooks and needs gradients.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:captum")


@pytest.mark.parametrize("cls", [captum.attr.Saliency, captum.attr.IntegratedGradients, captum.attr.DeepLift])
def test_captum_method_runs_captum(convolutional, inputs, question, cls):
    score, how = question
    found = explain(convolutional, cw.CaptumMethod(cls), inputs, **how)
    if cls is captum.attr.DeepLift:  # it sets hooks on a module's parts, which a plain function does not have
        assert np.isfinite(found).all()
        assert abs(found).max() > 0
        return
    extra = (cw.Blur()(inputs),) if cls is captum.attr.IntegratedGradients else ()
    expected = torch.cat([cls(score).attribute(x[None], *(b[k : k + 1] for b in extra)) for k, x in enumerate(inputs)])
    agree(found, expected.sum(1))


def test_captum_method_takes_settings(convolutional, inputs, question):
    _, how = question
    method = cw.CaptumMethod(captum.attr.Occlusion, sliding_window_shapes=(3, 8, 8), strides=(3, 4, 4))
    ours = explain(convolutional, cw.Occlusion(window=8, stride=4), inputs, **how)
    # Captum gives each channel the whole attribution, and channels are summed.
    agree(explain(convolutional, method, inputs, **how) / 3, torch.tensor(ours))
    assert method.name == "captum.Occlusion"
    assert "Occlusion" in method.label


@pytest.mark.parametrize(
    ("cls", "pixelwise"),
    [
        (captum.attr.Saliency, True),
        (captum.attr.IntegratedGradients, True),
        (captum.attr.Occlusion, False),
        (captum.attr.LayerGradCam, False),
        (lambda score: captum.attr.LayerGradCam(score, score.encoder.body[4]), False),
    ],
)
def test_attributions_that_differ_from_pixel_to_pixel_are_known(cls, pixelwise):
    assert cw.CaptumMethod(cls).pixelwise is pixelwise


def test_captum_method_takes_a_factory(convolutional, inputs, question):
    _, how = question
    layer = convolutional.module.body[4]
    method = cw.CaptumMethod(lambda score: captum.attr.LayerGradCam(score, layer))
    expected = torch.tensor(explain(convolutional, cw.GradCAM(), inputs, **how))
    agree(explain(convolutional, method, inputs, **how), expected)
    of_what_runs = cw.CaptumMethod(lambda score: captum.attr.LayerGradCam(score, score.encoder.body[4]))
    agree(explain(convolutional, of_what_runs, inputs, **how), expected)
    guided = cw.CaptumMethod(lambda score: captum.attr.GuidedGradCam(score, layer))  # it holds a LayerGradCam
    assert np.isfinite(explain(convolutional, guided, inputs, **how)).all()
    assert not layer._forward_hooks


def test_bad_settings_are_named():
    with pytest.raises(TypeError, match="class of captum.attr"):
        cw.CaptumMethod("Saliency")
