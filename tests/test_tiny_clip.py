"""The example that trains a small CLIP: scenes, training, saving and loading, and what it prints."""

import math
import re
from importlib.util import module_from_spec, spec_from_file_location
from itertools import combinations
from pathlib import Path
from random import Random

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

import cocoa_widget as cw

SCRIPT = Path(__file__).parents[1] / "examples" / "train_tiny_clip.py"
STEPS, BATCH = 80, 32


@pytest.fixture(scope="module")
def tiny():
    spec = spec_from_file_location("train_tiny_clip", SCRIPT)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def trained(tiny, tmp_path_factory):
    """The folder that a very short training leaves, and what it printed."""
    folder = tmp_path_factory.mktemp("tiny_clip")
    arguments = ["--steps", str(STEPS), "--batch", str(BATCH), "--scenes", "3", "--out", str(folder)]
    with pytest.MonkeyPatch.context() as patch:
        lines: list[str] = []
        patch.setattr(tiny, "print", lambda *words, **_: lines.append(" ".join(map(str, words))), raising=False)
        tiny.main(arguments)
    return folder, "\n".join(lines)


@pytest.fixture(scope="module")
def pictures(tiny):
    return [Image.fromarray(scene.pixels) for scene in tiny.compose_tests(3)]


def test_its_loss_falls_below_chance(trained):
    losses = [float(each) for each in re.findall(r"loss (\d+\.\d+)", trained[1])]
    assert len(losses) == 20
    assert np.mean(losses[-4:]) < min(losses[0], math.log(BATCH)) - 0.2


def test_it_prints_a_hit_rate_and_energy_for_each_method(tiny, trained):
    chance = re.search(r"^chance +(\d\.\d\d) +(\d\.\d\d)$", trained[1], re.M)
    assert 0.02 < float(chance[1]) < 0.25
    for label in ("CAM", "RISE", "Grad-CAM"):
        row = re.search(rf"^{label} +(\d\.\d\d) +(\d\.\d\d) +\d+$", trained[1], re.M)
        assert 0 <= float(row[1]) <= 1
        assert 0 < float(row[2]) < 1
    assert re.search(r"^patch tokens +– .*no patch tokens", trained[1], re.M)


def test_it_draws_a_figure(trained):
    with Image.open(trained[0] / "scenes.png") as figure:
        assert min(figure.size) > 500
        assert (np.ptp(np.asarray(figure.convert("RGB")).astype(int), axis=2) > 100).mean() > 0.01, "coloured"


def test_the_checkpoint_loads_by_name_with_equal_representations(tiny, trained, pictures):
    folder, _ = trained
    # The processor's fast format rounds; equal to 1e-5 can only be what is computed in float32.
    encoder = cw.load_encoder(f"open_clip/{tiny.NAME}", weights=str(folder / "checkpoint.pt"), precision="float32")
    model, _, preprocess = open_clip.create_model_and_transforms(
        tiny.NAME, pretrained=str(folder / "checkpoint.pt"), weights_only=True
    )
    model.eval()
    prompts = ["a photo of a dog", "a bicycle and a trumpet"]
    with torch.inference_mode():
        images = model.encode_image(torch.stack([preprocess(picture) for picture in pictures]))
        texts = model.encode_text(open_clip.get_tokenizer(tiny.NAME)(prompts))
    torch.testing.assert_close(encoder.encode(pictures).cpu(), images, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(encoder.encode_text(prompts).cpu(), texts, atol=1e-5, rtol=1e-5)


def test_cam_is_exact(tiny, trained, pictures):
    encoder = cw.load_encoder(f"open_clip/{tiny.NAME}", weights=str(trained[0] / "checkpoint.pt"))
    dog, key = encoder.encode_text(["a dog", "a key"]).split(1)
    found = cw.Explainer(encoder, "cam").explain(pictures, corpus=dog, foil=key)
    assert found.scores.std() > 0
    np.testing.assert_allclose(found.heatmaps.sum((1, 2)), found.scores, rtol=1e-3, atol=1e-4)


def test_the_same_seed_gives_the_same_model(tiny):
    def losses() -> list[float]:
        torch.manual_seed(0)
        return tiny.train(open_clip.create_model(tiny.NAME), steps=3, batch=8)

    assert losses() == losses()


def test_training_never_shows_a_pair_of_the_evaluation(tiny):
    random = Random(0)
    seen = {frozenset(pair) for _ in range(400) for pair in combinations(tiny.choose_objects(random), 2)}
    asked = {frozenset(scene.boxes) for scene in tiny.compose_tests(60)}
    assert len(seen) > 300
    assert len(asked) > 40
    assert not seen & asked


def test_objects_lie_in_their_boxes_and_not_on_each_other(tiny):
    plain = Image.new("RGB", (tiny.SIDE, tiny.SIDE), (10, 20, 30))
    painter = tiny.Painter([plain], seed=3)
    for _ in range(5):
        scene = painter.paint(["dog", "key", "whale"])
        inside = np.sum([tiny.region(box) for box in scene.boxes.values()], axis=0)
        drawn = (scene.pixels != (10, 20, 30)).any(axis=2)
        assert inside.max() == 1
        assert not drawn[inside == 0].any()
        assert all(drawn[tiny.region(box)].mean() > 0.1 for box in scene.boxes.values())


def test_captions_name_what_is_there(tiny):
    assert tiny.describe(["owl", "dog"]) == "a photo of an owl and a dog"
