import numpy as np
import pytest
import torch
from torch import nn

import cocoa_widget as cw
from tests.attribution.methods import QUICK, close


def test_shapley_values_of_a_linear_encoder(linear, inputs, closed):
    """Players do not interact: each Shapley value is what the player adds alone."""
    gradient, how = closed
    method = cw.KernelSHAP(superpixels=4, n_samples=64)
    found = cw.Explainer(linear, method).explain(inputs, **how).heatmaps
    pixels = ((inputs - cw.Blur()(inputs)) * gradient).sum(1)
    expected = nn.functional.avg_pool2d(pixels[:, None], 8).repeat_interleave(8, 2).repeat_interleave(8, 3)[:, 0]
    close(found, expected.numpy())


@pytest.mark.parametrize("similarity", ["cosine", "dot", "gaussian"])
def test_shapley_values_are_complete(convolutional, inputs, corpus, foil, similarity):
    explainer = cw.Explainer(convolutional, QUICK["kernel_shap"])
    found = explainer.explain(inputs, corpus=corpus, foil=foil, similarity=similarity)
    gone = explainer.explain(cw.Blur()(inputs), corpus=corpus, foil=foil, similarity=similarity)
    assert found.heatmaps.sum((1, 2)) == pytest.approx(found.scores - gone.scores, abs=1e-5)


def test_superpixels_by_a_function(convolutional, inputs, corpus):
    halves = torch.zeros(32, 32, dtype=torch.int64)
    halves[:, 16:] = 7
    method = cw.KernelSHAP(superpixels=lambda explicand: halves, n_samples=16)
    found = cw.Explainer(convolutional, method).explain(inputs, corpus=corpus).heatmaps
    assert len(np.unique(found[0])) == 2
    with pytest.raises(ValueError, match=r"integer label map \(32, 32\)"):
        cw.Explainer(convolutional, cw.KernelSHAP(superpixels=lambda x: torch.zeros(4, 4))).prepare(inputs)
    with pytest.raises(ValueError, match="same label"):
        cw.Explainer(convolutional, cw.KernelSHAP(superpixels=lambda x: 0 * halves)).prepare(inputs)


def test_bad_settings_are_named():
    with pytest.raises(ValueError, match="at least 2 superpixels"):
        cw.KernelSHAP(superpixels=1)
    with pytest.raises(ValueError, match="at least 4"):
        cw.KernelSHAP(n_samples=3)
