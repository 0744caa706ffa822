"""Unusual inputs and encoders: the answer is right, or the error is clear."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import cocoa_widget as cw
from tests.attribution.methods import FOR_CONVOLUTIONS, OF_THE_SCORE, close, explain
from tests.conftest import Convolutional, encoder_of


@pytest.mark.parametrize("name", OF_THE_SCORE)
def test_one_explicand_with_a_batch_of_one(inputs, corpus, name):
    encoder = encoder_of(Convolutional(), batch_size=1)
    close(explain(encoder, name, inputs[:1], corpus=corpus), explain(encoder, name, inputs, corpus=corpus)[:1])


@pytest.mark.parametrize("name", ["rise", "occlusion", "kernel_shap", "integrated_gradients"])
def test_an_explicand_equal_to_its_baseline_has_a_heatmap_of_zeros(convolutional, inputs, corpus, name):
    """Removed parts do not change; the rest, from rounding, is far smaller than any heatmap."""
    usual = abs(explain(convolutional, name, inputs, corpus=corpus)).max()
    same = cw.Explainer(convolutional, name, baseline=lambda x: x.clone()).explain(inputs, corpus=corpus)
    assert abs(same.heatmaps).max() <= 1e-4 * usual


@pytest.mark.parametrize("name", FOR_CONVOLUTIONS)
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_constant_image(convolutional, corpus, foil, name, value):
    found = explain(convolutional, name, torch.full((1, 3, 32, 32), value), corpus=corpus, foil=foil)
    assert np.isfinite(found).all()
    if name in ("rise", "occlusion", "kernel_shap", "integrated_gradients"):
        assert abs(found).max() < 1e-5  # a blur does not change it


class Zero(nn.Module):
    """An encoder whose representations are zeros."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(3, 8, 3)

    def forward(self, images):
        return (0 * self.convolution(images)).mean((2, 3))


@pytest.mark.parametrize("similarity", ["cosine", "dot", "gaussian"])
@pytest.mark.parametrize("name", [name for name in OF_THE_SCORE if name not in ("cam", "sharp")])
def test_a_representation_of_zeros(inputs, corpus, foil, name, similarity):
    encoder = encoder_of(Zero())
    found = cw.Explainer(encoder, name).explain(inputs[:1], corpus=corpus, foil=foil, similarity=similarity)
    assert not np.any(found.heatmaps)
    assert np.isfinite(found.scores).all()


@pytest.mark.parametrize("similarity", ["cosine", "dot", "gaussian"])
@pytest.mark.parametrize("name", OF_THE_SCORE)
def test_a_corpus_of_one(convolutional, inputs, corpus, name, similarity):
    found = explain(convolutional, name, inputs, corpus=corpus[:1], similarity=similarity)
    assert np.isfinite(found).all()
    assert abs(found).max() > 0


@pytest.mark.parametrize("name", [n for n in OF_THE_SCORE if n != "random"])
def test_equal_bins_by_distance_score_a_half(convolutional, inputs, corpus, name):
    explainer = cw.Explainer(convolutional, name)
    found = explainer.explain(inputs, corpus=corpus, foil=corpus, similarity="gaussian")
    assert found.scores == pytest.approx(0.5, abs=1e-5)
    usual = abs(explainer.explain(inputs, corpus=corpus, similarity="gaussian").heatmaps).max()
    assert abs(found.heatmaps).max() <= 1e-3 * usual


@pytest.mark.parametrize("name", [n for n in FOR_CONVOLUTIONS if n not in ("rise", "kernel_shap", "occlusion")])
def test_large_inputs(corpus, name):
    encoder = encoder_of(Convolutional())
    x = nn.functional.interpolate(corpus[:1], (768, 1024))
    found = explain(encoder, name, x, corpus=corpus)
    assert found.shape == (1, 768, 1024)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("method", [cw.RISE(n_masks=8), cw.KernelSHAP(4, 8), cw.Occlusion(256, 256)])
