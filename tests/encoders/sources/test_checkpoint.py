"""Files without weights are refused, and nothing in them runs."""

import pickle

import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import resnet18

import cocoa_widget as cw
from cocoa_widget.encoders.sources.checkpoint import read_weights

SOURCES = ["torchvision/resnet18", "timm/resnet18", "simclr/resnet18"]


class Trap:
    """An object whose pickle creates a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("name", SOURCES)
def test_a_pickle_with_code_is_refused_and_does_not_run(name, tmp_path):
    torch.save({"state_dict": resnet18().state_dict(), "trap": Trap(tmp_path / "ran")}, tmp_path / "trap.pth")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Trap(tmp_path / "ran"), protocol=2))
    for file in ("trap.pth", "plain.pth"):
        with pytest.raises(ValueError, match=r"could run any code; so it was not loaded.*state_dict\(\)"):
            cw.load_encoder(name, weights=tmp_path / file)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", SOURCES)
def test_damaged_files(name, tmp_path):
    whole = tmp_path / "whole.pth"
    torch.save(resnet18().state_dict(), whole)
    (tmp_path / "half.pth").write_bytes(whole.read_bytes()[:100_000])
    (tmp_path / "empty.pth").write_bytes(b"")
    (tmp_path / "noise.pth").write_bytes(bytes(range(256)) * 9)
    save_file({"a": torch.zeros(9)}, tmp_path / "a.safetensors")
    (tmp_path / "half.safetensors").write_bytes((tmp_path / "a.safetensors").read_bytes()[:40])
    for file in ("half.pth", "empty.pth", "noise.pth", "half.safetensors"):
        with pytest.raises(ValueError, match=f"{file} is damaged"):
            cw.load_encoder(name, weights=tmp_path / file)


@pytest.mark.parametrize("zipped", [True, False])
def test_damage_of_any_byte_is_reported(zipped, tmp_path):
    file = tmp_path / "damaged.pth"
    torch.save({"weight": torch.zeros(2)}, file, _use_new_zipfile_serialization=zipped)
    whole = file.read_bytes()
    refused = 0
    for i in range(0, len(whole), 3):
        file.write_bytes(whole[:i] + bytes([whole[i] ^ 0xA5]) + whole[i + 1 :])
        try:
            read_weights(file)
        except ValueError:  # nothing else is raised
            refused += 1
    assert refused > 20


@pytest.mark.parametrize("name", SOURCES)
def test_other_files_are_refused(name, tmp_path):
    (tmp_path / "page.pth").write_text("<!DOCTYPE html><title>Sign in</title>")
    with pytest.raises(ValueError, match="a web page instead of weights"):
        cw.load_encoder(name, weights=tmp_path / "page.pth")
    (tmp_path / "pointer.pth").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0")
    with pytest.raises(ValueError, match="a Git LFS pointer"):
        cw.load_encoder(name, weights=tmp_path / "pointer.pth")
    torch.save([torch.zeros(2)], tmp_path / "list.pth")
    with pytest.raises(ValueError, match="holds no state dict.*but a list"):
        cw.load_encoder(name, weights=tmp_path / "list.pth")
    with pytest.raises(FileNotFoundError, match="there is no such file|There is no file"):
        cw.load_encoder(name, weights=tmp_path / "absent.pth")


@pytest.mark.parametrize("name", SOURCES)
def test_other_architectures(name):
    state = resnet18().state_dict()
    del state["layer4.1.bn2.weight"]
    with pytest.raises(ValueError, match="layer4.1.bn2.weight is missing"):
        cw.load_encoder(name, weights=state)
    state["layer4.1.bn2.weight"] = torch.zeros(7)
    with pytest.raises(ValueError, match=r"bn2.weight has the shape \(7,\) instead of \(512,\)"):
        cw.load_encoder(name, weights=state)


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
def test_values_that_would_lose_their_meaning_are_refused():
    state = resnet18().state_dict()
    name = "layer4.1.conv2.weight"
    for wrong, says in (
        (state[name].to(torch.int8), "holds int8 instead of float32"),
        (state[name].to(torch.complex64), "holds complex64 instead of float32"),
        (state[name].to("meta"), "holds no values instead of float32"),
        (state[name].to_sparse(), r"holds float32 \(sparse_coo\) instead of float32"),
        (torch.quantize_per_tensor(state[name], 0.1, 0, torch.qint8), "holds qint8 instead of float32"),
    ):
        with pytest.raises(ValueError, match=f"{name} {says}"):
            cw.load_encoder("torchvision/resnet18", weights=state | {name: wrong})
    halves = {key: tensor.half() if tensor.is_floating_point() else tensor for key, tensor in state.items()}
    cw.load_encoder("torchvision/resnet18", weights=halves)


@pytest.mark.timeout(60)
def test_dictionaries_that_hold_each_other_are_read_once(tmp_path):
    """If each occurrence were visited, these few kilobytes would take 10¹² steps."""
    inner: dict = {"weight": torch.zeros(2)}
    for _ in range(4):
        inner = {f"part {i}": inner for i in range(1000)}
    inner["itself"] = inner
    torch.save(inner, tmp_path / "nested.pth")
    assert (tmp_path / "nested.pth").stat().st_size < 200_000
    with pytest.raises(ValueError, match="nested.pth does not fit"):
        cw.load_encoder("torchvision/resnet18", weights=tmp_path / "nested.pth")
