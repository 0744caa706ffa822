"""The cost of decoding: representations of photographs on disk, against forward passes alone.

python benchmarks/encoding.py [--photographs 1000] [--rounds 3]

torchvision's ResNet-18 at 224 px, random weights. The photographs are JPEGs of 500 × 375 pixels, a usual size, cut from
those that scikit-image and scikit-learn ship. Both are timed in turn, in one process; ratios are within a round.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

import cocoa_widget as cw


def write_photographs(folder: Path, count: int) -> None:
    demo, rng = cw.demo_images(), np.random.default_rng(0)
    sources = [demo.load(image) for image in demo.ids if not image.startswith("mosaic")]
    sources = [picture for picture in sources if min(picture.size) >= 240]
    for number in range(count):
        picture = sources[number % len(sources)]
        scale = min(picture.width / 4, picture.height / 3) * rng.uniform(0.7, 1)
        width, height = int(4 * scale), int(3 * scale)
        left, top = rng.integers(0, picture.width - width + 1), rng.integers(0, picture.height - height + 1)
        crop = picture.crop((left, top, left + width, top + height)).resize((500, 375))
        crop.save(folder / f"{number:05}.jpg", quality=90)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photographs", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        write_photographs(Path(name), options.photographs)
        for precision in ("float32", "auto"):
            ratios, bare = [], []
            for _ in range(options.rounds):
                encoder = cw.load_encoder("torchvision/resnet18", weights=None, precision=precision)
                images = cw.ImageSet(name)
                inputs = encoder.stack(images.load(image) for image in images.ids[:200])
                encoder.forward(inputs[:32])
                begun = time.perf_counter()
                for start in range(0, options.photographs, len(inputs)):
                    encoder.forward(inputs[: options.photographs - start])
                forwards = time.perf_counter() - begun
                begun = time.perf_counter()
                encoder.encode(images)
                ratios.append((time.perf_counter() - begun) / forwards)
                bare.append(1000 * forwards / options.photographs)
            print(
                f"{options.photographs} photographs, {encoder.precision}, {torch.get_num_threads()} threads:"
                f" {statistics.median(ratios):.2f} × the bare forwards ({', '.join(f'{r:.2f}' for r in ratios)}),"
                f" which take {statistics.median(bare):.1f} ms each",
                flush=True,
            )


if __name__ == "__main__":
    main()
