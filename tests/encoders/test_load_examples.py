"""The scripts that load encoders run unchanged, with small local weights instead of downloads."""

import json
import runpy
from pathlib import Path

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file

from .conftest import randomise
from .sources.test_transformers import _save

EXAMPLES = Path(__file__).parents[2] / "examples"


def _main(script):
    return runpy.run_path(str(EXAMPLES / f"load_{script}.py"))["main"]


@pytest.mark.parametrize("name", ["resnet18", "vit_tiny_patch16_224"])
def test_timm(name, tmp_path, capsys):
    save_file(timm.create_model(name).state_dict(), tmp_path / "w.safetensors")
    _main("timm")(name, str(tmp_path / "w.safetensors"))
    assert "gamma" in capsys.readouterr().out


def test_torchvision(tmp_path, capsys):
    torch.save(torchvision.models.resnet18().state_dict(), tmp_path / "w.pth")
    _main("torchvision")("resnet18", str(tmp_path / "w.pth"))
    assert len(capsys.readouterr().out.splitlines()) == 5


@pytest.mark.parametrize("method", ["simclr", "simsiam", "moco", "byol"])
def test_self_supervised(method, tmp_path, capsys):
    state = torchvision.models.resnet18().state_dict()
    torch.save({"state_dict": {f"module.encoder.{key}": tensor for key, tensor in state.items()}}, tmp_path / "w.pth")
    _main("simclr")(f"{method}/resnet18", str(tmp_path / "w.pth"))
    assert "grad_cam" in capsys.readouterr().out
    _main("simclr")(f"{method}/resnet18", str(tmp_path / "absent.pth"))
    assert "Download the checkpoint" in capsys.readouterr().out


def test_transformers(tmp_path, capsys):
    _save(tmp_path, "clip")
    _main("transformers")(str(tmp_path))
    assert len(capsys.readouterr().out.splitlines()) == 1 + 3 + 1 + 4


def test_open_clip(tmp_path, capsys):
    import open_clip

    config = {
        "embed_dim": 32,
        "vision_cfg": {"image_size": 64, "layers": 2, "width": 64, "patch_size": 16},
        "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2},
    }
    save_file(randomise(open_clip.CLIP(**config)).state_dict(), tmp_path / "open_clip_model.safetensors")
    (tmp_path / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": {}}))
    _main("open_clip")(str(tmp_path))
    assert len(capsys.readouterr().out.splitlines()) == 1 + 3 + 1 + 4


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_programs(capsys):
    _main("torchscript_onnx")()
    said = capsys.readouterr().out
    assert float(said.splitlines()[0].rpartition(" ")[2]) < 1e-4
    assert "gamma" in said
