import pytest
import torch
from torch import nn

import cocoa_widget as cw
from cocoa_widget.contrast.score import LinearScore
from tests.attribution.test_patch_tokens import Transformer
from tests.conftest import Convolutional, Linear, encoder_of


class MapModule(nn.Module):
    """A module that returns its feature map, for the encoder to pool."""

    def __init__(self):
        super().__init__()
        self.body = Convolutional().body

    def forward(self, images):
        return self.body(images)


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize("target", ["contrastive_corpus", "corpus", "label_free", "contrastive_label_free"])
@pytest.mark.parametrize("module", [Convolutional, MapModule])
def test_maps_sum_to_gamma(module, inputs, corpus, foil, target, similarity):
    encoder = encoder_of(module())
    found = cw.Explainer(encoder, "cam").explain(inputs, corpus=corpus, foil=foil, target=target, similarity=similarity)
    assert found.heatmaps.shape == (3, 32, 32)
    assert found.heatmaps.sum((1, 2)) == pytest.approx(found.scores, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize("pool", ["token", "avg"])
def test_maps_of_transformers_sum_to_gamma(inputs, corpus, foil, pool, similarity):
    encoder = encoder_of(Transformer(pool))
    found = cw.Explainer(encoder, "cam").explain(inputs, corpus=corpus, foil=foil, similarity=similarity)
    assert found.heatmaps.sum((1, 2)) == pytest.approx(found.scores, rel=1e-3, abs=1e-4)
    assert found.heatmaps.std() > 0


def test_a_patch_without_values_has_the_share_of_what_is_not_from_patches(inputs, corpus):
    """Without queries, keys and values, attention is even, and of values only the bias is left, the same for all."""
    module = Transformer("token")
    with torch.no_grad():
        for block in module.network.blocks:
            block.attn.qkv.weight.zero_()
    operator = cw.Explainer(encoder_of(module), "cam").prepare(inputs[:1]).operators[0]
    assert operator.coefficients.std(0).max() <= 1e-6
    assert operator.coefficients.abs().max() > 1e-3


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_maps_sum_to_gamma_with_a_real_encoder(photographs, precision):
    encoder = cw.load_encoder("demo", device="cpu", precision=precision)
    some = {i: photographs.load(i) for i in ("cat/1", "rocket/1", "mosaic/1")}
    found = cw.Explainer(encoder, "cam").explain(
        some, corpus=[photographs.load("cat/2")], foil=[photographs.load("coffee/1")]
    )
    assert abs(found.heatmaps.sum((1, 2)) - found.scores).max() <= 1e-4


@pytest.mark.parametrize("size", [(32, 32), (45, 30)])
def test_sums_survive_odd_sizes(convolutional, inputs, size, corpus):
    x = nn.functional.interpolate(inputs, size)
    found = cw.Explainer(convolutional, "cam").explain(x, corpus=corpus)
    assert found.heatmaps.shape[1:] == size
    assert found.heatmaps.sum((1, 2)) == pytest.approx(found.scores, rel=1e-4)


def test_cells_are_the_feature_map_times_the_direction(convolutional, inputs):
    x = inputs[:1]
    encoded = convolutional.forward(x, features="pooled")
    w = torch.randn(16, generator=torch.Generator().manual_seed(0))
    prepared = cw.Explainer(convolutional, "cam").prepare(x)
    cells = prepared.operators[0].apply(LinearScore(w[None], "dot"), size=(8, 8))[0] * 16  # of 4 × 4 pixels
    expected = torch.einsum("dhw,d->hw", encoded.features[0], w) / 64
    # Bilinear distribution blurs cells over their neighbours, which changes a smooth map little.
    assert torch.corrcoef(torch.stack([cells.flatten(), expected.flatten()]))[0, 1] > 0.8
    assert cells.sum().item() == pytest.approx(expected.sum().item(), rel=1e-4)


def test_an_encoder_without_pooling_is_refused(linear, inputs, corpus):
    with pytest.raises(cw.NoFeatureMap, match=r"Linear.*global average pooling.*'rise'"):
        cw.Explainer(linear, "cam").explain(inputs, corpus=corpus)


def test_pooling_is_found_by_what_it_computes():
    assert encoder_of(Convolutional()).pooling == "pool"
    assert encoder_of(MapModule()).pooling == ""
    assert encoder_of(Linear()).pooling is None
    maximum = Convolutional()
    maximum.pool = nn.AdaptiveMaxPool2d(1)
    assert encoder_of(maximum).pooling is None
    assert encoder_of(nn.Sequential(Convolutional().body, nn.AdaptiveAvgPool2d(1), nn.Flatten())).pooling == "1"
    headed = nn.Sequential(Convolutional(), nn.Linear(16, 8))
    assert encoder_of(headed).pooling is None
