"""TorchScript and ONNX files."""

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torchvision.models import resnet18

import cocoa_widget as cw

from ..conftest import EXACT, explain, randomise, same


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


def test_other_files_than_torchscript_are_refused(network, tmp_path):
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


def test_wrong_onnx_files_are_reported(tmp_path):
    _save_onnx(tmp_path / "model.onnx", "n")
    with pytest.raises(ValueError, match="no output 'feature'. Did you mean features"):
        cw.load_encoder(f"onnx/{tmp_path / 'model.onnx'}", output="feature")
    (tmp_path / "noise.onnx").write_bytes(b"noise")
    with pytest.raises(ValueError, match="damaged"):
        cw.load_encoder(f"onnx/{tmp_path / 'noise.onnx'}")
    with pytest.raises(FileNotFoundError, match="no file"):
        cw.load_encoder("onnx/absent.onnx")


def _save_with_external_weights(folder, location="weights.bin", value=1.0):
    """Keep the weights of `_save_onnx` in a file beside the model, and those of a branch in another one."""
    folder.mkdir(exist_ok=True)
    _save_onnx(folder / "model.onnx", "n")
    model = onnx.load(folder / "model.onnx")
    inner = numpy_helper.from_array(np.full((1,), value, np.float32), "shift")
    onnx.external_data_helper.set_external_data(inner, "inner.bin")
    (folder / "inner.bin").write_bytes(inner.raw_data)
    inner.ClearField("raw_data")
    outputs = [helper.make_tensor_value_info("shifted", TensorProto.FLOAT, None)]
    node = helper.make_node("Identity", ["shift"], ["shifted"])
    branch = helper.make_graph([node], "branch", [], outputs, [inner])
    other = helper.make_graph([helper.make_node("Constant", [], ["shifted"], value_float=0.0)], "other", [], outputs)
    graph = model.graph
    graph.initializer.append(numpy_helper.from_array(np.array(True), "yes"))
    graph.node[-1].output[0] = "flat"
    graph.node.append(helper.make_node("If", ["yes"], ["by"], then_branch=branch, else_branch=other))
    graph.node.append(helper.make_node("Add", ["flat", "by"], ["features"]))
    weight = next(each for each in graph.initializer if each.name == "weight")
    (folder / "weights.bin").write_bytes(weight.raw_data)
    onnx.external_data_helper.set_external_data(weight, location)
    weight.ClearField("raw_data")
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    return folder / "model.onnx"


def test_weights_beside_an_onnx_file_belong_to_its_fingerprint(tmp_path, batch):
    path = _save_with_external_weights(tmp_path / "a")
    first = cw.load_encoder(f"onnx/{path}")
    same(cw.load_encoder(f"onnx/{path}").encode(batch), first.encode(batch))
    assert cw.load_encoder(f"onnx/{path}").fingerprint == first.fingerprint
    other = _save_with_external_weights(tmp_path / "b", value=2.0)  # in the body of a branch
    assert path.read_bytes() == other.read_bytes()
    second = cw.load_encoder(f"onnx/{other}")
    same(second.encode(batch), first.encode(batch) + 1)
    assert second.fingerprint != first.fingerprint
    weights = np.fromfile(other.parent / "weights.bin", np.float32)
    (2 * weights).tofile(other.parent / "weights.bin")
    assert cw.load_encoder(f"onnx/{other}").fingerprint not in (first.fingerprint, second.fingerprint)


@pytest.mark.parametrize(
    "location", ["../weights.bin", "/etc/passwd", "sub/../../weights.bin", "link.bin", "down/w.bin"]
)
def test_weights_outside_of_the_folder_are_refused(location, tmp_path):
    (tmp_path / "weights.bin").write_bytes(bytes(8 * 3 * 4 * 4 * 4))
    path = _save_with_external_weights(tmp_path / "a", location)
    (path.parent / "link.bin").symlink_to(tmp_path / "weights.bin")
    (path.parent / "down").symlink_to(tmp_path)
    with pytest.raises(ValueError, match=f"model.onnx has weights in '{location}', which is outside of its folder"):
        cw.load_encoder(f"onnx/{path}")


def test_weights_that_are_missing_or_pointers(tmp_path):
    path = _save_with_external_weights(tmp_path / "a")
    (path.parent / "weights.bin").unlink()
    with pytest.raises(ValueError, match="model.onnx has weights in 'weights.bin', which is missing"):
        cw.load_encoder(f"onnx/{path}")
    (path.parent / "weights.bin").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0")
    with pytest.raises(ValueError, match="weights.bin is a Git LFS pointer"):
        cw.load_encoder(f"onnx/{path}")
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0")
    with pytest.raises(ValueError, match="model.onnx is a Git LFS pointer"):
        cw.load_encoder(f"onnx/{path}")


def test_operations_of_other_libraries_are_refused(tmp_path):
    _save_onnx(tmp_path / "model.onnx", "n")
    model = onnx.load(tmp_path / "model.onnx")
    model.opset_import.append(helper.make_opsetid("evil", 1))
    model.graph.node[1].domain = "evil"
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(ValueError, match="evil"):
        cw.load_encoder(f"onnx/{tmp_path / 'model.onnx'}")
