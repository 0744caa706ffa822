"""The number of masks that a heatmap takes: its correlation with the heatmap that plain RISE converges to.

python benchmarks/convergence.py [--reference 20000] [--masks 1024] [--size 160] [--keep FOLDER]

The reference is the heatmap of 20,000 of the paper's masks, less its offset (the scores' mean). Plain RISE gets the
first n of these same masks, which favours it; the other estimators have masks of their own. Correlations are over
pixels; medians are over photographs, encoders and questions. A run takes about an hour on two cores; with --keep, later
runs reuse its representations.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

import cocoa_widget as cw
from cocoa_widget.attribution.masks import MaskBank, draw_grids, draw_shifts
from cocoa_widget.encoders.sources.demo import efficientnet_lite

PHOTOGRAPHS = (
    *("cat/1", "mosaic/1", "coffee/1", "rocket/1", "astronaut/1", "motorcycle/left"),
    *("photographer/1", "temple/1", "flower/1", "coins/1", "galaxy/1", "mosaic/2"),
)
COUNTS = (16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 12288, 20000)
SEED = 100


class Centred:
    """An estimator between the paper's and ours: balanced masks, and scores less their mean."""

    def __init__(self, n: int, size: int) -> None:
        generator = torch.Generator().manual_seed(7)
        grids = draw_grids(n, 7, 0.5, True, generator)
        self.n = n
        self._bank = MaskBank(grids, draw_shifts(n, 7, size, size, generator), size, size)
        self.masks = self._bank.masks

    def heatmaps(self, scores: Tensor, size: tuple[int, int] | None) -> Tensor:
        return self._bank.combine(scores - scores.mean(1, keepdim=True), self._bank.size)

    def errors(self, scores: Tensor, size: tuple[int, int] | None) -> None:
        return None


def representations(encoder: cw.Encoder, design, image, label: str, keep: Path | None) -> Tensor:
    """Return the unit representations (n, d) of an image under the masks of a design."""
    file = keep / f"{label.replace('/', '_')}.pt" if keep else None
    if file and file.exists():
        return F.normalize(torch.load(file, weights_only=True)[: design.n].float(), dim=1)
    explicand = encoder.stack([image])
    baseline = cw.Blur()(explicand)
    found = []
    for start in tqdm(range(0, design.n, encoder.batch_size), desc=label, leave=False):
        masks = design.masks(start, min(start + encoder.batch_size, design.n))
        found.append(encoder.forward(baseline + masks * (explicand - baseline)).representations)
    if file:
        torch.save(torch.cat(found).half(), file)
    return F.normalize(torch.cat(found), dim=1)


def questions(encoder: cw.Encoder, images: cw.ImageSet, photograph: str) -> Tensor:
    """Return three directions (k, d) for a photograph: its class against the rest, itself, itself against the rest."""
    vectors = F.normalize(encoder.represent(images), dim=1)
    own = vectors[list(images.ids).index(photograph)]
    # The class of a mosaic is that of its first quarter.
    kind = {"mosaic/1": "cat", "mosaic/2": "temple"}.get(photograph, photograph.partition("/")[0])
    alike = torch.tensor([i != photograph and i.startswith(kind) for i in images.ids])
    others = torch.tensor([not i.startswith((kind, "mosaic")) for i in images.ids])
    foil = vectors[others].mean(0)
    return torch.stack([vectors[alike].mean(0) - foil, own, own - foil])


def correlations(found: Tensor, target: Tensor) -> list[float]:
    """Return the Pearson correlations over pixels of k heatmaps with k others."""
    a, b = (F.normalize((m - m.mean((1, 2), keepdim=True)).flatten(1), dim=1) for m in (found, target))
    return (a * b).sum(1).tolist()


