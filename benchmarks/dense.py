"""Which reading of a vision transformer finds the object that a prompt names, on a small CLIP trained for the purpose.

python benchmarks/dense.py [--model dense.pt] [--train 4000] [--epochs 10] [--scenes 50] [--methods …]

The image tower is a vision transformer of 14 × 14 patches with a class token, on top of the first layers of
EfficientNet-Lite0, which are not trained. Scenes and words are those of `examples/train_tiny_clip.py`: the text tower
first learns to tell the prompts apart, then the image tower learns which of them each scene shows. It never learns
where. Scenes of the evaluation have exact masks (`scenes.py`) and pairs of objects that training kept apart; each
object's prompt is asked for against the other's. AP is the median, hits the share of heatmaps that peak in the object.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from objects import seen
from PIL import Image
from scenes import Scene, Source, compose, emoji, emoji_corpus
from timm.layers import HybridEmbed
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

import cocoa_widget as cw
from cocoa_widget.encoders.preprocess import Preprocess
from cocoa_widget.encoders.sources.demo import efficientnet_lite
from cocoa_widget.evaluation import average_precision, energy, hits

sys.path.append(str(Path(__file__).parents[1] / "examples"))
import train_tiny_clip as tiny

GREY = (0.498, 0.498, 0.498), (0.502, 0.502, 0.502)
"""Mean and deviation of EfficientNet-Lite's inputs."""
READINGS = ("own", "neighbour")
METHODS: dict[str, cw.Method] = {
    **{f"tokens, {reading}": cw.PatchTokens(attention=reading) for reading in READINGS},
    "cam": cw.CAM(),
    "rise 128": cw.RISE(n_masks=128),
    "rise 1024": cw.RISE(n_masks=1024),
    "occlusion": cw.Occlusion(window=32, stride=16),
    "sharp": cw.SharpCAM(),
    "sharp + rise 128": cw.SharpCAM(masks=128),
    **{f"tokens, {reading}, edges": cw.PatchTokens(attention=reading, follow_edges=True) for reading in READINGS},
    "rise 1024, edges": cw.RISE(n_masks=1024, follow_edges=True),
}


class Stem(nn.Module):
    """The first layers of EfficientNet-Lite0: a map of 14 × 14 positions."""

    def __init__(self) -> None:
        super().__init__()
        network = efficientnet_lite(0).module.network
        self.layers = nn.Sequential(network.conv_stem, network.bn1, *network.blocks[:5]).eval().requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(F.interpolate(images, scale_factor=1.75, mode="bilinear"))


def create() -> tuple[nn.Module, VisionTransformer]:
    """Return a model that is not trained, and its image tower, which ends in a projection."""
    with TemporaryDirectory() as folder:
        config = Path(folder, f"{tiny.NAME}.json")
        config.write_text(json.dumps(tiny.CONFIG), encoding="utf-8")
        open_clip.add_model_config(config)
        torch.manual_seed(0)
        model = open_clip.create_model(tiny.NAME)
    layers = partial(HybridEmbed, backbone=Stem())
    size = {"img_size": tiny.SIDE, "embed_dim": 64, "depth": 3, "num_heads": 4, "num_classes": 256}
    model.visual = VisionTransformer(patch_size=1, embed_layer=layers, **size)
    return model, model.visual


def train(model: nn.Module, count: int, epochs: int, batch: int = 64) -> None:
    """Train the text tower to tell prompts apart, and then the image tower to say which of them a scene shows."""
    tower, tokenize = model.visual, open_clip.get_tokenizer(tiny.NAME)
    texts = torch.cat([tokenize([tiny.describe([name], each) for name in tiny.OBJECTS]) for each in tiny.TEMPLATES])
    objects = len(tiny.OBJECTS)
    apart = torch.linalg.qr(torch.randn(256, objects))[0].T
    towers = dict(model.named_parameters())
    optimiser = torch.optim.AdamW([p for name, p in towers.items() if not name.startswith("visual.")], lr=2e-3)
    for _ in range(60):
        found = model.encode_text(texts, normalize=True) @ apart.T
        loss = F.cross_entropy(20 * found, torch.arange(objects).repeat(len(tiny.TEMPLATES)))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        prompts = model.encode_text(texts[:objects], normalize=True)

    maps, shown = scenes_of(tower.patch_embed.backbone, count)
    projection = tower.patch_embed
    projection.img_size, size = None, projection.img_size
    projection.backbone, stem = nn.Identity(), projection.backbone
    with torch.no_grad():
        projection.proj.weight.div_(maps[:200].float().std())
    optimiser = torch.optim.AdamW(tower.parameters(), weight_decay=0.01, betas=(0.9, 0.98))
    steps = epochs * count // batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=2e-3, total_steps=steps, pct_start=0.1)
    tower.train()
    for step in range(steps):
        chosen = torch.randint(count, (batch,))
        with torch.autocast("cpu", torch.bfloat16):
            vectors = F.normalize(tower(maps[chosen]).float(), dim=1)
        loss = F.cross_entropy(15 * vectors @ prompts.T, shown[chosen])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if (step + 1) % 50 == 0:
            print(f"step {step + 1} of {steps}: loss {loss.item():.2f}", flush=True)
    projection.backbone, projection.img_size = stem, size


