"""The cost of live updates: preparing, updating, memory. Ratios are within rounds, in which both sides run in turn.

python benchmarks/live.py [--passes 96] [--rounds 7]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence

import psutil
import torch

import cocoa_widget as cw
from cocoa_widget.attribution.batches import advance
from cocoa_widget.contrast.direction import directions
from cocoa_widget.contrast.score import LinearScore
from cocoa_widget.encoders import Representations
from cocoa_widget.insight import Stability
from cocoa_widget.live import Heatmap, LiveEngine, Product, Products, Progress, Question, View

METHOD = cw.RISE(n_masks=1024)


def seconds(function: Callable[[], object]) -> float:
    begun = time.perf_counter()
    function()
    return time.perf_counter() - begun


def preparing(encoder: cw.Encoder, explicand: torch.Tensor, passes: int, rounds: int) -> None:
    baseline = cw.Blur()(explicand[None])[0]
    # The same batch again and again, which stays in the cache: the fastest that the encoder can be.
    inputs = torch.rand(encoder.batch_size, 3, 224, 224).to(memory_format=torch.channels_last)
    autocast = torch.autocast(encoder.device.type, encoder.dtype, enabled=encoder.dtype != torch.float32)

    def bare() -> None:
        with torch.inference_mode(), autocast:
            for _ in range(0, passes, encoder.batch_size):
                encoder.module(inputs).mean((2, 3), dtype=torch.float32)

    def rise() -> None:
        operator = METHOD.start(explicand, baseline)
        while operator.done < passes:
            advance(encoder, [operator], encoder.batch_size)

    bare(), rise()
    pairs = []
    for i in range(rounds):
        order = (bare, rise) if i % 2 == 0 else (rise, bare)
        times = {function: seconds(function) for function in order}
        pairs.append((times[rise], times[bare]))
    ratios = sorted(r / b for r, b in pairs)
    print(
        f"preparing RISE ÷ bare batched forwards ({passes} passes, batch {encoder.batch_size}, {encoder.precision}):"
        f" {statistics.median(ratios):.3f} (range {ratios[0]:.3f} to {ratios[-1]:.3f});"
        f" {1e3 * statistics.median(b for _, b in pairs) / passes:.1f} ms a pass"
    )


def updating(rounds: int) -> None:
    """Print the time from the bins' ids to 12 heatmaps of 224 × 224 in the kernel, d = 1,280."""
    torch.manual_seed(0)
    d, n = 1280, 12
    table = Representations()
    table.add([str(i) for i in range(1100)], torch.randn(1100, d))
    operators = []
    for _ in range(n):
        operator = METHOD.start(torch.zeros(3, 224, 224), torch.zeros(3, 224, 224))
        operator.accept(cw.encoders.Encoded(torch.randn(METHOD.n_masks, d)))
        operators.append(operator)
    explicands = table.get([str(1000 + i) for i in range(n)])

    def update(size: int) -> list[torch.Tensor]:
        corpus = table.mean([str(i) for i in range(size)], unit=True)
        foil = table.mean([str(i) for i in range(1000 - size, 1000)], unit=True)
        w = directions("contrastive_corpus", "cosine", corpus=corpus, foil=foil, explicands=explicands)
        return [operator.apply(LinearScore(w[i, None], "cosine")) for i, operator in enumerate(operators)]

    sizes = (1, 10, 100, 1000)
    times: dict[int, list[float]] = {size: [] for size in sizes}
    with torch.inference_mode():
        for size in sizes:
            update(size)
        for _ in range(10 * rounds):
            for size in sizes:
                times[size].append(seconds(lambda size=size: update(size)) / n)
    base = statistics.median(times[1])
    for size in sizes:
        median = statistics.median(times[size])
        print(
            f"update, {METHOD.n_masks} masks, d = {d}, bins of {size}: {1e3 * median:.2f} ms per explicand"
            f" ({median / base:.2f} of bins of 1)"
        )


class Stopwatch:
    """A listener that notes when the first heatmap of each image and method came, or products to compute it from."""

    def __init__(self) -> None:
        self.begun = time.perf_counter()
        self.first: dict[tuple[str, str], float] = {}

    def products(self, products: Products) -> None:
        self._note(products.items)

    def heatmaps(self, version: int, heatmaps: list[Heatmap], failed: list[str], nothing: str | None) -> None:
        self._note(heatmaps)

    def _note(self, items: Sequence[Heatmap | Product]) -> None:
        for item in items:
            self.first.setdefault((item.image, item.method), time.perf_counter() - self.begun)

    def rest(self) -> None:
        pass

    def stability(self, version: int, found: dict[str, Stability | None], smallest: int) -> None:
        pass

    def progress(self, progress: Progress) -> None:
        pass

    def error(self, message: str) -> None:
        raise RuntimeError(message)


def first_heatmaps(encoder: cw.Encoder, images: cw.ImageSet) -> None:
    stopwatch = Stopwatch()
    bins = ("cat/1", "cat/2"), ("coffee/1",), ("mosaic/1",)
    question = Question(*bins, METHOD, "contrastive_corpus", "cosine", cw.Blur())
    engine = LiveEngine(images, encoder, question, stopwatch, 1 << 30)
    engine.watch("view", View(explicands=224, gallery=112, visible=tuple(images.ids)))
    wanted = {("mosaic/1", "rise"), *((image, "cam") for image in images.ids)}
    while not wanted <= set(stopwatch.first):
        time.sleep(0.01)
    engine.close()
    cam = [stopwatch.first[i, "cam"] for i in images.ids if (i, "cam") in stopwatch.first]
    print(
        f"first CAM heatmaps of all {len(cam)} demo images: {max(cam):.2f} s after the engine starts;"
        f" first RISE heatmap: {stopwatch.first['mosaic/1', 'rise']:.2f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--passes", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    images = cw.demo_images()
    encoder = cw.load_encoder("demo")
    print(f"{encoder}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    first_heatmaps(encoder, images)
    preparing(encoder, encoder.stack([images.load("mosaic/1")])[0], arguments.passes, arguments.rounds)
    updating(arguments.rounds)
    print(f"peak memory of this process: {psutil.Process().memory_info().rss >> 20} MiB now", end="")
    try:
        import resource

        print(f", {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB at most")
    except ImportError:
        print()


if __name__ == "__main__":
    main()
