"""Folders and repositories with code: none of it runs, no question is asked, and the error names the way out."""

import json
import os
import pickle
import shutil
import subprocess
import sys
import threading

import open_clip
import pytest
import timm
import torch
import transformers as hf
from safetensors.torch import save_file
from transformers import dynamic_module_utils

import cocoa_widget as cw
from cocoa_widget.encoders.sources.foreign_code import ForeignCode, refusing_code

from ..conftest import EXACT, randomise
from .test_checkpoint import Trap
from .test_open_clip import TEXT, VISION
from .test_transformers import _save

OWN = """
open({marker!r}, "w").close()
from transformers import BertConfig, BertModel, CLIPImageProcessor, CLIPTokenizer
class Config(BertConfig):
    model_type = "own"
class Model(BertModel):
    pass
class Tokenizer(CLIPTokenizer):
    pass
class Processor(CLIPImageProcessor):
    pass
"""
MAP = {
    "AutoConfig": "own.Config",
    "AutoModel": "own.Model",
    "AutoTokenizer": ["own.Tokenizer", None],
    "AutoImageProcessor": "own.Processor",
}


def _change(file, **settings):
    known = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps(known | settings))


class Folders:
    """Makes folders of models whose code would write a file, the marker, if it ran."""

    def __init__(self, root):
        self.root, self.marker = root, root / "ran"
        self.made = {}

    def own(self, name):
        folder = self.root / name
        folder.mkdir()
        (folder / "own.py").write_text(OWN.format(marker=str(self.marker)))
        return folder

    def transformers(self, name, kind="clip"):
        folder = self.own(name)
        _save(folder, kind)
        self.made[name] = f"transformers/{folder}"
        return folder

    def open_clip(self, name, weights=True, text=TEXT, vision=VISION["vit"], **text_settings):
        folder = self.own(name)
        config = {"embed_dim": 32, "vision_cfg": vision, "text_cfg": text | text_settings}
        (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": {}}))
        if weights:
            model = open_clip.CLIP(embed_dim=32, vision_cfg=VISION["vit"], text_cfg=TEXT)
            save_file(randomise(model).state_dict(), folder / "open_clip_model.safetensors")
        self.made[name] = f"open_clip/{folder}"
        return folder

    def trap(self, file):
        torch.save({"weight": torch.zeros(2), "trap": Trap(self.marker)}, file)

    def hub(self, folder, repository):
        """Put a folder into the cache of the Hugging Face hub, as if it had been downloaded."""
        cache = self.root / "hub" / f"models--{repository.replace('/', '--')}"
        (cache / "refs").mkdir(parents=True)
        (cache / "refs" / "main").write_text("0" * 40)
        shutil.copytree(folder, cache / "snapshots" / ("0" * 40))


def _make(root):
    folders = Folders(root)

    folder = folders.transformers("own config")
    _change(folder / "config.json", model_type="own", auto_map=MAP)
    folders.hub(folder, "evil/model")
    folders.made["own config on the hub"] = "transformers/evil/model"
    folder = folders.transformers("own tokenizer")
    _change(folder / "tokenizer_config.json", tokenizer_class="Tokenizer", auto_map=MAP)
    folder = folders.transformers("own tokenizer of an old form")
    _change(folder / "tokenizer_config.json", tokenizer_class="Tokenizer", auto_map=MAP["AutoTokenizer"])
    folder = folders.transformers("own processor", "dinov2")
    _change(folder / "preprocessor_config.json", image_processor_type="Processor", auto_map=MAP)
    folder = folders.transformers("asks in a nested part")
    _change(folder / "config.json", vision_config={"deep": [{"trust_remote_code": True}]})
    folder = folders.transformers("kernel")
    _change(folder / "config.json", vision_config={"attn_implementation": "kernels-community/flash-attn"})
    folder = folders.transformers("kernels by part")
    _change(folder / "config.json", attn_implementation={"text_config": "evil/kernel"})

    asks = {"hf_tokenizer_name": "evil/clip", "tokenizer_kwargs": {"trust_remote_code": True}}
    folder = folders.open_clip("tokenizer that asks", **asks)
    _save(folder, "clip")
    _change(folder / "tokenizer_config.json", tokenizer_class="Tokenizer", auto_map=MAP)
    folders.hub(folder, "evil/clip")
    folders.made["tokenizer that asks on the hub"] = "open_clip/hf-hub:evil/clip"
    folder = folders.open_clip("tokenizer that does not ask", hf_tokenizer_name="own")
    _save(folder, "clip")
    _change(folder / "tokenizer_config.json", tokenizer_class="Tokenizer", auto_map=MAP)
    folder = folders.own("tower")
    hf.BertConfig(hidden_size=32, num_attention_heads=2, num_hidden_layers=1, vocab_size=99).save_pretrained(folder)
    _change(folder / "config.json", model_type="own", auto_map=MAP)
    folders.open_clip("own text tower", hf_model_name=str(folder), hf_tokenizer_name="bert")
    folders.hub(folder, "evil/tower")
    folders.open_clip("own text tower on the hub", hf_model_name="evil/tower", hf_tokenizer_name="bert")
    folder = folders.own("kernel tower")
    hf.BertConfig(attn_implementation="sdpa").save_pretrained(folder)
    _change(folder / "config.json", attn_implementation="evil/kernel")
    folders.open_clip("kernel in a text tower", hf_model_name=str(folder))
    return folders


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return _make(tmp_path_factory.mktemp("folders"))


RUN = """
import json, sys, warnings
warnings.simplefilter("ignore")
import cocoa_widget as cw
found = {}
for case, name in json.loads(sys.argv[1]).items():
    try:
        cw.load_encoder(name, device="cpu")
        found[case] = ["loaded", ""]
    except Exception as error:
        found[case] = [type(error).__name__, str(error)]
print(json.dumps(found))
"""


@pytest.mark.parametrize("answer", ["yes to everything", "nothing: stdin is closed"])
def test_code_does_not_run_and_nothing_asks(folders, answer):
    """This runs in another process, whose console would answer a question."""
    environment = os.environ | {
        "HF_HUB_CACHE": str(folders.root / "hub"),
        "HF_HUB_OFFLINE": "1",
        "HF_MODULES_CACHE": str(folders.root / "modules"),
    }
    command = [sys.executable, "-c", RUN, json.dumps(folders.made)]
    if "closed" in answer:
        command = ["sh", "-c", 'exec "$0" "$@" <&-', *command]
    run = subprocess.run(
        command, input="y\n" * 99, capture_output=True, text=True, env=environment, check=True, timeout=240
    )
    assert "[y/N]" not in run.stdout + run.stderr
    assert not folders.marker.exists()
    assert not (folders.root / "modules").exists(), "code was copied to where it can be imported"
    found = json.loads(run.stdout.splitlines()[-1])
    for case, name in folders.made.items():
        kind, message = found[case]
        assert kind == "ForeignCode", (case, kind, message)
        assert name.partition("/")[2] in message, (case, message)
        assert "brings code of its own, which is not run (" in message
        assert "Where you trust it, load it with" in message
        assert "cocoa_widget.Encoder(" in message


@pytest.fixture
def own_folders(tmp_path):
    """Return folders for one test; after it, none of their code may have run."""
    folders = Folders(tmp_path)
    yield folders
    assert not folders.marker.exists()


def test_code_that_is_not_needed_does_not_run(own_folders):
    """Published models still have their code after transformers has adopted it; they load with that of transformers."""
    folder = own_folders.transformers("clip")
    for file in ("config", "tokenizer_config", "preprocessor_config"):
        _change(folder / f"{file}.json", auto_map=MAP)
    (folder / "custom_generate").mkdir()
    (folder / "custom_generate" / "generate.py").write_text((folder / "own.py").read_text())
    encoder = cw.load_encoder(own_folders.made["clip"], **EXACT)
    assert encoder.encode_text(["a dog"]).shape == (1, 24)


@pytest.mark.parametrize("file", ["open_clip_pytorch_model.bin", "model.pth", "anything.bin"])
def test_pickles_in_folders_of_open_clip(own_folders, file):
    folder = own_folders.open_clip("clip", weights=False)
    own_folders.trap(folder / file)
    with pytest.raises(ValueError, match=f"{file} .*could run any code; so it was not loaded"):
        cw.load_encoder(own_folders.made["clip"])
    (folder / file).write_bytes(pickle.dumps(Trap(own_folders.marker), protocol=2))
    with pytest.raises(ValueError, match=f"{file} .*could run any code; so it was not loaded"):
        cw.load_encoder(own_folders.made["clip"])
    torch.jit.script(torch.nn.Linear(2, 2)).save(folder / file)
    with pytest.raises(ValueError, match=f"{file} is a TorchScript program"):
        cw.load_encoder(own_folders.made["clip"])


def test_pickles_in_folders_of_transformers(own_folders):
    folder = own_folders.transformers("clip")
    (folder / "model.safetensors").unlink()
    own_folders.trap(folder / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"weights in .*clip .*Python objects.* not loaded.*save_pretrained"):
        cw.load_encoder(own_folders.made["clip"])


def test_pickles_that_a_folder_names_for_timm(own_folders):
    """transformers passes settings of a folder to timm."""
    folder = own_folders.own("timm")
    own_folders.trap(folder / "trap.pth")
    settings = {"architecture": "resnet18", "model_type": "timm_wrapper", "num_classes": 3}
    for arguments in ({"checkpoint_path": str(folder / "trap.pth")}, {"pretrained": True}):
        _change(folder / "config.json", **settings, model_args=arguments, pretrained_cfg={"input_size": [3, 64, 64]})
        save_file(timm.create_model("resnet18").state_dict(), folder / "model.safetensors")
        with pytest.raises((ValueError, TypeError)):
            cw.load_encoder(f"transformers/{folder}")


def test_folders_of_timm(own_folders):
    folder = own_folders.own("timm")
    own_folders.trap(folder / "pytorch_model.bin")
    _change(folder / "config.json", architecture="resnet18", pretrained_cfg={"custom_load": True})
    for scheme in ("local-dir", "hf-hub"):
        with pytest.raises(ValueError, match="timm has no network"):
            cw.load_encoder(f"timm/{scheme}:{folder}")
    with pytest.raises(ValueError, match=r"could run any code; so it was not loaded"):
        cw.load_encoder("timm/resnet18", weights=folder / "pytorch_model.bin")
    # open_clip passes the name of its tower to timm.
    vision = {"timm_model_name": f"local-dir:{folder}", "timm_model_pretrained": True, "image_size": 64}
    own_folders.open_clip("tower", vision=vision)
    with pytest.raises(ValueError, match="does not fit"):
        cw.load_encoder(own_folders.made["tower"])


@pytest.mark.parametrize(
    "settings",
    [{"bpe_path": "/dev/zero"}, {"additional_special_tokens": ["(a+)+$"]}, {"reduction_mask": "syntax"}],
)
def test_tokenizers_do_not_read_other_files_or_hang(settings, own_folders):
    own_folders.open_clip("clip", tokenizer_kwargs=settings)
    with pytest.raises(ValueError, match=rf"The folder .*clip sets '{next(iter(settings))}' .*not loaded.*Where you"):
        cw.load_encoder(own_folders.made["clip"])


def test_tokenizers_keep_harmless_settings(own_folders):
    own_folders.open_clip("clip", tokenizer_kwargs={"clean": "canonicalize"})
    encoder = cw.load_encoder(own_folders.made["clip"], **EXACT)
    assert encoder.encode_text(["A dog!"]).equal(encoder.encode_text(["a dog"]))


@pytest.mark.parametrize("contents", ["{}", "[]", "{", '{"model_cfg": {"text_cfg": []}}', "[" * 100_000])
def test_invalid_settings_are_refused(contents, own_folders):
    folder = own_folders.open_clip("clip")
    (folder / "open_clip_config.json").write_text(contents)
    with pytest.raises(ValueError, match=r"The folder .*clip has no valid open_clip_config.json"):
        cw.load_encoder(own_folders.made["clip"])
    if contents.startswith("[["):
        folder = own_folders.transformers("deep")
        (folder / "config.json").write_text(contents)
        with pytest.raises(ValueError, match=r"config.json of .*deep is nested too deeply"):
            cw.load_encoder(own_folders.made["deep"])


def test_other_threads_load_what_they_trust(tmp_path, monkeypatch):
    """Functions that run code are replaced for the thread that loads an encoder, and restored afterwards."""
    folders = Folders(tmp_path)
    folder = folders.transformers("own")
    _change(folder / "config.json", model_type="own", auto_map=MAP)
    folders.trap(folder / "trap.pth")
    for module in (hf.utils.hub, dynamic_module_utils):  # where code is copied to, and imported from
        monkeypatch.setattr(module, "HF_MODULES_CACHE", str(tmp_path / "modules"), raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = torch.load, vars(dynamic_module_utils).copy()
    found = []

    def trust():
        found.append(hf.AutoConfig.from_pretrained(folder, trust_remote_code=True))
        torch.load(folder / "trap.pth", weights_only=False)["trap"].close()
        found.append("trap")

    def load():
        with refusing_code("The folder x", "load it"):
            with refusing_code("The folder y", "load it"):
                thread = threading.Thread(target=trust)
                thread.start()
                thread.join()
            with pytest.raises(pickle.UnpicklingError):
                torch.load(folder / "trap.pth", weights_only=False)
            hf.AutoConfig.from_pretrained(folder, trust_remote_code=True)

    with pytest.raises(ForeignCode, match="The folder x brings code"):
        load()
    assert len(found) == 2
    assert folders.marker.exists()
    after = torch.load, vars(dynamic_module_utils)
    assert before[0] is after[0]
    assert before[1] == after[1]
