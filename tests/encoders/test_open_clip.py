import json

import open_clip
import pytest
import torch
from open_clip import factory
from safetensors.torch import save_file

import cocoa_widget as cw

from .conftest import EXACT, explain, randomise, same

VISION = {"vit": {"image_size": 64, "layers": 2, "width": 64, "patch_size": 16}}
VISION["average"] = VISION["vit"] | {"pool_type": "avg"}
VISION["resnet"] = {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8}
PROMPTS = ["a photo of a dog", "Ünïcode 🐕"]


@pytest.fixture(params=["vit", "average", "resnet"])
def architecture(request, tmp_path, monkeypatch):
    """A tiny architecture that open_clip knows by name."""
    text = {"context_length": 16, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2}
    config = {"embed_dim": 32, "vision_cfg": VISION[request.param], "text_cfg": text}
    name = f"tiny-{request.param}"
    (tmp_path / f"{name}.json").write_text(json.dumps(config))
    monkeypatch.setattr(factory, "_MODEL_CONFIGS", dict(factory._MODEL_CONFIGS))
    monkeypatch.setattr(factory, "_MODEL_CONFIG_PATHS", list(factory._MODEL_CONFIG_PATHS))
    open_clip.add_model_config(tmp_path / f"{name}.json")
    return name, config


@pytest.mark.parametrize("form", ["pt", "safetensors", "folder"])
def test_images_and_prompts_are_open_clips(architecture, form, tmp_path, batch):
    name, config = architecture
    theirs = randomise(open_clip.create_model(name))
    if form == "folder":
        save_file(theirs.state_dict(), tmp_path / "open_clip_model.safetensors")
        (tmp_path / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": {}}))
        encoder = cw.load_encoder(f"open_clip/{tmp_path}", **EXACT)
    elif form == "pt":
        state = {f"module.{key}": tensor for key, tensor in theirs.state_dict().items()}
        torch.save({"epoch": 1, "name": "run", "state_dict": state}, tmp_path / "epoch_1.pt")
        encoder = cw.load_encoder(f"open_clip/{name}", weights=tmp_path / "epoch_1.pt", **EXACT)
    else:
        save_file(theirs.state_dict(), tmp_path / "w.safetensors")
        encoder = cw.load_encoder(f"open_clip/{name}", weights=tmp_path / "w.safetensors", **EXACT)
    _, _, preprocess = open_clip.create_model_and_transforms(name)
    picture = cw.demo_images().load("cat/1")
    with torch.inference_mode():
        same(encoder.encode(batch), theirs.encode_image(batch))
        same(encoder.encode([picture]), theirs.encode_image(preprocess(picture)[None]))
        same(encoder.encode_text(PROMPTS), theirs.encode_text(open_clip.get_tokenizer(name)(PROMPTS)))
    assert encoder.text.cuts(["a dog", "a dog " * 20]) == [False, True]


def test_its_patch_tokens_lie_in_the_space_of_texts(architecture, batch):
    name, _ = architecture
    encoder = cw.load_encoder(f"open_clip/{name}", weights=None, **EXACT)
    if name == "tiny-resnet":
        assert encoder.tokens is None
        explain(encoder, batch, cw.GradCAM())
        return
    assert (encoder.tokens.rows, encoder.tokens.columns) == (4, 4)
    assert encoder.tokens.exact == (name == "tiny-average")
    assert encoder.forward(batch, features="tokens").features.shape == (2, 32, 4, 4)
    explain(encoder, batch, cw.PatchTokens())


def test_names_that_do_not_exist():
    with pytest.raises(ValueError, match=r"no architecture 'ViT-B32'. Did you mean .*ViT-B-32"):
        cw.load_encoder("open_clip/ViT-B32/openai")
    with pytest.raises(ValueError, match=r"no weights 'opnai' of ViT-B-32. Did you mean openai"):
        cw.load_encoder("open_clip/ViT-B-32/opnai")
    with pytest.raises(ValueError, match=r"Say which weights of ViT-B-32: .*openai"):
        cw.load_encoder("open_clip/ViT-B-32")
