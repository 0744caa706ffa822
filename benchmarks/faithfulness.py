"""Whether heatmaps name the pixels that the score depends on: insertion minus deletion, against RISE with 1,024 masks.

python benchmarks/faithfulness.py [--sets emoji cut-outs whole] [--scenes 10] [--encoders 0 1] [--steps 20]

Scenes and corpora are those of `objects.py`. The foil is the other object of the scene, or random kinds for whole
photographs. Single pixels are inserted and deleted. Figures are medians over scenes of the paired difference from RISE,
with their 95 % intervals by bootstrap, and how many scenes a method wins.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from random import Random

import numpy as np
from objects import METHODS, SETS, Questions, interval_of_median, scenes
from scenes import CUT_OUTS, EMOJI_SOURCE

import cocoa_widget as cw
from cocoa_widget.encoders.sources.demo import efficientnet_lite
from cocoa_widget.evaluation import ContrastiveCorpusSimilarity, insertion_deletion

REFERENCE = "rise"
OTHERS = ("rise 128", "cam", "sharp", "sharp, no edges", "sharp + rise")
BASELINES = ("blur", "mean_colour")


def areas(encoder: cw.Encoder, kind: str, options: argparse.Namespace) -> dict[tuple[str, str], list[float]]:
    """Return the area under the insertion curve less that under the deletion curve, by baseline and method."""
    questions = Questions(encoder, EMOJI_SOURCE if kind == "emoji" else CUT_OUTS)
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for number, scene in enumerate(scenes(kind, 1 if kind == "whole" else 2, options.scenes, options.seed)):
        name = next(iter(scene.masks))
        foil = dict(questions.about(name, scene, Random(number)))["random" if kind == "whole" else "others"]
        bins = questions.corpus(name), foil
        maps = [
            cw.Explainer(encoder, METHODS[method])
            .explain([scene.picture], corpus=bins[0], foil=bins[1], progress=False)
            .heatmaps[0]
            for method in (REFERENCE, *options.methods)
        ]
        inputs, measure = encoder.stack([scene.picture] * len(maps)), ContrastiveCorpusSimilarity(*bins)
        for baseline in BASELINES:
            curves = insertion_deletion(
                encoder, inputs, np.stack(maps), [measure], baseline=baseline, steps=options.steps, progress=False
            )
            differences = curves.insertion_auc[0] - curves.deletion_auc[0]
            for method, area in zip((REFERENCE, *options.methods), differences, strict=True):
                found[baseline, method].append(float(area))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--methods", nargs="+", default=list(OTHERS), choices=OTHERS)
    parser.add_argument("--scenes", type=int, default=10)
    parser.add_argument("--encoders", nargs="+", type=int, default=[0, 1], help="numbers of EfficientNet-Lite")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--seed", type=int, default=2)
    options = parser.parse_args()
    for number in options.encoders:
        encoder = efficientnet_lite(number)
        every: dict[tuple[str, str], list[float]] = defaultdict(list)
        for kind in options.sets:
            found = areas(encoder, kind, options)
            for key, values in found.items():
                every[key] += values
            report(f"{encoder.name}, {kind}, {options.scenes} scenes", found)
        report(f"{encoder.name}, all", every)


def report(title: str, found: dict[tuple[str, str], list[float]]) -> None:
    for baseline in BASELINES:
        reference = np.array(found[baseline, REFERENCE])
        print(f"\n{title}, baseline {baseline}: RISE itself {np.median(reference):.3f}")
        for method in (each for base, each in found if base == baseline and each != REFERENCE):
            differences = np.array(found[baseline, method]) - reference
            low, high = interval_of_median([[each] for each in differences])
            won = np.mean(differences > 0)
            print(f"{method:>16}  {np.median(differences):+.4f}  {low:+.3f} … {high:+.3f}  won {won:.0%}", flush=True)


if __name__ == "__main__":
    main()
