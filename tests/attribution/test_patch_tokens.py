import pytest
import torch
import torchvision
from torch import nn

import cocoa_widget as cw
from tests.conftest import encoder_of


class Transformer(nn.Module):
    """A vision transformer, whose representation is its class token or the mean of its patches."""

    def __init__(self, pool):
        super().__init__()
        import timm

        torch.manual_seed(0)
        self.network = timm.create_model(
            "vit_tiny_patch16_224", img_size=32, patch_size=8, depth=2, num_classes=0, global_pool=pool, fc_norm=False
        )

    def forward(self, images):
        return self.network(images)


@pytest.mark.parametrize(("pool", "exact"), [("token", False), ("avg", True)])
def test_patch_tokens_are_found(pool, exact):
    tokens = encoder_of(Transformer(pool)).tokens
    assert (tokens.prefix, tokens.rows, tokens.columns, tokens.exact) == (1, 4, 4, exact)


def test_patch_tokens_sum_to_gamma_where_they_are_the_representation(inputs, corpus, foil):
    encoder = encoder_of(Transformer("avg"))
    found = cw.Explainer(encoder, "patch_tokens").explain(inputs, corpus=corpus, foil=foil, similarity="dot")
    assert found.heatmaps.sum((1, 2)) == pytest.approx(found.scores, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize(("attention", "features"), [("own", "tokens"), ("neighbour", "neighbour")])
def test_patch_tokens_score_each_token(inputs, corpus, attention, features):
    encoder = encoder_of(Transformer("token"))
    tokens = encoder.forward(inputs[:1], features=features).features[0].flatten(1).T
    w = nn.functional.normalize(encoder.encode(corpus), dim=1).mean(0)
    expected = (nn.functional.normalize(tokens, dim=1) @ w).reshape(4, 4)
    method = cw.PatchTokens(attention=attention)
    found = cw.Explainer(encoder, method).explain(inputs[:1], corpus=corpus).heatmaps[0]
    cells = torch.tensor(found).reshape(4, 8, 4, 8).sum((1, 3)) * 16
    assert torch.corrcoef(torch.stack([cells.flatten(), expected.flatten()]))[0, 1] > 0.9
    assert found.sum() == pytest.approx(expected.mean().item(), rel=1e-3)


def test_torchvision_transformers_have_patch_tokens():
    torch.manual_seed(0)
    network = torchvision.models.vision_transformer.VisionTransformer(32, 8, 2, 2, 24, 48)
    network.heads = nn.Identity()
    tokens = encoder_of(network).tokens
    assert (tokens.prefix, tokens.rows, tokens.columns) == (1, 4, 4)


def test_other_encoders_have_no_patch_tokens(convolutional, linear, inputs, corpus):
    assert convolutional.tokens is None
    with pytest.raises(cw.NoFeatureMap, match="no patch tokens"):
        cw.Explainer(linear, "patch_tokens").explain(inputs, corpus=corpus)


def test_attention_of_another_kind_is_not_replaced(inputs, corpus):
    import timm

    network = timm.models.vision_transformer.VisionTransformer(
        img_size=32, patch_size=8, embed_dim=24, depth=2, num_heads=2, num_classes=0, qk_norm=True
    )
    encoder = encoder_of(network)
    assert cw.PatchTokens().obstacle(encoder) is None
    with pytest.raises(cw.NoFeatureMap, match="no transformer blocks of a known kind"):
        cw.Explainer(encoder, cw.PatchTokens(attention="neighbour")).explain(inputs, corpus=corpus)
    with pytest.raises(cw.NoFeatureMap, match="no transformer blocks of a known kind.*patch_tokens"):
        encoder.forward(inputs, features="contributions")
    with pytest.raises(cw.NoFeatureMap, match="no vision transformer of a known kind"):
        cw.Explainer(encoder, "cam").explain(inputs, corpus=corpus)


def test_unknown_attention_is_named():
    with pytest.raises(ValueError, match=r"'own', 'neighbour'.*not 'other'"):
        cw.PatchTokens(attention="other")
