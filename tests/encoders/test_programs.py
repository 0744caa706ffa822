"""TorchScript and ONNX files."""

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torchvision.models import resnet18

import cocoa_widget as cw

from .conftest import EXACT, explain, randomise, same


@pytest.fixture
def network():
    theirs = randomise(resnet18())
    theirs.fc = torch.nn.Identity()
    return theirs


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_torchscript(network, tmp_path, batch):
    torch.jit.script(network).save(tmp_path / "program.pt")
    encoder = cw.load_encoder(f"torchscript/{tmp_path / 'program.pt'}", image_size=64, **EXACT)
    with torch.inference_mode():
        same(encoder.encode(batch), network(batch))
    assert encoder.name == "program"
    explain(encoder, batch, cw.RISE(n_masks=64))
    explain(encoder, batch, cw.Saliency())
    with pytest.raises(cw.NoFeatureMap):
        explain(encoder, batch, cw.CAM())


def test_what_is_no_torchscript(network, tmp_path):
    torch.save(network.state_dict(), tmp_path / "w.pth")
    with pytest.raises(ValueError, match="holds weights and no TorchScript program"):
        cw.load_encoder(f"torchscript/{tmp_path / 'w.pth'}")
    (tmp_path / "noise.pt").write_bytes(b"noise")
    with pytest.raises(ValueError, match="damaged"):
        cw.load_encoder(f"torchscript/{tmp_path / 'noise.pt'}")
    with pytest.raises(FileNotFoundError, match="no file"):
        cw.load_encoder("torchscript/absent.pt")


def _save_onnx(path, batch_size):
    """A convolution and global average pooling."""
    weight = np.random.default_rng(0).standard_normal((8, 3, 4, 4)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["images", "weight"], ["map"], strides=[4, 4]),
        helper.make_node("Relu", ["map"], ["positive"]),
        helper.make_node("GlobalAveragePool", ["positive"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["features"]),
    ]
    graph = helper.make_graph(
        nodes,
        "encoder",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch_size, 3, 64, 64])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [batch_size, 8])],
        [numpy_helper.from_array(weight, "weight")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return torch.from_numpy(weight)


@pytest.mark.parametrize("batch_size", ["n", 1, 3])
def test_onnx(tmp_path, batch, batch_size):
    weight = _save_onnx(tmp_path / "model.onnx", batch_size)
    encoder = cw.load_encoder(f"onnx/{tmp_path / 'model.onnx'}")
    assert encoder.input_size == (64, 64)
    expected = torch.nn.functional.conv2d(batch, weight, stride=4).relu().mean((2, 3))
    torch.testing.assert_close(encoder.encode(batch), expected, atol=1e-5, rtol=1e-5)
    explain(encoder, batch, cw.RISE(n_masks=64))
    with pytest.raises(cw.EncoderError, match="without gradients"):
        explain(encoder, batch, cw.Saliency())


def test_what_is_wrong_with_an_onnx_file(tmp_path):
    _save_onnx(tmp_path / "model.onnx", "n")
    with pytest.raises(ValueError, match="no output 'feature'. Did you mean features"):
        cw.load_encoder(f"onnx/{tmp_path / 'model.onnx'}", output="feature")
    (tmp_path / "noise.onnx").write_bytes(b"noise")
    with pytest.raises(ValueError, match="damaged"):
        cw.load_encoder(f"onnx/{tmp_path / 'noise.onnx'}")
    with pytest.raises(FileNotFoundError, match="no file"):
        cw.load_encoder("onnx/absent.onnx")
