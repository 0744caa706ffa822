import pytest
import timm
import torch
from safetensors.torch import save_file

import cocoa_widget as cw

from ..conftest import EXACT, explain, randomise, same


@pytest.mark.parametrize("kind", ["pth", "safetensors"])
@pytest.mark.parametrize("name", ["resnet18", "vit_tiny_patch16_224"])
def test_representations_are_timms(tmp_path, name, kind):
    theirs = randomise(timm.create_model(name, num_classes=5))
    path = tmp_path / f"w.{kind}"
    if kind == "pth":
        torch.save({"state_dict": {f"module.{key}": tensor for key, tensor in theirs.state_dict().items()}}, path)
    else:
        save_file(theirs.state_dict(), path)
    encoder = cw.load_encoder(f"timm/{name}", weights=path, **EXACT)
    inputs = torch.randn(2, 3, 224, 224)
    with torch.inference_mode():
        same(encoder.classifier(encoder.encode(inputs)), theirs(inputs))
        theirs.reset_classifier(0)
        same(encoder.encode(inputs), theirs(inputs))
        picture = cw.demo_images().load("cat/1")
        transform = timm.data.create_transform(**timm.data.resolve_model_data_config(theirs))
        same(encoder.encode([picture]), theirs(transform(picture)[None]))


def test_a_convolutional_network_has_cam_and_a_transformer_patch_tokens():
    inputs = torch.randn(2, 3, 224, 224)
    cnn = cw.load_encoder("timm/resnet18", weights=None, **EXACT)
    assert cnn.pooling is not None
    assert cnn.last_map == "layer4"
    explain(cnn, inputs, cw.CAM())
    explain(cnn, inputs, cw.GradCAM())
    vit = cw.load_encoder("timm/vit_tiny_patch16_224", weights=None, **EXACT)
    assert (vit.tokens.prefix, vit.tokens.rows, vit.tokens.columns) == (1, 14, 14)
    assert vit.last_map.startswith("patch_embed"), "the heads of its attention are no picture"
    explain(vit, inputs, cw.PatchTokens())
    explain(vit, inputs, cw.CAM())


def test_a_transformer_of_another_size():
    encoder = cw.load_encoder("timm/vit_tiny_patch16_224", weights=None, image_size=64, **EXACT)
    assert encoder.input_size == (64, 64)
    assert encoder.encode([cw.demo_images().load("cat/1")]).shape == (1, 192)


def test_a_state_dict_with_a_prefix_and_a_projection_head(tmp_path):
    """The file has the layout of DINO's training; its backbone is chosen."""
    theirs = randomise(timm.create_model("vit_tiny_patch16_224", num_classes=0))
    state = {f"module.backbone.{key}": tensor for key, tensor in theirs.state_dict().items()}
    wrong = {key: torch.zeros_like(tensor) for key, tensor in state.items()}
    head = {"module.head.mlp.0.weight": torch.randn(8, 192)}
    torch.save({"student": wrong, "teacher": state | head, "epoch": 3}, tmp_path / "dino.pth")
    encoder = cw.load_encoder(
        "timm/vit_tiny_patch16_224", weights=torch.load(tmp_path / "dino.pth")["teacher"], **EXACT
    )
    inputs = torch.randn(2, 3, 224, 224)
    with torch.inference_mode():
        same(encoder.encode(inputs), theirs(inputs))
