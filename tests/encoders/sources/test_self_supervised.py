"""Files in the layouts of the authors and of common ports, made of one network's weights."""

import argparse

import pytest
import torch
import torchvision
from torch import nn

import cocoa_widget as cw

from ..conftest import EXACT, explain, randomise, same


@pytest.fixture(scope="module")
def network():
    return randomise(torchvision.models.resnet18())


@pytest.fixture(scope="module")
def state(network):
    return {key: tensor for key, tensor in network.state_dict().items() if not key.startswith("fc.")}


def _prefixed(prefix, state):
    return {prefix + key: tensor for key, tensor in state.items()}


def _other(state):
    return {key: torch.zeros_like(tensor) for key, tensor in state.items()}


def _head(prefix):
    return {f"{prefix}.0.weight": torch.randn(16, 512), f"{prefix}.2.weight": torch.randn(8, 16)}


def _numbered(state):
    children = ["conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4", "avgpool"]
    return {f"{children.index(key.split('.')[0])}.{key.partition('.')[2]}": tensor for key, tensor in state.items()}


LAYOUTS = {
    "simclr": [
        lambda s: {"state_dict": s | {"fc.weight": torch.randn(1000, 512), "fc.bias": torch.randn(1000)}},
        lambda s: {"epoch": 9, "arch": "resnet18", "state_dict": _prefixed("backbone.", s) | _head("backbone.fc")},
        lambda s: {"state_dict": s | {"fc.weight": torch.randn(10, 512), "fc.bias": torch.randn(10)}},
        lambda s: _prefixed("encoder.", s) | _head("projector"),
        lambda s: {"state_dict": _prefixed("module.encoder.", s) | _head("module.projection_head")},
    ],
    "simsiam": [
        lambda s: {
            "epoch": 99, "args": argparse.Namespace(lr=0.1), "optimizer": {"state": {}, "param_groups": [{"lr": 0.1}]},
            "state_dict": _prefixed("module.encoder.", s) | _head("module.encoder.fc") | _head("module.predictor"),
        },
        lambda s: {"state_dict": _prefixed("backbone.", s) | _head("projector.layer1") | _head("predictor.layer1")},
    ],
    "moco": [
        lambda s: _prefixed("module.encoder_q.", s | {"fc.weight": torch.randn(128, 512), "fc.bias": torch.randn(128)}),
        lambda s: {
            "state_dict": _prefixed("module.encoder_k.", _other(s)) | _prefixed("module.encoder_q.", s)
            | _head("module.encoder_q.fc") | _head("module.encoder_k.fc") | {"module.queue": torch.randn(16, 32)}
        },
        lambda s: {
            "state_dict": _prefixed("module.momentum_encoder.", _other(s)) | _prefixed("module.base_encoder.", s)
            | _head("module.base_encoder.fc") | _head("module.predictor")
        },
    ],
    "byol": [
        lambda s: _prefixed("target_encoder.net.", _other(s)) | _prefixed("online_encoder.net.", s)
        | _head("online_encoder.projector.net"),
        lambda s: {
            "target_network_state_dict": _prefixed("encoder.", _numbered(_other(s))),
            "online_network_state_dict": _prefixed("encoder.", _numbered(s)) | _head("projetion.net"),
        },
    ],
}  # fmt: skip


@pytest.mark.parametrize(("method", "number"), [(m, i) for m, layouts in LAYOUTS.items() for i in range(len(layouts))])
def test_the_encoder_is_found_in_each_layout(method, number, network, state, tmp_path, batch):
    torch.save(LAYOUTS[method][number](state), tmp_path / "checkpoint.pth.tar")
    encoder = cw.load_encoder(f"{method}/resnet18", weights=tmp_path / "checkpoint.pth.tar", **EXACT)
    with torch.inference_mode():
        expected = nn.Sequential(*list(network.children())[:-1])(batch).flatten(1)
        same(encoder.encode(batch), expected)
    assert encoder.pooling == "avgpool"


def test_simclr_sees_pixels_from_0_to_1_and_others_normalised_ones(state):
    pictures = [cw.demo_images().load("cat/1")]
    pixels = cw.load_encoder("simclr/resnet18", weights=state, **EXACT).inputs(pictures)
    assert pixels.min() >= 0
    assert pixels.max() <= 1
    assert cw.load_encoder("moco/resnet18", weights=state, **EXACT).inputs(pictures).min() < 0


def test_networks_for_cifar_have_another_stem(tmp_path):
    theirs = torchvision.models.resnet18()
    theirs.conv1, theirs.maxpool = nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.Identity()
    randomise(theirs)
    torch.save({"state_dict": _prefixed("module.backbone.", theirs.state_dict())}, tmp_path / "cifar.pth")
    encoder = cw.load_encoder("simsiam/resnet18", weights=tmp_path / "cifar.pth", **EXACT)
    assert encoder.input_size == (32, 32)
    inputs = torch.rand(2, 3, 32, 32)
    theirs.fc = nn.Identity()
    with torch.inference_mode():
        same(encoder.encode(inputs), theirs(inputs))
    explain(encoder, inputs, cw.CAM())


def test_wrong_files_are_named(state, tmp_path):
    with pytest.raises(ValueError, match=r"SimCLR resnet34: layer1.2.conv1.weight is missing.* more"):
        cw.load_encoder("simclr/resnet34", weights=state)
    torch.save({"state_dict": {"vit.blocks.0.weight": torch.zeros(2)}}, tmp_path / "vit.pth")
    with pytest.raises(ValueError, match=r"vit.pth does not fit MoCo resnet50: none of its tensors \(vit.blocks"):
        cw.load_encoder("moco/resnet50", weights=tmp_path / "vit.pth")
    with pytest.raises(ValueError, match="no weights that can be downloaded: pass a checkpoint"):
        cw.load_encoder("byol/resnet50")
    with pytest.raises(ValueError, match="Did you mean resnet50"):
        cw.load_encoder("byol/resnet500", weights=state)