def scenes_of(stem: nn.Module, count: int) -> tuple[Tensor, Tensor]:
    """Return what the first layers make of scenes (n, c, h, w), and the share of each object in them (n, objects)."""
    painter, random = tiny.Painter(tiny.photographs(held_out=False), 0), Random(0)
    names = [tiny.choose_objects(random) for _ in range(count)]
    maps = []
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for begin in range(0, count, 50):
            images = tiny.as_batch([painter.paint(each) for each in names[begin : begin + 50]], *GREY)
            maps.append(stem(images.contiguous(memory_format=torch.channels_last)).bfloat16())
    shown = torch.tensor([[each in scene for each in tiny.OBJECTS] for scene in names]).float()
    return torch.cat(maps), shown / shown.sum(1, keepdim=True)


def encoder_of(tower: VisionTransformer) -> cw.Encoder:
    """Return an encoder whose projection comes before the class token is taken, so that patches lie in its space."""
    tower.norm, tower.head = nn.Sequential(tower.norm, tower.head), nn.Identity()
    preprocess = Preprocess(tiny.SIDE, mean=GREY[0], std=GREY[1], resample=Image.Resampling.BICUBIC)
    return cw.Encoder(tower, preprocess=preprocess, device="cpu", precision="float32", name="small CLIP")


def judge(encoder: cw.Encoder, prompts: dict[str, Tensor], scenes: list[Scene], methods: list[str]) -> None:
    """Print the ranking of methods."""
    masks = [seen(encoder, mask) for scene in scenes for mask in scene.masks.values()]
    print(f"\n{len(masks)} questions on {len(scenes)} scenes\n{'':>24}{'AP':>7}{'hits':>7}{'energy':>8}{'ms':>8}")
    for name in methods:
        heatmaps, begun = [], time.perf_counter()
        for scene in scenes:
            prepared = cw.Explainer(encoder, METHODS[name]).prepare([scene.picture], progress=False)
            one, other = scene.masks
            for corpus, foil in ((one, other), (other, one)):
                asked = prepared.explain(corpus=prompts[corpus][None], foil=prompts[foil][None], progress=False)
                heatmaps.append(asked.heatmaps[0])
        spent = 1e3 * (time.perf_counter() - begun) / len(scenes)
        found, true = np.stack(heatmaps), np.stack(masks)
        measures = np.median(average_precision(found, true)), hits(found, true).mean(), energy(found, true).mean()
        print(f"{name:>24}" + "{:7.3f}{:7.3f}{:8.3f}".format(*measures) + f"{spent:8.0f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=Path("dense.pt"), help="a checkpoint; trained if it is not there")
    parser.add_argument("--train", type=int, default=4000, help="scenes to train on")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--scenes", type=int, default=50)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    options = parser.parse_args()
    model, tower = create()
    if options.model.exists():
        model.load_state_dict(torch.load(options.model, weights_only=True), strict=False)
    else:
        train(model, options.train, options.epochs)
        trained = {name: each for name, each in model.state_dict().items() if ".backbone." not in name}
        torch.save(trained, options.model)
    model.eval()
    tokenize = open_clip.get_tokenizer(tiny.NAME)
    with torch.no_grad():
        vectors = model.encode_text(tokenize([tiny.describe([name]) for name in tiny.OBJECTS]))
    prompts = dict(zip(tiny.OBJECTS, vectors, strict=True))
    random, source = Random(1), Source(tuple(tiny.OBJECTS), emoji, emoji_corpus)
    scenes = [compose(source, random.choice(tiny.evaluation_pairs()), random) for _ in range(options.scenes)]
    encoder = encoder_of(tower)
    found = F.normalize(encoder.encode([scene.picture for scene in scenes]), dim=1) @ F.normalize(vectors, dim=1).T
    right = [
        {tiny.OBJECTS[i] for i in two} == set(s.masks) for two, s in zip(found.topk(2).indices, scenes, strict=True)
    ]
    print(f"the two best of {len(prompts)} prompts are the objects in {np.mean(right):.2f} of the scenes")
    judge(encoder, prompts, scenes, options.methods)


if __name__ == "__main__":
    main()