def curves(
    encoder: cw.Encoder, images: cw.ImageSet, photograph: str, options: argparse.Namespace
) -> Iterator[tuple[str, int, list[float], float]]:
    """Yield estimator, passes, each question's correlation, and the estimated error as a share of the true one."""
    size, device = options.size, torch.device("cpu")
    plain = cw.RISE(options.reference, seed=SEED, estimator="plain")._design(size, size, device)
    designs = {
        "plain": plain,
        "centred": Centred(options.masks, size),
        "regression": cw.RISE(options.masks)._design(size, size, device),
    }
    w = questions(encoder, images, photograph)
    target = None
    for name, design in designs.items():
        label = f"{encoder.name}_{photograph}_{name}_{design.n}_{size}"
        scores = w @ representations(encoder, design, images.load(photograph), label, options.keep).T
        if target is None:
            target = design.heatmaps(scores - scores.mean(1, keepdim=True), None)
        for n in (count for count in COUNTS if count <= design.n):
            maps = design.heatmaps(scores[:, :n], None)
            expected = float("nan")
            if name == "regression":
                off = maps - maps.mean((1, 2), keepdim=True) - (target - target.mean((1, 2), keepdim=True))
                errors = design.errors(scores[:, :n], None)
                expected = float((errors.square().mean((1, 2)) / off.square().mean((1, 2))).sqrt().median())
            yield name, n, correlations(maps, target), expected


def needed(found: dict[int, list[float]], wanted: float, question: int) -> float:
    """Return the number of passes from which on the correlation is at least `wanted`; infinite if it never is."""
    counts = sorted(found)
    below = [n for n in counts if found[n][question] < wanted]
    after = [n for n in counts if not below or n > below[-1]]
    return after[0] if after else float("inf")


def table(rows: dict[tuple[str, str, str], dict[int, list[float]]], say: Callable[[str], None]) -> None:
    names = ("plain", "centred", "regression")
    say(f"{'masks':>6}" + "".join(f"{name:>28}" for name in names))
    for n in COUNTS:
        cells = []
        for name in names:
            values = sorted(v for (_, _, kind), found in rows.items() if kind == name for v in found.get(n, []))
            quarter = len(values) // 4
            cells.append(
                f"{statistics.median(values):8.3f} ({values[quarter]:.2f} to {values[-1 - quarter]:.2f})"
                if values
                else ""
            )
        if any(cells):
            say(f"{n:>6}" + "".join(f"{cell:>28}" for cell in cells))
    pairs = sorted({key[:2] for key in rows})
    for wanted in (0.9, 0.95):
        counts = {name: [needed(rows[*pair, name], wanted, q) for pair in pairs for q in range(3)] for name in names}
        per_photograph = [
            statistics.median(
                min(needed(rows[*pair, "plain"], wanted, q), COUNTS[-1]) / needed(rows[*pair, "regression"], wanted, q)
                for q in range(3)
            )
            for pair in pairs
        ]
        say(
            f"correlation {wanted}: "
            + ", ".join(f"{name} {statistics.median(values):,.0f}" for name, values in counts.items())
            + f" masks (median); regression needs 1/{statistics.median(per_photograph):.0f} of plain's, median over"
            f" {len(pairs)} photographs and encoders (where plain never reaches it, all its masks are counted)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference", type=int, default=20_000)
    parser.add_argument("--masks", type=int, default=1024)
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--photographs", type=int, default=len(PHOTOGRAPHS))
    parser.add_argument("--keep", type=Path, help="folder for the representations of masked images")
    options = parser.parse_args()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    images = cw.demo_images()
    rows: dict[tuple[str, str, str], dict[int, list[float]]] = {}
    ratios: dict[int, list[float]] = {}
    for number in (0, 1):
        encoder = efficientnet_lite(number, image_size=options.size, device="cpu")
        for photograph in PHOTOGRAPHS[: options.photographs]:
            for name, n, found, ratio in curves(encoder, images, photograph, options):
                rows.setdefault((encoder.name, photograph, name), {})[n] = found
                if name == "regression":
                    ratios.setdefault(n, []).append(ratio)
    table(rows, print)
    said = ", ".join(f"{n}: {statistics.median(values):.2f}" for n, values in ratios.items() if 32 <= n <= 512)
    print(f"estimated standard error ÷ true error (median over all), by masks: {said}")


if __name__ == "__main__":
    main()
