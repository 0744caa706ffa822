"""Names of encoders: lists, suggestions for misspelt ones, and errors of missing packages and networks."""

import subprocess
import sys

import huggingface_hub
import pytest

import cocoa_widget as cw
from cocoa_widget.encoders import as_encoder, list_encoders
from cocoa_widget.encoders.load import SOURCES
from tests.conftest import Linear

LIBRARIES = ("torchvision", "timm", "open_clip", "transformers", "onnx", "onnxruntime", "safetensors", "pandas")


def test_names_are_listed_by_source_and_pattern():
    assert list_encoders("torchvision", "resnet1*") == [f"torchvision/resnet{n}" for n in (101, 152, 18)]
    assert list_encoders("demo") == ["demo"]
    assert "timm/vit_small_patch14_dinov2.lvd142m" in list_encoders("timm", "dinov2")
    assert "open_clip/ViT-B-32/openai" in list_encoders("open_clip")
    assert "moco/resnet50" in list_encoders("moco")
    found = list_encoders(pattern="microsoft/resnet-?0")
    assert {name.partition("/")[0] for name in found} == {"transformers"}
    assert {name.partition("/")[0] for name in list_encoders()} == {*SOURCES} - {"onnx", "torchscript"}
    with pytest.raises(ValueError, match="Did you mean timm"):
        list_encoders("tim")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("torchvison/resnet18", "Did you mean torchvision"),
        ("openclip/ViT-B-32/openai", "Did you mean open_clip"),
        ("resnet50", "Did you mean torchvision/resnet50"),
        ("timm", "use 'demo', 'torchvision/NAME', 'timm/NAME'"),
        ("timm/resnet-18", "Did you mean resnet18"),
        ("timm/vit_tiny_patch16_224.augreg", "Did you mean .*vit_tiny_patch16_224.augreg_in21k"),
    ],
)
def test_near_misses(name, says):
    with pytest.raises(ValueError, match=says):
        cw.load_encoder(name)


@pytest.mark.parametrize("name", ["timm/resnet18", "open_clip/ViT-B-32/openai", "transformers/facebook/dinov2-small"])
def test_without_a_network_the_local_way_is_named(name, monkeypatch, tmp_path):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ConnectionError, match=r"could not be downloaded .*Without a network, .*load_encoder\("):
        cw.load_encoder(name)


def _run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_importing_brings_no_library():
    code = f"import sys, cocoa_widget; print(*{{*{LIBRARIES}, 'matplotlib'}} & {{*sys.modules}})"
    assert _run(code) == ""


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [
        ("timm/resnet18", "timm", "timm"),
        ("open_clip/ViT-B-32/openai", "open_clip", "open_clip"),
        ("transformers/facebook/dinov2-small", "transformers", "transformers"),
        ("onnx/model.onnx", "onnxruntime", "onnx"),
    ],
)
def test_a_missing_package_is_named_with_its_extra(name, package, extra):
    """This runs in another interpreter, in which the package cannot be found."""
    code = f"""
import sys
from importlib.abc import MetaPathFinder
class Nothing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == {package!r}:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Nothing())
import cocoa_widget as cw
try:
    cw.load_encoder({name!r})
except ImportError as error:
    print(error)
"""
    assert f'pip install "cocoa-widget[{extra}]"' in _run(code)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("demos", "Unknown encoder 'demos': use 'demo', 'torchvision/NAME'"),
        ("demo/2", "the demo encoder is just 'demo'"),
        ("torchvision/resnet19", "no classification network 'resnet19'. Did you mean .*resnet18"),
    ],
)
def test_unknown_names_are_reported_with_suggestions(name, says):
    with pytest.raises(ValueError, match=says):
        cw.load_encoder(name)


def test_encoders_modules_and_names_become_encoders():
    module = Linear()
    encoder = cw.Encoder(module, image_size=32)
    assert as_encoder(encoder) is encoder
    assert as_encoder(module).module is module
    with pytest.raises(ValueError, match="Unknown encoder 'resnet'"):
        as_encoder("resnet")
    with pytest.raises(TypeError, match=r"a torch\.nn\.Module or a name, not int"):
        as_encoder(3)
