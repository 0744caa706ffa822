"""Dense maps of transformers, computed again from the weights of each library by the papers' formulas, in float64."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import open_clip
import pytest
import timm
import torch
import torch.nn.functional as F
import torchvision
import transformers
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms.functional import to_tensor

import cocoa_widget as cw
from cocoa_widget.encoders.sources.open_clip import project_tokens
from cocoa_widget.encoders.sources.transformers import Pooled, Projected
from tests.conftest import encoder_of
from tests.encoders.conftest import randomise

SIZE = {"hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 3, "num_attention_heads": 3}
SIZE |= {"image_size": 32, "patch_size": 8}


def quick_gelu(x: Tensor) -> Tensor:
    return x * torch.sigmoid(1.702 * x)


@dataclass
class Reference:
    """A vision transformer as its weights: names in its state dict, by what the papers call them."""

    module: nn.Module
    block: str  # with a place for the number
    names: dict[str, str]  # of a block's parts
    norm: tuple[str, float]
    projection: str = ""
    gelu: Callable[[Tensor], Tensor] = F.gelu
    heads: int = 3
    eps: float = 1e-6
    inputs: list[Tensor] = field(default_factory=list)  # of each block

    def __post_init__(self) -> None:
        self.state = {name: tensor.double() for name, tensor in self.module.state_dict().items()}
        self.depth = sum(f"{self.block.format(i)}.{self.names['norm1']}.weight" in self.state for i in range(9))

    def of(self, block: int, part: str, kind: str = "weight") -> Tensor:
        return self.state[f"{self.block.format(block)}.{self.names[part]}{kind and '.'}{kind}"]

    def linear(self, x: Tensor, block: int, part: str) -> Tensor:
        return x @ self.of(block, part).T + self.of(block, part, "bias")

    def normal(self, x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
        return (x - x.mean(-1, keepdim=True)) / (x.var(-1, unbiased=False, keepdim=True) + eps).sqrt() * weight + bias

    def norm_of(self, x: Tensor, block: int, part: str) -> Tensor:
        return self.normal(x, self.of(block, part), self.of(block, part, "bias"), self.eps)

    def scale(self, x: Tensor, block: int, part: str) -> Tensor:
        return x * self.of(block, part, "") if part in self.names else x

    def qkv(self, block: int) -> list[Tensor]:
        """Queries, keys and values (B, T, heads, c) of a block."""
        x = self.norm_of(self.inputs[block], block, "norm1")
        if "qkv" in self.names:
            joined = self.names["qkv"]
            parts = "_weight", "_bias"
            if not joined.endswith("in_proj"):
                parts = ".weight", ".bias"
            weight, bias = (self.state[f"{self.block.format(block)}.{joined}{part}"] for part in parts)
            three = list((x @ weight.T + bias).chunk(3, -1))
        else:
            three = [self.linear(x, block, part) for part in "qkv"]
        return [each.reshape(*each.shape[:2], self.heads, -1) for each in three]

    def attention(self, one: Tensor, other: Tensor, added: Tensor | float = 0.0) -> Tensor:
        logits = torch.einsum("bshc,bthc->bhst", one, other) / math.sqrt(one.shape[-1])
        return torch.softmax(logits + added, -1)

    def branch(self, block: int, weights: Tensor) -> Tensor:
        """What attention with given weights (B, heads, T, T) adds to the tokens."""
        mixed = torch.einsum("bhst,bthc->bshc", weights, self.qkv(block)[2]).flatten(2)
        return self.scale(self.linear(mixed, block, "out"), block, "ls1")

    def feed(self, x: Tensor, block: int) -> Tensor:
        hidden = self.gelu(self.linear(self.norm_of(x, block, "norm2"), block, "up"))
        return x + self.scale(self.linear(hidden, block, "down"), block, "ls2")

    def end(self, x: Tensor) -> Tensor:
        name, eps = self.norm
        x = self.normal(x, self.state[f"{name}.weight"], self.state[f"{name}.bias"], eps)
        return self.project(x)

    def project(self, x: Tensor) -> Tensor:
        if not self.projection:
            return x
        matrix = self.state[self.projection]
        return x @ (matrix if self.projection == "proj" else matrix.T)

    def run(self, first: Tensor) -> Tensor:
        """Compute the representation from the first block's input."""
        self.inputs = [first.double()]
        for block in range(self.depth):
            query, key, _ = self.qkv(block)
            x = self.inputs[block] + self.branch(block, self.attention(query, key))
            self.inputs.append(self.feed(x, block))
        return self.end(self.inputs[-1])[:, 0]

    # ---- the papers' formulas --------------------------------------------------------------------------------------

    def neighbour(self) -> Tensor:
        last = self.depth - 1
        key = self.qkv(last)[1]
        prefix = key.shape[1] - 16
        added = torch.zeros(key.shape[1], key.shape[1], dtype=torch.float64)
        for i in range(16):
            for j in range(16):
                apart = (i // 4 - j // 4) ** 2 + (i % 4 - j % 4) ** 2
                added[prefix + i, prefix + j] = math.exp(-apart / (2 * 5**2))
        return self.end(self.branch(last, self.attention(key, key, added)))

    def contributions(self) -> Tensor:
        """What tokens add to the representation through attention, and in equal parts what else adds to it."""
        total = torch.zeros_like(self.inputs[0])
        others = self.inputs[0][:, :1]
        for i in range(self.depth):
            query, key, value = self.qkv(i)
            to_class = self.attention(query, key)[:, :, 0]
            shares = torch.einsum("bht,bthc->bthc", to_class, value).flatten(2)
            total += self.scale(shares @ self.of(i, "out").T, i, "ls1")
            h = self.inputs[i] + self.branch(i, self.attention(query, key))
            others = others + self.scale(self.of(i, "out", "bias"), i, "ls1") + (self.feed(h, i) - h)[:, :1]
        name, eps = self.norm
        deviation = (self.inputs[-1][:, :1].var(-1, unbiased=False, keepdim=True) + eps).sqrt()

        def scaled(x: Tensor) -> Tensor:
            return (x - x.mean(-1, keepdim=True)) / deviation * self.state[f"{name}.weight"]

        shares = self.project(scaled(total))
        others = self.project(scaled(others) + self.state[f"{name}.bias"]) + shares[:, :-16].sum(1, keepdim=True)
        return 16 * shares + others


def of_timm(**options: Any) -> tuple[nn.Module, Reference]:
    size = {"img_size": 32, "patch_size": 8, "embed_dim": 24, "depth": 3, "num_heads": 3, "num_classes": 0}
    network = randomise(timm.models.vision_transformer.VisionTransformer(**size, **options))
    names = {"norm1": "norm1", "qkv": "attn.qkv", "out": "attn.proj", "norm2": "norm2"}
    names |= {"up": "mlp.fc1", "down": "mlp.fc2", **({"ls1": "ls1.gamma", "ls2": "ls2.gamma"} if options else {})}
    return network, Reference(network, "blocks.{}", names, ("norm", 1e-6))


def of_open_clip() -> tuple[nn.Module, Reference]:
    network = randomise(open_clip.transformer.VisionTransformer(32, 8, 24, 3, 3, 2.0, ls_init_value=0.5, output_dim=10))
    names = {"norm1": "ln_1", "qkv": "attn.in_proj", "out": "attn.out_proj", "norm2": "ln_2", "up": "mlp.c_fc"}
    names |= {"down": "mlp.c_proj", "ls1": "ls_1.gamma", "ls2": "ls_2.gamma"}
    reference = Reference(network, "transformer.resblocks.{}", names, ("ln_post", 1e-5), "proj", eps=1e-5)
    return project_tokens(network), reference


def of_clip() -> tuple[nn.Module, Reference]:
    config = transformers.CLIPVisionConfig(**SIZE, projection_dim=10)
    network = randomise(transformers.CLIPVisionModelWithProjection(config))
    names = {"norm1": "layer_norm1", "norm2": "layer_norm2", "up": "mlp.fc1", "down": "mlp.fc2"}
    names |= {each: f"self_attn.{each}_proj" for each in ("q", "k", "v", "out")}
    block, norm = "vision_model.encoder.layers.{}", ("vision_model.post_layernorm", 1e-5)
    reference = Reference(network, block, names, norm, "visual_projection.weight", quick_gelu, eps=1e-5)
    return Projected(network), reference


def of_dinov2() -> tuple[nn.Module, Reference]:
    network = randomise(transformers.Dinov2Model(transformers.Dinov2Config(**SIZE)))
    names = {"norm1": "norm1", "norm2": "norm2", "up": "mlp.fc1", "down": "mlp.fc2", "out": "attention.o_proj"}
    names |= {each: f"attention.{each}_proj" for each in "qkv"}
    names |= {f"ls{i}": f"layer_scale{i}.lambda1" for i in (1, 2)}
    return Pooled(network), Reference(network, "encoder.layer.{}", names, ("layernorm", 1e-6))


def of_torchvision() -> tuple[nn.Module, Reference]:
    network = torchvision.models.vision_transformer.VisionTransformer(32, 8, 3, 3, 24, 40)
    network.heads = nn.Identity()
    randomise(network)
    names = {"norm1": "ln_1", "qkv": "self_attention.in_proj", "out": "self_attention.out_proj", "norm2": "ln_2"}
    names |= {"up": "mlp.0", "down": "mlp.3"}
    return network, Reference(network, "encoder.layers.encoder_layer_{}", names, ("encoder.ln", 1e-6))


NETWORKS = {
    "timm": of_timm,
    "timm, registers and scales": lambda: of_timm(init_values=0.3, reg_tokens=2),
    "open_clip": of_open_clip,
    "transformers, CLIP": of_clip,
    "transformers, DINOv2": of_dinov2,
    "torchvision": of_torchvision,
}


@pytest.fixture(params=NETWORKS)
def network(request: pytest.FixtureRequest, inputs: Tensor) -> tuple[cw.Encoder, Reference]:
    """An encoder, and its reference that has run on the inputs."""
    module, reference = NETWORKS[request.param]()
    seen: list[Tensor] = []
    first = reference.module.get_submodule(reference.block.format(0))
    handle = first.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    with torch.no_grad():
        found = module(inputs)
    handle.remove()
    torch.testing.assert_close(found.double(), reference.run(seen[0]), rtol=1e-5, atol=1e-5)
    return encoder_of(module), reference


@pytest.mark.parametrize("kind", ["neighbour", "contributions"])
def test_maps_are_the_papers(network: tuple[cw.Encoder, Reference], inputs: Tensor, kind: str) -> None:
    encoder, reference = network
    found = encoder.forward(inputs, features=kind)
    expected = getattr(reference, kind)()[:, -16:].mT.reshape(3, -1, 4, 4)
    cells = 16 if kind == "contributions" else 1  # what a cell adds to the representation, of which the map is the mean
    torch.testing.assert_close(found.features.double() / cells, expected / cells, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found.representations, encoder.encode(inputs), rtol=1e-5, atol=1e-6)


def test_contributions_add_up_to_the_representation(network: tuple[cw.Encoder, Reference], inputs: Tensor) -> None:
    encoder, _ = network
    found = encoder.forward(inputs, features="contributions")
    torch.testing.assert_close(found.features.mean((2, 3)), encoder.encode(inputs), rtol=1e-5, atol=1e-5)


def test_the_module_stays_as_it_is(inputs: Tensor) -> None:
    module, _ = of_open_clip()
    module.train()
    encoder = encoder_of(module)
    before = encoder.encode(inputs)
    encoder.forward(inputs, features="contributions")
    assert torch.equal(encoder.encode(inputs), before)
    for part in module.modules():
        assert part.training
        assert not part._forward_hooks
        assert not part._forward_pre_hooks
    assert all(each.grad is None and each.requires_grad for each in module.parameters())


def test_rows_and_columns_are_those_of_the_picture() -> None:
    def wide(picture: Image.Image) -> Tensor:
        return to_tensor(picture.resize((40, 24)))

    torch.manual_seed(0)
    size = {"img_size": (24, 40), "patch_size": 8, "embed_dim": 24, "depth": 2, "num_heads": 2, "num_classes": 0}
    encoder = encoder_of(timm.models.vision_transformer.VisionTransformer(**size), preprocess=wide)
    assert encoder.forward(torch.rand(2, 3, 24, 40), features="neighbour").features.shape == (2, 24, 3, 5)


@pytest.mark.parametrize("kind", ["neighbour", "contributions"])
def test_low_precision_is_close(inputs: Tensor, kind: str) -> None:
    module, _ = of_open_clip()
    exact, fast = (
        encoder_of(module, precision=precision).forward(inputs, features=kind) for precision in ("float32", "bfloat16")
    )
    assert fast.features.dtype == torch.float32
    assert (fast.features - exact.features).abs().max() <= 0.05 * exact.features.abs().max()
