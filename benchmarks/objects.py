"""Where heatmaps find an object among others: average precision, overlap and hits against exact masks.

python benchmarks/objects.py [--sets emoji cut-outs whole] [--objects 2] [--scenes 14] [--methods cam sharp …]
    [--foils none random others]

Scenes (`scenes.py`) are emoji or photographic cut-outs pasted on photographs, or framings of whole photographs. For
each object of a scene, the corpus is pictures of it alone; the foil is nothing, pictures of random objects that are
not in the scene, or pictures of the others in it. AP is the median, with its 95 % interval by bootstrap over scenes;
the other measures are means. Methods of other packages (`peer_methods.py`) get the same questions; those that are not
linear run anew for each.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from peer_methods import PEERS
from scenes import CUT_OUTS, EMOJI_SOURCE, KINDS, Scene, Source, compose, framed
from torch import Tensor

import cocoa_widget as cw
from cocoa_widget.encoders.sources.demo import efficientnet_lite
from cocoa_widget.evaluation import average_precision, hits, overlap

METHODS: dict[str, cw.Method] = {
    "cam": cw.CAM(),
    "sharp": cw.SharpCAM(),
    "sharp, no edges": cw.SharpCAM(follow_edges=False),
    "sharp + rise": cw.SharpCAM(masks=128),
    "rise 128": cw.RISE(n_masks=128),
    "rise": cw.RISE(n_masks=1024),
    "occlusion": cw.Occlusion(window=32, stride=16),
    "kernel_shap": cw.KernelSHAP(),
    "grad_cam": cw.GradCAM(),
    "integrated_gradients": cw.IntegratedGradients(),
}
LINEAR = list(METHODS)[:7]
"""Those that are run unless others are asked for: they are prepared once for all questions on a scene."""
ALL = METHODS | PEERS
FOILS = ("none", "random", "others")
SETS = ("emoji", "cut-outs", "whole")
MEASURES: dict[str, Callable[..., NDArray[Any]]] = {
    "AP": average_precision,
    "best IoU": overlap,
    **{f"IoU {level}": partial(overlap, level=level) for level in (0.3, 0.5, 0.7)},
    "hits": hits,
}
RANDOM_OBJECTS = 6
"""Objects in a random foil."""


class Questions:
    """The representations of objects, and the questions on a scene.

    Parameters
    ----------
    encoder : Encoder
    source : Source
    """

    def __init__(self, encoder: cw.Encoder, source: Source) -> None:
        self._encoder, self._source = encoder, source
        self._known: dict[str, Tensor] = {}

    def corpus(self, name: str) -> Tensor:
        """Return the representations (m, d) of pictures of an object."""
        if name not in self._known:
            self._known[name] = self._encoder.encode(self._source.corpus(name))
        return self._known[name]

    def about(self, name: str, scene: Scene, random: Random) -> Iterator[tuple[str, Tensor | None]]:
        """Yield each kind of foil by its name, for an object in a scene."""
        yield "none", None
        absent = [each for each in self._source.names if each not in scene.masks]
        if absent:
            chosen = random.sample(absent, min(RANDOM_OBJECTS, len(absent)))
            yield "random", torch.cat([self.corpus(each) for each in chosen])
        if others := [each for each in scene.masks if each != name]:
            yield "others", torch.cat([self.corpus(each) for each in others])


def scenes(kind: str, objects: int, count: int, seed: int) -> Iterator[Scene]:
    """Yield fresh scenes; the same seed gives the same."""
    random = Random(f"{kind} {objects} {seed}")
    for index in range(count):
        if kind == "whole":
            yield framed(KINDS[index % len(KINDS)], random)
        else:
            source = EMOJI_SOURCE if kind == "emoji" else CUT_OUTS
            yield compose(source, random.sample(source.names, objects), random)


def seen(encoder: cw.Encoder, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the mask at the encoder's input size; scenes are square, and so is what the encoder sees of them."""
    whole = torch.from_numpy(mask).float()[None, None]
    inside: NDArray[np.bool_] = (F.interpolate(whole, encoder.input_size, mode="area")[0, 0] >= 0.5).numpy()
    return inside


def judge(encoder: cw.Encoder, kind: str, objects: int, options: argparse.Namespace) -> None:
    """Print a table for one kind of scenes: a row for each method and foil."""
    questions = Questions(encoder, EMOJI_SOURCE if kind == "emoji" else CUT_OUTS)
    found: dict[tuple[str, str], list[list[list[float]]]] = defaultdict(list)  # of scenes, of objects, of measures
    seconds: dict[str, float] = defaultdict(float)
    for number, scene in enumerate(scenes(kind, objects, options.scenes, options.seed)):
        masks = {name: seen(encoder, mask) for name, mask in scene.masks.items()}
        for method in options.methods:
            begun = time.perf_counter()
            prepared = cw.Explainer(encoder, ALL[method]).prepare([scene.picture], progress=False)
            random, rows = Random(number), defaultdict(list)
            for name, mask in masks.items():
                for foil, members in questions.about(name, scene, random):
                    if foil not in options.foils:
                        continue
                    asked = prepared.explain(corpus=questions.corpus(name), foil=members, progress=False)
                    rows[foil].append([float(measure(asked.heatmaps[0], mask)[0]) for measure in MEASURES.values()])
            seconds[method] += time.perf_counter() - begun
            for foil, row in rows.items():
                found[method, foil].append(row)
    print(f"\n{encoder.name}: {kind}, {options.scenes} scenes of {objects}")
    columns = ("AP", "95 %", *list(MEASURES)[1:], "n")
    print(f"{'method':>23}  {'foil':<7}  " + "  ".join(f"{column:>9}" for column in columns))
    for (method, foil), rows in found.items():
        every = np.array([row for objects_of_scene in rows for row in objects_of_scene])
        low, high = interval_of_median([[row[0] for row in objects_of_scene] for objects_of_scene in rows])
        means = [f"{mean:.3f}" for mean in every[:, 1:].mean(0)]
        cells = [f"{np.median(every[:, 0]):.3f}", f"{low:.2f}–{high:.2f}", *means, str(len(every))]
        print(f"{method:>23}  {foil:<7}  " + "  ".join(f"{cell:>9}" for cell in cells), flush=True)
    for method in options.methods:
        print(f"{method:>23}  takes {seconds[method] / options.scenes:.2f} s a scene")


def interval_of_median(values: list[list[float]], resamples: int = 2000) -> tuple[float, float]:
    """Return the 95 % interval of the median of values; scenes are drawn again, each with all its values."""
    rng = np.random.default_rng(0)
    drawn = [
        np.median(np.concatenate([values[i] for i in rng.integers(len(values), size=len(values))]))
        for _ in range(resamples)
    ]
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--objects", nargs="+", type=int, default=[2], choices=[1, 2, 3, 4])
    parser.add_argument("--scenes", type=int, default=14)
    parser.add_argument(
        "--methods", nargs="+", default=list(METHODS), choices=ALL, metavar="METHOD", help=", ".join(ALL)
    )
    parser.add_argument("--foils", nargs="+", default=list(FOILS), choices=FOILS)
    parser.add_argument("--encoders", nargs="+", type=int, default=[0, 1], help="numbers of EfficientNet-Lite")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for number in options.encoders:
        encoder = efficientnet_lite(number)
        for kind in options.sets:
            for objects in [1] if kind == "whole" else options.objects:
                judge(encoder, kind, objects, options)


if __name__ == "__main__":
    main()
