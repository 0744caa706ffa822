import json
import shutil

import pytest
import sentencepiece
import torch
import transformers as hf

import cocoa_widget as cw

from ..conftest import EXACT, explain, randomise, same

VISION = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 64,
    "patch_size": 16,
}  # fmt: skip
TEXT = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 512,
    "max_position_embeddings": 12,
}  # fmt: skip
PROMPTS = ["a dog", "a cat and a dog"]


def _tokenizer(folder, kind):
    """Make a tokeniser in the real format, with pieces learnt from a few sentences, or letters as words."""
    if kind == "siglip":
        with (folder / "spiece.model").open("wb") as file:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(["a dog and a cat and a bird", "a photo of the dog"] * 20), model_writer=file,
                vocab_size=40, hard_vocab_limit=False, pad_id=0, eos_id=1, unk_id=2, bos_id=-1, minloglevel=2,
            )  # fmt: skip
        return hf.SiglipTokenizer(str(folder / "spiece.model"), model_max_length=12)
    letters = [*"abcdefghijklmnopqrstuvwxyz"]
    words = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    (folder / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return hf.CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=12)


def _save(folder, kind):
    size = {"height": 64, "width": 64}
    if kind == "clip":
        ends = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
        model = hf.CLIPModel(hf.CLIPConfig(text_config=TEXT | ends, vision_config=VISION, projection_dim=24))
        processor = hf.CLIPImageProcessor(size={"shortest_edge": 64}, crop_size=size)
    elif kind.startswith("siglip"):
        config, create = (hf.SiglipConfig, hf.SiglipModel) if kind == "siglip" else (hf.Siglip2Config, hf.Siglip2Model)
        model = create(config(text_config=TEXT | {"projection_size": 32}, vision_config=VISION))
        processor = hf.SiglipImageProcessor(size=size)
    elif kind == "dinov2":
        model = hf.Dinov2Model(hf.Dinov2Config(**VISION))
        processor = hf.BitImageProcessor(size={"shortest_edge": 64}, crop_size=size)
    elif kind == "vit":
        model = hf.ViTForImageClassification(hf.ViTConfig(**VISION))
        processor = hf.ViTImageProcessor(size=size)
    else:
        config = hf.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16, 16, 32], depths=[1, 1, 1, 1])
        model, processor = hf.ResNetModel(config), hf.ConvNextImageProcessor(size={"shortest_edge": 64}, crop_pct=1.0)
    randomise(model).save_pretrained(folder)
    processor.save_pretrained(folder)
    if kind in ("clip", "siglip"):
        _tokenizer(folder, kind).save_pretrained(folder)
    return model.eval(), processor


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_images_and_prompts_of_joint_models(tmp_path, kind, batch):
    theirs, processor = _save(tmp_path, kind)
    encoder = cw.load_encoder(f"transformers/{tmp_path}", **EXACT)
    picture = cw.demo_images().load("cat/1")
    tokens = hf.AutoTokenizer.from_pretrained(tmp_path)(
        PROMPTS, padding="max_length" if kind == "siglip" else True, max_length=12, truncation=True, return_tensors="pt"
    )
    with torch.inference_mode():
        same(encoder.encode(batch), theirs.get_image_features(batch).pooler_output)
        pixels = processor(images=picture, return_tensors="pt")["pixel_values"]
        same(encoder.encode([picture]), theirs.get_image_features(pixels).pooler_output)
        same(encoder.encode_text(PROMPTS), theirs.get_text_features(**tokens).pooler_output)
    assert encoder.text.cuts(["a dog", "a photo of a dog and a cat and a bird"]) == [False, True]


