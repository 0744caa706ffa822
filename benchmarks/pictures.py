"""The pictures of the documentation: heatmaps of each method, and a scene of four objects.

python benchmarks/pictures.py [--only methods objects] [--folder docs/pictures]

Orange is above zero and blue below it. Each heatmap has a scale of its own, symmetric about zero: its largest half
percent is opaque.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray
from objects import Questions
from peer_methods import PEERS
from PIL import Image, ImageDraw, ImageFont
from scenes import CUT_OUTS, compose

import cocoa_widget as cw

SIDE, GAP, HEADER = 150, 6, 20
ORANGE, BLUE = (230, 97, 1), (20, 80, 200)
SHOWN = ("mosaic/2", "coffee/1", "flower/1")
"""Explicands of the methods' pictures, and for which kind each: the second of the mosaic's quarters shows a cat."""
ASKED = ("cat", "coffee", "flower")
METHODS: dict[str, cw.Method] = {
    "rise": cw.RISE(),
    "cam": cw.CAM(),
    "sharp": cw.SharpCAM(),
    "sharp-no-edges": cw.SharpCAM(follow_edges=False),
    "occlusion": cw.Occlusion(window=32, stride=16),
    "kernel_shap": cw.KernelSHAP(),
    "integrated_gradients": cw.IntegratedGradients(),
    "gradient_shap": cw.GradientSHAP(),
    "grad_cam": cw.GradCAM(),
    "saliency": cw.Saliency(),
    "input_x_gradient": cw.InputXGradient(),
    "smoothgrad": cw.SmoothGrad(),
}
SEED, NAMES = 3, ("cat", "coffee", "motorcycle", "flower")
"""Of the scene of four objects, of which the first two are explained."""


def overlay(picture: Image.Image, heatmap: NDArray[np.float32]) -> Image.Image:
    """Lay a heatmap (H, W) over a square picture that it belongs to."""
    grey = np.asarray(picture.convert("L").resize((SIDE, SIDE)), np.float32)[..., None]
    grey = 90 + 0.6 * grey  # pale, so that colours stand out
    small = np.asarray(Image.fromarray(heatmap).resize((SIDE, SIDE), Image.Resampling.BOX))[..., None]
    opacity = (np.abs(small) / max(float(np.quantile(np.abs(small), 0.995)), 1e-30)).clip(0, 1)
    mixed = grey + opacity * (np.where(small > 0, ORANGE, BLUE) - grey)
    return Image.fromarray(mixed.clip(0, 255).astype(np.uint8))


def seen(encoder: cw.Encoder, picture: Image.Image) -> Image.Image:
    """Return the square of a picture that the encoder sees: the middle."""
    side = min(picture.size)
    left, top = ((length - side) // 2 for length in picture.size)
    return picture.convert("RGB").crop((left, top, left + side, top + side))


def save(rows: Sequence[Sequence[Image.Image]], path: Path, titles: Sequence[str] = ()) -> None:
    """Save tiles row by row, under a title for each column."""
    header = HEADER if titles else 0
    size = len(rows[0]) * (SIDE + GAP) - GAP, header + len(rows) * (SIDE + GAP) - GAP
    sheet = Image.new("RGB", size, "white")
    for x, title in enumerate(titles):
        where = x * (SIDE + GAP) + SIDE // 2, HEADER // 2
        ImageDraw.Draw(sheet).text(where, title, "black", ImageFont.load_default(13), "mm")
    for y, row in enumerate(rows):
        for x, tile in enumerate(row):
            sheet.paste(tile.resize((SIDE, SIDE)), (x * (SIDE + GAP), header + y * (SIDE + GAP)))
    sheet.save(path, quality=80, method=6)
    print(f"{path}: {path.stat().st_size / 1e3:.0f} kB", flush=True)


def methods(encoder: cw.Encoder, folder: Path) -> None:
    """Explain the same photographs by each method; the corpus is other photographs of a kind, the foil other kinds."""
    images = cw.demo_images()
    pictures = [images.load(shown) for shown in SHOWN]
    save([[seen(encoder, picture) for picture in pictures]], folder / "photographs.webp")
    kinds = {image.partition("/")[0] for image in images.ids} - {"mosaic"}
    vectors = {
        kind: encoder.represent(images, [i for i in images.ids if i.startswith(f"{kind}/") and i not in SHOWN])
        for kind in sorted(kinds)
    }
    for name, method in METHODS.items():
        prepared, tiles = cw.Explainer(encoder, method).prepare(pictures, progress=False), []
        for index, (picture, kind) in enumerate(zip(pictures, ASKED, strict=True)):
            foil = torch.cat([vectors[other] for other in vectors if other != kind])
            found = prepared.explain(corpus=vectors[kind], foil=foil, progress=False)
            tiles.append(overlay(seen(encoder, picture), found.heatmaps[index]))
        save([tiles], folder / f"{name}.webp")


def objects(encoder: cw.Encoder, folder: Path) -> None:
    """Explain a scene of four objects by several methods, with and without a foil that shows the others."""
    scene, questions = compose(CUT_OUTS, NAMES, Random(SEED)), Questions(encoder, CUT_OUTS)
    columns: dict[str, tuple[cw.Method, bool]] = {
        "CAM": (cw.CAM(), False),
        "RISE, 1,024 masks": (cw.RISE(), False),
        "Grad-CAM": (PEERS["grad-cam GradCAM"], False),
        "Sharp CAM": (cw.SharpCAM(), False),
        "and the others as foil": (cw.SharpCAM(), True),
    }
    rows = [[scene.picture] for _ in NAMES[:2]]
    for method, contrasts in columns.values():
        prepared = cw.Explainer(encoder, method).prepare([scene.picture], progress=False)
        for row, name in zip(rows, NAMES, strict=False):
            foil = dict(questions.about(name, scene, Random(0)))["others" if contrasts else "none"]
            found = prepared.explain(corpus=questions.corpus(name), foil=foil, progress=False)
            row.append(overlay(scene.picture, found.heatmaps[0]))
    save(rows, folder / "objects.webp", ("", *columns))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    made = {"methods": methods, "objects": objects}
    parser.add_argument("--only", nargs="+", default=list(made), choices=made)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parents[1] / "docs" / "pictures")
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    encoder = cw.load_encoder("demo")
    for name in options.only:
        made[name](encoder, options.folder)


if __name__ == "__main__":
    main()
