import pytest
from torch import nn

import cocoa_widget as cw
from tests.attribution.methods import close


def test_occlusion_of_a_linear_encoder(linear, inputs, closed):
    gradient, how = closed
    found = cw.Explainer(linear, cw.Occlusion(window=8, stride=8)).explain(inputs, **how).heatmaps
    pixels = ((inputs - cw.Blur()(inputs)) * gradient).sum(1)
    expected = 64 * nn.functional.avg_pool2d(pixels[:, None], 8).repeat_interleave(8, 2).repeat_interleave(8, 3)[:, 0]
    close(found, expected.numpy())


def test_bad_settings_are_named():
    with pytest.raises(ValueError, match="stride between 1 and its window"):
        cw.Occlusion(window=8, stride=9)