@pytest.mark.parametrize("kind", ["dinov2", "resnet", "vit"])
def test_images_of_vision_models(tmp_path, kind, batch):
    theirs, processor = _save(tmp_path, kind)
    encoder = cw.load_encoder(f"transformers/{tmp_path}", **EXACT)
    picture = cw.demo_images().load("cat/1")
    pixels = processor(images=picture, return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        for images, found in ((batch, encoder.encode(batch)), (pixels, encoder.encode([picture]))):
            if kind == "vit":  # its pooler has not been trained, its class token has
                same(found, theirs.vit(images).last_hidden_state[:, 0])
            else:
                same(found, theirs(images).pooler_output.flatten(1))
    assert encoder.text is None
    with pytest.raises(cw.EncoderError, match="no text tower"):
        encoder.encode_text("a dog")


def test_methods_explain_models_of_transformers(tmp_path, batch):
    for kind, method in (("clip", cw.PatchTokens()), ("dinov2", cw.PatchTokens()), ("resnet", cw.CAM())):
        (tmp_path / kind).mkdir()
        _save(tmp_path / kind, kind)
        explain(cw.load_encoder(f"transformers/{tmp_path / kind}", **EXACT), batch, method)


def test_other_weights_for_a_folder(tmp_path, batch):
    theirs, _ = _save(tmp_path, "dinov2")
    randomise(theirs)
    torch.save(theirs.state_dict(), tmp_path / "other.pth")
    encoder = cw.load_encoder(f"transformers/{tmp_path}", weights=tmp_path / "other.pth", **EXACT)
    with torch.inference_mode():
        same(encoder.encode(batch), theirs(batch).pooler_output)
    torch.save(torch.nn.Linear(2, 2).state_dict(), tmp_path / "linear.pth")
    with pytest.raises(ValueError, match=r"linear.pth does not fit .*weight, bias"):
        cw.load_encoder(f"transformers/{tmp_path}", weights=tmp_path / "linear.pth")


def test_old_checkpoints_count_positions(tmp_path, batch):
    theirs, _ = _save(tmp_path, "clip")
    randomise(theirs)
    state = theirs.state_dict() | {"text_model.embeddings.position_ids": torch.arange(12)[None]}
    torch.save(state, tmp_path / "old.bin")
    encoder = cw.load_encoder(f"transformers/{tmp_path}", weights=tmp_path / "old.bin", **EXACT)
    with torch.inference_mode():
        same(encoder.encode(batch), theirs.get_image_features(batch).pooler_output)


def test_missing_packages_of_a_tokeniser_are_named(tmp_path, monkeypatch):
    _save(tmp_path, "siglip")
    monkeypatch.setattr(hf.utils.import_utils, "is_sentencepiece_available", lambda: False)
    monkeypatch.setattr(hf.SiglipTokenizer, "__init__", lambda self, *_, **__: _missing())
    with pytest.raises(ImportError, match=r'SentencePiece.*pip install "cocoa-widget\[transformers\]"'):
        cw.load_encoder(f"transformers/{tmp_path}")


def _missing():
    raise ImportError("SiglipTokenizer requires the SentencePiece library but it was not found.\nInstall it.")


def test_code_that_a_folder_brings_does_not_run(tmp_path):
    (tmp_path / "config.json").write_text(
        json.dumps({"model_type": "own", "auto_map": {"AutoConfig": "own.Config", "AutoModel": "own.Model"}})
    )
    (tmp_path / "own.py").write_text(
        f"from transformers import PretrainedConfig\nopen({str(tmp_path / 'ran')!r}, 'w')\n"
        "class Config(PretrainedConfig):\n    model_type = 'own'\n"
    )
    with pytest.raises(ValueError, match="brings code of its own, which is not run"):
        cw.load_encoder(f"transformers/{tmp_path}")
    assert not (tmp_path / "ran").exists()


def test_folders_that_do_not_fit(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        cw.load_encoder(f"transformers/{tmp_path / 'absent'}")
    _save(tmp_path, "dinov2")
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:200])
    with pytest.raises(ValueError, match="damaged"):
        cw.load_encoder(f"transformers/{tmp_path}")


def test_text_towers_that_differ_have_other_fingerprints(tmp_path):
    _save(tmp_path, "clip")
    seen = {cw.load_encoder(f"transformers/{tmp_path}", **EXACT).text.fingerprint}
    copy = tmp_path / "copy"
    shutil.copytree(tmp_path, copy)
    assert cw.load_encoder(f"transformers/{copy}", **EXACT).text.fingerprint in seen
    rules = copy / "tokenizer.json"
    rules.write_text(rules.read_text().replace('"a</w>"', '"A</w>"'))
    seen.add(cw.load_encoder(f"transformers/{copy}", **EXACT).text.fingerprint)
    config = json.loads((copy / "config.json").read_text())
    config["text_config"]["eos_token_id"] = 2
    (copy / "config.json").write_text(json.dumps(config))
    seen.add(cw.load_encoder(f"transformers/{copy}", **EXACT).text.fingerprint)
    assert len(seen) == 3


def test_a_folder_whose_weights_were_not_downloaded(tmp_path):
    _save(tmp_path, "dinov2")
    (tmp_path / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0")
    with pytest.raises(ValueError, match="model.safetensors is a Git LFS pointer"):
        cw.load_encoder(f"transformers/{tmp_path}")
