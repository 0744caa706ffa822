"""Networks of torchvision, with published and local weights."""

import pytest
import torch
import torchvision

import cocoa_widget as cw


def test_torchvision_encoders_give_the_penultimate_representation(tmp_path, inputs):
    torch.manual_seed(0)
    network = torchvision.models.resnet18(num_classes=7).eval()
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    encoder = cw.load_encoder("torchvision/resnet18", weights=tmp_path / "weights.pth", precision="float32")
    assert encoder.name == "resnet18"
    assert encoder.input_size == (224, 224)
    found = encoder.encode(inputs)
    with torch.inference_mode():
        torch.testing.assert_close(network.fc(found), network(inputs), atol=1e-5, rtol=1e-4)
    assert encoder.pooling == "avgpool"


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "squeezenet1_1", "vit_b_32"])
def test_torchvision_encoders_of_other_shapes(name):
    if name == "squeezenet1_1":
        with pytest.raises(ValueError, match="no linear classifier"):
            cw.load_encoder(f"torchvision/{name}", weights=None)
        return
    encoder = cw.load_encoder(f"torchvision/{name}", weights=None, precision="float32")
    assert encoder.encode(torch.zeros(1, 3, 224, 224)).shape == (1, {"mobilenet_v3_small": 1024, "vit_b_32": 768}[name])


def test_weights_that_do_not_fit_are_named(tmp_path):
    torch.save(torchvision.models.resnet34().state_dict(), tmp_path / "other.pth")
    with pytest.raises(ValueError, match=r"other.pth does not fit resnet18: .*layer1.2.*unknown.*more"):
        cw.load_encoder("torchvision/resnet18", weights=tmp_path / "other.pth")
    with pytest.raises(FileNotFoundError, match=r"no weights 'IMAGENET22K'.*IMAGENET1K_V1"):
        cw.load_encoder("torchvision/resnet18", weights="IMAGENET22K")
