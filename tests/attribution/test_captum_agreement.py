"""Agreement with Captum, where it has the method: within 1e-4 of the maximum in float32."""

from __future__ import annotations

import captum._utils.models.linear_model
import captum.attr
import numpy as np
import pytest
import sklearn.linear_model
import torch

import cocoa_widget as cw
from cocoa_widget.attribution.gradient import _normal
from cocoa_widget.attribution.resample import distribute
from tests.attribution.methods import agree, explain

# Captum warns that it sets hooks and needs gradients.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:captum")


def test_saliency(convolutional, inputs, question):
    score, how = question
    expected = captum.attr.Saliency(score).attribute(inputs, abs=False).sum(1)
    agree(explain(convolutional, "saliency", inputs, **how), expected)


def test_input_x_gradient(convolutional, inputs, question):
    score, how = question
    expected = captum.attr.InputXGradient(score).attribute(inputs.clone().requires_grad_()).sum(1)
    agree(explain(convolutional, "input_x_gradient", inputs, **how), expected)


@pytest.mark.parametrize(
    ("rule", "theirs"), [("gauss_legendre", "gausslegendre"), ("midpoint", "riemann_middle")], ids=["gauss", "middle"]
)
def test_integrated_gradients(convolutional, inputs, question, rule, theirs):
    score, how = question
    blurred = cw.Blur()(inputs)
    expected = captum.attr.IntegratedGradients(score).attribute(inputs, blurred, n_steps=20, method=theirs).sum(1)
    agree(explain(convolutional, cw.IntegratedGradients(steps=20, rule=rule), inputs, **how), expected)


def test_smoothgrad(convolutional, inputs, question):
    score, how = question
    method = cw.SmoothGrad(samples=7, seed=3)
    expected = []
    for x in inputs:
        points = torch.stack([method.draw(i, x, x)[0] for i in range(7)])
        expected.append(captum.attr.Saliency(score).attribute(points, abs=False).mean(0).sum(0))
    agree(explain(convolutional, method, inputs, **how), torch.stack(expected))


def test_gradient_shap_with_fixed_draws(convolutional, inputs, question, monkeypatch):
    """Captum's GradientShap, one explicand at a time, with its noise and positions replaced by ours."""
    score, how = question
    method = cw.GradientSHAP(samples=6, seed=5)
    found = explain(convolutional, method, inputs, **how)
    for k, x in enumerate(inputs):
        baseline = cw.Blur()(x[None])
        drawn = [_normal(method.seed, i, x) for i in range(method.samples)]
        noisy = torch.stack([x + method.noise * (x.max() - x.min()) * noise for noise, _ in drawn])
        positions = np.array([position for _, position in drawn])
        monkeypatch.setattr("torch.normal", lambda mean, std, noisy=noisy, x=x: noisy - x)
        monkeypatch.setattr(np.random, "uniform", lambda low, high, size, positions=positions: positions[:size])
        expected = captum.attr.GradientShap(score).attribute(x[None], baseline, n_samples=6, stdevs=1.0).sum(1)
        agree(found[k : k + 1], expected)


@pytest.mark.parametrize(("window", "stride"), [(8, 8), (10, 4), (32, 32)])
def test_occlusion(convolutional, inputs, question, window, stride):
    score, how = question
    expected = captum.attr.Occlusion(score).attribute(
        inputs, (3, window, window), strides=(3, stride, stride), baselines=cw.Blur()(inputs)
    )[:, 0]
    agree(explain(convolutional, cw.Occlusion(window=window, stride=stride), inputs, **how), expected)


class DoubleRegression(captum._utils.models.linear_model.SkLearnLinearRegression):
    """Captum's regression in double precision: with weights of 1 and a million, float32 has errors of some percent."""

    def fit(self, train_data, **kwargs):
        features, scores, weights = (torch.cat(parts).double().numpy() for parts in zip(*train_data, strict=True))
        self.fitted = sklearn.linear_model.LinearRegression().fit(features, scores.ravel(), weights.ravel())
        return {}

    def representation(self):
        return torch.tensor(self.fitted.coef_)[None]


def test_kernel_shap(convolutional, inputs, question):
    """The same coalitions in Captum's regression, where the ends have a large weight; here they are a constraint."""
    score, how = question
    method = cw.KernelSHAP(superpixels=4, n_samples=202)
    found = explain(convolutional, method, inputs, **how)
    labels = method.labels(inputs[0])
    coalitions = method.start(inputs[0], inputs[0])._design._coalitions.present[2:]

    def same_coalitions(original, **kwargs):
        yield torch.ones(1, 16, dtype=torch.int64)
        yield torch.zeros(1, 16, dtype=torch.int64)
        for row in coalitions:
            yield row[None].to(torch.int64)

    area = torch.bincount(labels.flatten())[labels]
    for k, x in enumerate(inputs):
        theirs = captum.attr.KernelShap(score)
        theirs.perturb_func, theirs.interpretable_model = same_coalitions, DoubleRegression()
        expected = theirs.attribute(
            x[None], cw.Blur()(x[None]), feature_mask=labels[None, None], n_samples=len(coalitions) + 2
        )
        agree(found[k] * area.numpy(), expected[0, 0])


@pytest.mark.parametrize("layer", [None, "body.3", "body.0"])
def test_grad_cam(convolutional, inputs, question, layer):
    score, how = question
    found = explain(convolutional, cw.GradCAM(layer=layer), inputs, **how)
    module = convolutional.module.get_submodule(layer or "body.4")
    theirs = captum.attr.LayerGradCam(score, module).attribute(inputs)
    agree(found, distribute(theirs[:, 0], (32, 32), None))
