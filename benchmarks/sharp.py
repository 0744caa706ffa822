"""What sharp heatmaps cost: until the first and the last of one explicand, and for each change of the bins.

python benchmarks/sharp.py [--rounds 5]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

import cocoa_widget as cw
from cocoa_widget.attribution import advance, start
from cocoa_widget.attribution.guided_filter import RADIUS, GuidedFilter, colours
from cocoa_widget.attribution.resample import shrink
from cocoa_widget.contrast import LinearScore


def milliseconds(action: Callable[[], object], rounds: int) -> float:
    """Return the median time that an action takes."""
    spent = []
    for _ in range(rounds):
        begun = time.perf_counter()
        action()
        spent.append(time.perf_counter() - begun)
    return 1e3 * statistics.median(spent)


def measure_filter(guide: Tensor, heatmap: Tensor) -> None:
    """Print what the guided filter of a guide (3, side, side) costs."""
    side = guide.shape[-1]
    radius = round(RADIUS * side)
    guided = GuidedFilter(guide, radius)
    print(
        f"guided filter at {side} px: {milliseconds(lambda: GuidedFilter(guide, radius), 50):.2f} ms to prepare,"
        f" {milliseconds(lambda: guided.apply(heatmap), 200):.2f} ms a heatmap"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    encoder, images = cw.load_encoder("demo"), cw.demo_images()
    print(f"{encoder!r}, {torch.get_num_threads()} threads")
    (explicand,) = encoder.stack([images.load("cat/1")])
    direction = torch.randn(1, 1280, generator=torch.Generator().manual_seed(0))
    score = LinearScore(direction, "cosine")
    prepared = []
    for round_ in range(options.rounds + 1):  # the first one warms up
        begun, times = time.perf_counter(), []
        operator = start(encoder, cw.SharpCAM(), explicand, explicand)
        while not operator.complete:
            advance(encoder, [operator], 1)
            operator.apply(score)
            times.append(1e3 * (time.perf_counter() - begun))
        prepared += [times] if round_ else []
    steps = [statistics.median(step) for step in zip(*prepared, strict=True)]
    print(
        f"ms until the heatmap after the plain pass and after each scale: {', '.join(f'{step:.0f}' for step in steps)}"
    )
    print(f"operator: {operator.nbytes / 2**20:.2f} MiB")
    print(f"update at full size, filter included: {milliseconds(lambda: operator.apply(score), 200):.2f} ms")
    picture = colours(encoder, explicand)
    for side in (112, 56):
        measure_filter(shrink(picture, (side, side)), operator.apply(score, (side, side)))


if __name__ == "__main__":
    main()
