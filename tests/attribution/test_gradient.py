import numpy as np
import pytest

import cocoa_widget as cw
from tests.attribution.methods import close, explain


@pytest.mark.parametrize("name", ["saliency", "smoothgrad"])
def test_gradients_of_a_linear_encoder(linear, inputs, closed, name):
    gradient, how = closed
    close(explain(linear, name, inputs, **how), gradient.sum(0).expand(3, 32, 32).numpy())


def test_input_times_gradient_of_a_linear_encoder(linear, inputs, closed):
    gradient, how = closed
    close(explain(linear, "input_x_gradient", inputs, **how), (inputs * gradient).sum(1).numpy())


def test_gradient_shap_of_a_linear_encoder(linear, inputs, closed):
    gradient, how = closed
    found = cw.Explainer(linear, cw.GradientSHAP(samples=3, noise=0.0)).explain(inputs, **how).heatmaps
    close(found, ((inputs - cw.Blur()(inputs)) * gradient).sum(1).numpy())


def test_expected_gradients_tend_to_integrated_ones(convolutional, inputs, corpus):
    many = cw.Explainer(convolutional, cw.GradientSHAP(samples=400, noise=0.0)).explain(inputs, corpus=corpus).heatmaps
    exact = cw.Explainer(convolutional, cw.IntegratedGradients(steps=64)).explain(inputs, corpus=corpus).heatmaps
    assert np.corrcoef(many.ravel(), exact.ravel())[0, 1] > 0.99


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: cw.SmoothGrad(samples=0), "at least 1 sample"),
        (lambda: cw.SmoothGrad(noise=-1.0), "noise of at least 0"),
        (lambda: cw.GradientSHAP(seed=-1), "seed of at least 0"),
    ],
)
def test_bad_settings_are_named(make, says):
    with pytest.raises(ValueError, match=says):
        make()
