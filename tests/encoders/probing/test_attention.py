"""Which blocks are found, and which are left alone because their attention is of another kind."""

from __future__ import annotations

from typing import Any

import pytest
import timm
import torch
import transformers
from torch import nn

from cocoa_widget.encoders.probing.attention import Attention, Blocks, find_blocks
from tests.encoders.conftest import randomise

IMAGES = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def found(module: nn.Module) -> Blocks | None:
    randomise(module)
    with torch.inference_mode():
        return find_blocks(module, lambda: module(IMAGES))


def vit(**options: Any) -> nn.Module:
    torch.manual_seed(0)
    size = {"img_size": 32, "patch_size": 8, "embed_dim": 24, "depth": 2, "num_heads": 2, "num_classes": 0}
    return timm.models.vision_transformer.VisionTransformer(**{**size, **options})


def test_blocks_are_named_with_their_parts() -> None:
    blocks = found(vit())
    assert [(each.whole, each.attention, each.feed_forward) for each in blocks.blocks] == [
        (f"blocks.{i}", f"blocks.{i}.attn", f"blocks.{i}.norm2") for i in range(2)
    ]
    assert blocks.norm == "norm"


def test_without_a_last_normalisation() -> None:
    assert found(vit(final_norm=False)).norm is None


@pytest.mark.parametrize(
    "options",
    [
        {"qk_norm": True},
        {"block_fn": timm.models.vision_transformer.ResPostBlock},
        {"block_fn": timm.models.vision_transformer.ParallelScalingBlock},
    ],
)
def test_other_kinds_of_blocks_are_not_taken_for_known_ones(options: dict[str, Any]) -> None:
    assert found(vit(**options)) is None


def test_rotary_attention_and_windows_are_of_another_kind() -> None:
    eva = timm.models.eva.Eva(
        img_size=32, patch_size=8, embed_dim=24, depth=2, num_heads=2, num_classes=0, use_rot_pos_emb=True
    )
    assert found(eva) is None
    config = transformers.SwinConfig(image_size=32, patch_size=2, embed_dim=24, depths=[1, 1], num_heads=[2, 2])
    assert found(transformers.SwinModel(config)) is None


def test_only_blocks_that_follow_each_other_are_taken() -> None:
    network = vit(depth=4)
    network.blocks.insert(2, nn.Identity())
    network.blocks[2].register_forward_hook(lambda _, __, tokens: 2 * tokens)
    assert [each.whole for each in found(network).blocks] == ["blocks.3", "blocks.4"]


class Nested(nn.Module):
    """Attention in two modules, as transformers had it before version 5."""

    def __init__(self) -> None:
        super().__init__()
        self.attention, self.output = nn.Module(), nn.Module()
        self.attention.num_attention_heads = 2
        for name in ("query", "key", "value"):
            setattr(self.attention, name, nn.Linear(8, 8))
        self.output.dense = nn.Linear(8, 8)


def test_projections_have_the_names_of_several_libraries() -> None:
    layer, tokens = Nested(), torch.randn(1, 5, 8)
    query, key, value = Attention(layer).split(tokens)
    inner = layer.attention
    torch.testing.assert_close(key[0, 1], inner.key(tokens)[0, :, 4:])
    expected = nn.functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
    torch.testing.assert_close(Attention(layer)(tokens), layer.output.dense(expected))


@pytest.mark.parametrize("layer", [nn.Linear(8, 8), nn.MultiheadAttention(8, 2), vit().blocks[0].mlp])
def test_other_layers_have_no_projections(layer: nn.Module) -> None:
    with pytest.raises(LookupError):
        Attention(layer)


def test_networks_without_attention_have_no_blocks() -> None:
    assert found(nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 4))) is None