def test_large_inputs_are_perturbed(corpus, method):
    x = nn.functional.interpolate(corpus[:1], (768, 1024))
    found = cw.Explainer(encoder_of(Convolutional()), method).explain(x, corpus=corpus)
    assert found.heatmaps.shape == (1, 768, 1024)
    assert np.isfinite(found.heatmaps).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("name", ["rise", "cam", "integrated_gradients", "grad_cam"])
def test_encoders_of_another_precision(convolutional, inputs, corpus, name, dtype):
    encoder = encoder_of(Convolutional().to(dtype))
    assert encoder.encode(inputs).dtype == torch.float32
    found, expected = (explain(e, name, inputs, corpus=corpus) for e in (encoder, convolutional))
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("name", ["saliency", "integrated_gradients", "grad_cam", "rise"])
def test_an_encoder_that_begins_in_place(inputs, corpus, name):
    """Its ReLU writes into its input: the explicands must not change, and gradients must be right."""
    encoder = encoder_of(nn.Sequential(nn.ReLU(inplace=True), Convolutional()))
    plain = encoder_of(nn.Sequential(nn.ReLU(), Convolutional()))
    kept = inputs.clone()
    close(explain(encoder, name, inputs, corpus=corpus), explain(plain, name, inputs, corpus=corpus))
    assert torch.equal(inputs, kept)


@pytest.mark.parametrize("name", ["rise", "integrated_gradients", "grad_cam"])
def test_dropout_and_batch_statistics_rest(inputs, corpus, name):
    module = nn.Sequential(Convolutional(), nn.Dropout(0.5)).train()
    statistics = module[0].body[1].running_mean.clone()
    first, second = (explain(encoder_of(module), name, inputs, corpus=corpus) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert module.training
    assert torch.equal(module[0].body[1].running_mean, statistics)


def test_weights_keep_their_gradients_switch(inputs, corpus):
    module = Convolutional()
    module.body[0].weight.requires_grad_(False)
    before = [p.requires_grad for p in module.parameters()]
    explain(encoder_of(module), "saliency", inputs, corpus=corpus)
    assert [p.requires_grad for p in module.parameters()] == before
    assert all(p.grad is None for p in module.parameters())


class Sealed(nn.Module):
    """A module that returns inference tensors in any mode of its caller."""

    def __init__(self):
        super().__init__()
        self.inner = Convolutional()

    def forward(self, images):
        with torch.inference_mode():
            return self.inner(images)


def test_a_network_that_returns_inference_tensors(convolutional, inputs, corpus):
    close(
        explain(encoder_of(Sealed()), "rise", inputs, corpus=corpus),
        explain(convolutional, "rise", inputs, corpus=corpus),
    )
    with pytest.raises(cw.EncoderError, match=r"cannot be differentiated.*'rise'"):
        explain(encoder_of(Sealed()), "saliency", inputs, corpus=corpus)


def test_integer_inputs_are_pictures(convolutional, corpus):
    """uint8 tensors are images and are preprocessed; other integers are an error."""
    pixels = torch.randint(0, 256, (2, 3, 40, 40), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    assert explain(convolutional, "cam", pixels, corpus=corpus).shape == (2, 32, 32)
    with pytest.raises((TypeError, ValueError, cw.UnreadableImage), match=r"uint8|int64"):
        explain(convolutional, "cam", pixels.long(), corpus=corpus)


def test_nothing_to_explain(convolutional, inputs):
    with pytest.raises(cw.NothingToExplain):
        cw.Explainer(convolutional, "cam").explain(inputs)
    with pytest.raises(ValueError, match="no explicands"):
        cw.Explainer(convolutional, "cam").prepare(inputs[:0])


def test_representations_of_the_wrong_size(convolutional, inputs):
    with pytest.raises(ValueError, match="d must be 16, not 5"):
        cw.Explainer(convolutional, "cam").explain(inputs, corpus=torch.randn(3, 5))
