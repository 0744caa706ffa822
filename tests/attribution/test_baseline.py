import numpy as np
import pytest
import torch
from PIL import Image

import cocoa_widget as cw
from cocoa_widget.attribution import as_baseline
from tests.conftest import Convolutional, encoder_of


@pytest.mark.parametrize("name", list(cw.BASELINES))
def test_every_baseline_by_name(convolutional, inputs, corpus, name):
    baseline = as_baseline(name, convolutional)
    found = baseline(inputs)
    assert found.shape == inputs.shape
    assert torch.isfinite(found).all()
    torch.testing.assert_close(baseline(inputs[1:2]), found[1:2])  # each explicand has its own baseline
    maps = cw.Explainer(convolutional, cw.Occlusion(8, 8), baseline=name).explain(inputs, corpus=corpus).heatmaps
    assert abs(maps).max() > 0


def test_black_is_preprocessed_black(convolutional, inputs):
    found = as_baseline(cw.Constant(), convolutional)(inputs)
    expected = convolutional.inputs([Image.new("RGB", (32, 32))])
    torch.testing.assert_close(found, expected.expand_as(inputs))
    red = as_baseline(cw.Constant((255, 0, 0)), convolutional)(inputs)
    assert red[0, 0].mean() > 1.5
    assert red[0, 1].mean() < -1.5


def test_mean_colour(inputs):
    found = cw.MeanColour()(inputs)
    torch.testing.assert_close(found[..., 0, 0], inputs.mean((2, 3)))
    assert found[0].flatten(1).std(1).max() < 1e-6


def test_noise_has_the_explicands_colours(inputs):
    found = cw.Noise(seed=2)(inputs * 3 + 1)
    torch.testing.assert_close(found.mean((2, 3)), (inputs * 3 + 1).mean((2, 3)), atol=0.5, rtol=0)
    torch.testing.assert_close(found.std((2, 3)), (inputs * 3).std((2, 3)), atol=0.4, rtol=0)
    assert torch.equal(found, cw.Noise(seed=2)(inputs * 3 + 1))
    assert not torch.equal(found, cw.Noise(seed=3)(inputs * 3 + 1))


def test_another_image(convolutional, inputs, pictures, corpus):
    baseline = as_baseline(cw.OtherImage(pictures["p1"]), convolutional)
    torch.testing.assert_close(baseline(inputs), convolutional.inputs([pictures["p1"]]).expand_as(inputs))
    same = as_baseline(cw.OtherImage(pictures["p1"]), convolutional)
    assert same == baseline
    assert hash(same) == hash(baseline)
    assert as_baseline(cw.OtherImage(pictures["p2"]), convolutional) != baseline
    tensor = as_baseline(cw.OtherImage(inputs[0]), convolutional)
    torch.testing.assert_close(tensor(inputs), inputs[:1].expand_as(inputs))
    # The explicand as its own baseline: removed parts do not change.
    maps = cw.Explainer(convolutional, cw.Occlusion(8, 8), cw.OtherImage(inputs[0])).explain(inputs[:1], corpus=corpus)
    assert abs(maps.heatmaps).max() < 1e-6


def test_a_function(convolutional, inputs, corpus):
    zeros = cw.Explainer(convolutional, cw.Occlusion(8, 8), torch.zeros_like).explain(inputs, corpus=corpus).heatmaps
    blurred = cw.Explainer(convolutional, cw.Occlusion(8, 8)).explain(inputs, corpus=corpus).heatmaps
    assert abs(zeros - blurred).max() > 1e-3 * abs(zeros).max()


@pytest.mark.parametrize(
    ("baseline", "says"),
    [
        ("grey", r"Unknown baseline 'grey'.*blur"),
        (3, "a function from explicands"),
        (lambda x: x[:, :1], r"must return a tensor of the shape \(3, 3, 32, 32\)"),
        (lambda x: np.zeros(3), "must return a tensor"),
    ],
)
def test_bad_baselines_are_named(convolutional, inputs, baseline, says):
    with pytest.raises((ValueError, TypeError), match=says):
        cw.Explainer(convolutional, baseline=baseline).prepare(inputs)


def test_bad_settings_are_named(convolutional, inputs):
    with pytest.raises(ValueError, match="three values from 0 to 255"):
        cw.Constant((0, 0, 300))
    with pytest.raises(TypeError, match="for_encoder"):
        cw.Constant()(inputs)
    with pytest.raises(ValueError, match="the explicand's size"):
        as_baseline(cw.OtherImage(torch.zeros(3, 16, 16)), encoder_of(Convolutional()))(inputs)
    with pytest.raises(ValueError, match="one image, not 2"):
        as_baseline(cw.OtherImage(inputs[:2]), convolutional)
