import json
import shutil
import sys

import open_clip
import pytest
import torch
from open_clip import factory, pretrained
from safetensors.torch import save_file

import cocoa_widget as cw

from ..conftest import EXACT, explain, randomise, same

VISION = {"vit": {"image_size": 64, "layers": 2, "width": 64, "patch_size": 16}}
VISION["average"] = VISION["vit"] | {"pool_type": "avg"}
VISION["resnet"] = {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8}
PROMPTS = ["a photo of a dog", "Ünïcode 🐕"]


TEXT = {"context_length": 16, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2}


@pytest.fixture
def known(tmp_path, monkeypatch):
    """A function that registers a tiny architecture with open_clip."""
    monkeypatch.setattr(factory, "_MODEL_CONFIGS", dict(factory._MODEL_CONFIGS))
    monkeypatch.setattr(factory, "_MODEL_CONFIG_PATHS", list(factory._MODEL_CONFIG_PATHS))

    def know(name, vision, text=TEXT, **more):
        config = {"embed_dim": 32, "vision_cfg": vision, "text_cfg": text, **more}
        (tmp_path / f"{name}.json").write_text(json.dumps(config))
        open_clip.add_model_config(tmp_path / f"{name}.json")
        return name, config

    return know


@pytest.fixture(params=["vit", "average", "resnet"])
def architecture(request, known):
    return known(f"tiny-{request.param}", VISION[request.param])


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


def test_a_tag_says_how_local_weights_were_trained(known, monkeypatch, batch):
    """OpenAI's weights need another activation, and SigLIP's another preprocessing, than the architecture has."""
    name, _ = known("tiny-vit", VISION["vit"])
    trained = {"mean": (0.5, 0.4, 0.3), "std": (0.2, 0.3, 0.4), "interpolation": "bilinear", "resize_mode": "squash"}
    tag = pretrained._pcfg(url="https://localhost/none.pt", quick_gelu=True, **trained)
    monkeypatch.setitem(pretrained._PRETRAINED, name, {"theirs": tag})
    asked = {f"image_{key}": value for key, value in trained.items()}
    theirs, _, preprocess = open_clip.create_model_and_transforms(name, force_quick_gelu=True, **asked)
    randomise(theirs)
    state = theirs.state_dict()
    for key in state:  # far enough from zero for the two activations to differ
        if "mlp" in key:
            state[key] *= 12
    picture = cw.demo_images().load("cat/1")
    encoder = cw.load_encoder(f"open_clip/{name}/theirs", weights=dict(state), **EXACT)
    with torch.inference_mode():
        same(encoder.encode(batch), theirs.encode_image(batch))
        same(encoder.encode([picture]), theirs.encode_image(preprocess(picture)[None]))
        same(encoder.encode_text(PROMPTS), theirs.encode_text(open_clip.get_tokenizer(name)(PROMPTS)))
        without_tag = cw.load_encoder(f"open_clip/{name}", weights=dict(state), **EXACT)
        assert (without_tag.encode(batch) - theirs.encode_image(batch)).abs().max() > 1e-3


def test_captioning_models(known, batch):
    vision = VISION["vit"] | {"attentional_pool": True, "attn_pooler_heads": 4, "output_tokens": True}
    text = TEXT | {"embed_cls": True, "output_tokens": True}
    decoder = {"context_length": 16, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 1}
    name, _ = known("tiny-coca", vision, text, multimodal_cfg=decoder, custom_text=True)
    theirs = randomise(open_clip.create_model(name))
    encoder = cw.load_encoder(f"open_clip/{name}", weights=theirs.state_dict(), **EXACT)
    with torch.inference_mode():
        same(encoder.encode(batch), theirs.encode_image(batch, normalize=False))
        tokens = open_clip.get_tokenizer(name)(PROMPTS)
        same(encoder.encode_text(PROMPTS), theirs.encode_text(tokens, normalize=False))
    assert encoder.tokens is None  # it pools the outputs of its queries, not patches
    explain(encoder, batch, cw.RISE(n_masks=16))


def test_old_checkpoints(known, batch):
    name, _ = known("tiny-vit", VISION["vit"])
    theirs = randomise(open_clip.create_model(name))
    old = {"logit_scale": torch.ones(1), "text.transformer.embeddings.position_ids": torch.arange(16)[None]}
    encoder = cw.load_encoder(f"open_clip/{name}", weights=theirs.state_dict() | old, **EXACT)
    with torch.inference_mode():
        same(encoder.encode(batch), theirs.encode_image(batch))


@pytest.mark.slow  # open_clip tries the network again and again
def test_missing_packages_of_a_tokeniser_are_named(known, monkeypatch):
    name, _ = known("tiny-other-words", VISION["vit"], TEXT | {"hf_tokenizer_name": "other/words"})
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ImportError, match=r'tiny-other-words .*transformers.*pip install "cocoa-widget\[open_clip\]"'):
        cw.load_encoder(f"open_clip/{name}", weights=None)


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


def _folder(folder):
    config = {"embed_dim": 32, "vision_cfg": VISION["vit"], "text_cfg": TEXT}
    folder.mkdir(exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": {}}))
    theirs = randomise(open_clip.CLIP(**config))
    save_file(theirs.state_dict(), folder / "open_clip_model.safetensors")
    return folder


def test_a_folder_without_weights_is_no_random_model(tmp_path):
    folder = _folder(tmp_path / "clip")
    weights = folder / "open_clip_model.safetensors"
    state = weights.read_bytes()
    for name in ("a.safetensors", "b.safetensors"):
        (folder / name).write_bytes(state)
    weights.unlink()
    with pytest.raises(ValueError, match=r"has several files that may be \(a.safetensors, b.safetensors\)"):
        cw.load_encoder(f"open_clip/{folder}")
    (folder / "a.safetensors").unlink()
    cw.load_encoder(f"open_clip/{folder}")
    (folder / "b.safetensors").unlink()
    with pytest.raises(ValueError, match=r"The folder .*clip must hold its weights .*has none"):
        cw.load_encoder(f"open_clip/{folder}")
    cw.load_encoder(f"open_clip/{folder}", weights=None)


def test_a_folder_whose_weights_were_not_downloaded(tmp_path):
    folder = _folder(tmp_path / "clip")
    (folder / "open_clip_model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0")
    with pytest.raises(ValueError, match="open_clip_model.safetensors is a Git LFS pointer"):
        cw.load_encoder(f"open_clip/{folder}")


def test_text_towers_that_differ_have_other_fingerprints(tmp_path):
    """The towers have the same weights and modules."""
    folder = _folder(tmp_path / "clip")
    first = cw.load_encoder(f"open_clip/{folder}", **EXACT).text
    shutil.copytree(folder, tmp_path / "copy")
    assert cw.load_encoder(f"open_clip/{tmp_path / 'copy'}", **EXACT).text.fingerprint == first.fingerprint
    seen = {first.fingerprint}
    for change in (
        {"tokenizer_kwargs": {"clean": "canonicalize"}},
        {"pool_type": "last"},
        {"no_causal_mask": True},
    ):
        config = {"embed_dim": 32, "vision_cfg": VISION["vit"], "text_cfg": TEXT | change}
        (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": {}}))
        seen.add(cw.load_encoder(f"open_clip/{folder}", **EXACT).text.fingerprint)
    assert len(seen) == 4
