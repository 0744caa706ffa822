"""Localisation: the grid pointing game on 2 × 2 mosaics of different photographs.

python benchmarks/localisation.py [--mosaics 6] [--methods cam rise …]

For each quarter of each mosaic, the corpus is the quarter's own photograph, or other photographs of the same kind. The
foil is the photographs of the other three quarters, which is the game's question, or one photograph of each other kind.
Energy is the share of a heatmap's positive part that lies in the quarter; a heatmap hits if its maximum lies there. By
chance both are 0.25.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict

import numpy as np
import torch
from torch import Tensor

import cocoa_widget as cw
from cocoa_widget.evaluation import energy, hits, mosaic

KINDS = ("cat", "motorcycle", "coffee", "rocket", "astronaut", "photographer", "temple", "flower", "coins", "galaxy")
METHODS: dict[str, cw.Method] = {
    "cam": cw.CAM(),
    "sharp": cw.SharpCAM(),
    "grad_cam": cw.GradCAM(),
    "rise": cw.RISE(n_masks=512),
    "occlusion": cw.Occlusion(window=56, stride=28),
    "kernel_shap": cw.KernelSHAP(superpixels=4, n_samples=256),
    "integrated_gradients": cw.IntegratedGradients(),
    "gradient_shap": cw.GradientSHAP(),
    "saliency": cw.Saliency(),
    "random": cw.Random(),
}


def draw(images: cw.ImageSet, count: int) -> list[list[str]]:
    """Draw four photographs of different kinds for each mosaic."""
    rng = random.Random(0)
    by_kind = {kind: [i for i in images.ids if i.startswith(f"{kind}/")] for kind in KINDS}
    return [[rng.choice(by_kind[kind]) for kind in rng.sample(KINDS, 4)] for _ in range(count)]


def questions(own: str, quarters: list[str], vectors: dict[str, Tensor]) -> dict[tuple[str, str], dict[str, Tensor]]:
    """Return the corpora and foils of one quarter, by their names."""
    kind = own.partition("/")[0]
    alike = [i for i in vectors if i.startswith(f"{kind}/") and i != own]
    corpora = {"own photograph": [own], "others of its kind": alike}
    foils = {
        "the other three": [i for i in quarters if i != own],
        "all other kinds": [f"{k}/{'left' if k == 'motorcycle' else 1}" for k in KINDS if k != kind],
    }
    return {
        (c, f): {
            "corpus": torch.stack([vectors[i] for i in corpora[c]]),
            "foil": torch.stack([vectors[i] for i in foils[f]]),
        }
        for c in corpora
        for f in foils
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mosaics", type=int, default=6)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    options = parser.parse_args()
    encoder, images = cw.load_encoder("demo"), cw.demo_images()
    photographs = [i for i in images.ids if i.partition("/")[0] in KINDS]
    inputs = dict(zip(photographs, encoder.stack(images.load(i) for i in photographs), strict=True))
    vectors = dict(zip(photographs, encoder.represent(images, photographs), strict=True))
    print(f"{4 * options.mosaics} quarters; chance: energy 0.25, hits 0.25")
    for name in options.methods:
        found: dict[tuple[str, str, str], list[tuple[float, bool]]] = defaultdict(list)
        for quarters in draw(images, options.mosaics):
            whole, regions = mosaic(torch.stack([inputs[i] for i in quarters]))
            prepared = cw.Explainer(encoder, METHODS[name]).prepare(whole[None], progress=False)
            for own, region in zip(quarters, regions, strict=True):
                for key, bins in questions(own, quarters, vectors).items():
                    for target in cw.TARGETS:
                        maps = prepared.explain(**bins, target=target, progress=False).heatmaps
                        found[*key, target].append((energy(maps, region[None])[0], hits(maps, region[None])[0]))
        for (corpus, foil, target), values in found.items():
            energies, hit = zip(*values, strict=True)
            half = 1.96 * np.std(energies, ddof=1) / len(energies) ** 0.5
            print(
                f"{name:>20}  {target:<23} corpus: {corpus:<18} foil: {foil:<15}"
                f"  energy {np.mean(energies):.3f} ± {half:.3f}  hits {np.mean(hit):.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
