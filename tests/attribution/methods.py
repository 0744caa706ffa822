"""Methods with settings that are quick to test, and helpers for tests of several methods."""

from __future__ import annotations

import numpy as np

import cocoa_widget as cw
from cocoa_widget.attribution import LinearMethod

QUICK = {
    "rise": cw.RISE(n_masks=64),
    "kernel_shap": cw.KernelSHAP(superpixels=4, n_samples=64),
    "occlusion": cw.Occlusion(window=8, stride=4),
    "integrated_gradients": cw.IntegratedGradients(steps=8),
    "smoothgrad": cw.SmoothGrad(samples=5),
    "gradient_shap": cw.GradientSHAP(samples=5),
}
FOR_CONVOLUTIONS = [name for name in cw.METHODS if name != "patch_tokens"]
OF_THE_SCORE = [name for name in FOR_CONVOLUTIONS if name != "random"]
LINEAR = [name for name in FOR_CONVOLUTIONS if issubclass(cw.METHODS[name], LinearMethod)]


def method_of(name):
    return QUICK.get(name) or cw.METHODS[name]()


def explain(encoder, method, inputs, **how):
    method = method_of(method) if isinstance(method, str) else method
    return cw.Explainer(encoder, method).explain(inputs, **how).heatmaps


def close(a, b, share=1e-4):
    assert np.isfinite(a).all()
    assert abs(a - b).max() <= share * max(abs(a).max(), abs(b).max())


def agree(found, expected):
    expected = expected.detach().numpy()
    assert abs(found - expected).max() <= 1e-4 * abs(expected).max()
    assert abs(expected).max() > 0
