"""The cost of the same heatmaps elsewhere: ours, Captum's, and a re-creation of the RISE loop of the paper's authors.

python benchmarks/peers.py [--encoders demo resnet18 resnet50 vit_b_32] [--device auto] [--rounds 3] [--masks 64]

One process, one network and the same photographs; all run in turn after a warm-up, and figures are medians of the
rounds. Both sides run in float32 unless a row says otherwise. torchvision's networks have random weights, which cost
the same; correlations of RISE have a meaning only for the demo network. Memory is the peak above the start of a run:
of the resident set on a CPU (Captum at all steps at once takes gigabytes with ResNet-50), of PyTorch's allocator on a
GPU.
A quick look: --encoders resnet18 --rounds 1 --steps 4 --stride 64 --samples 16 --masks 8 --slice 4 --reference 32
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import statistics
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import cycle, islice

import captum.attr
import psutil
import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.transforms import GaussianBlur

import cocoa_widget as cw

CORPUS, FOIL = 20, 100
AUTHORS_MASKS, GRID, KEPT = 5000, 7, 0.5

Part = tuple[Callable[[], object], float]  # what to time, and what to multiply its seconds by: a slice needs scaling


@dataclass
class Contender:
    """One way to compute a heatmap; `change` updates it for a new corpus, and is None where all work is done again."""

    who: str
    passes: str
    first: list[Part]
    change: Callable[[], object] | None = None
    agreement: str = ""
    memory: float = 0.0
    heatmap: Tensor = field(default_factory=lambda: torch.empty(0))
    seconds: list[float] = field(default_factory=list)
    changed: list[float] = field(default_factory=list)


class Case:
    """An encoder, a photograph to explain, and the bins before and after a change of the corpus."""

    def __init__(self, name: str, device: str) -> None:
        torch.manual_seed(0)
        source, options = ("demo", {}) if name == "demo" else (f"torchvision/{name}", {"weights": None})
        e = self.encoder = cw.load_encoder(source, device=device, precision="float32", **options)
        e.module.eval()  # for the peers; ours does so itself
        self.low = cw.Encoder(e.module, preprocess=e.preprocess, device=e.device, precision="auto", name=e.name)
        images = cw.demo_images()
        self.picture = images.load("mosaic/1")
        cats, cups, foil = (
            [i for i in images.ids if i.startswith(kinds) == wanted]
            for kinds, wanted in (("cat/", True), ("coffee/", True), (("cat/", "mosaic/"), False))
        )
        bins = (cats, CORPUS), (cups, CORPUS), (foil, FOIL)
        inputs = [e.stack(images.load(i) for i in islice(cycle(ids), n)) for ids, n in bins]
        self.corpus_inputs = inputs[0]
        self.corpus, self.other, self.foil = (e.forward(each).representations.clone() for each in inputs)
        self.w = F.normalize(self.corpus, dim=1).mean(0) - F.normalize(self.foil, dim=1).mean(0)

    def score(self, inputs: Tensor) -> Tensor:
        """Return the contrastive corpus similarity (cosine) without the package's code."""
        return F.normalize(pooled(self.encoder.module(inputs)), dim=1) @ self.w

    def pixels(self) -> tuple[Tensor, Tensor]:
        """Return the explicand and its baseline for the peers, each (1, 3, H, W)."""
        explicand = self.encoder.preprocess(self.picture)[None].to(self.encoder.device)
        return explicand, GaussianBlur(21, sigma=5.0)(explicand)


def pooled(output: Tensor) -> Tensor:
    return output.mean((2, 3)) if output.ndim == 4 else output


def ours(case: Case, method: cw.Method, passes: int, low: bool = False) -> Contender:
    explainer = cw.Explainer(case.low if low else case.encoder, method)
    prepared = explainer.prepare([case.picture], progress=False)

    def first() -> Tensor:
        found = explainer.explain([case.picture], corpus=case.corpus, foil=case.foil, progress=False)
        return torch.from_numpy(found.heatmaps[0])

    def change() -> object:
        return prepared.explain(corpus=case.other, foil=case.foil, progress=False)

    who = f"ours, batch {explainer.encoder.batch_size}" + (f", {explainer.encoder.precision}" if low else "")
    return Contender(who, str(passes), [(first, 1)], change)


def captums(case: Case, name: str, who: str, passes: int, summed: bool, **settings: object) -> Contender:
    def first() -> Tensor:
        explicand, baseline = case.pixels()
        found = getattr(captum.attr, name)(case.score).attribute(explicand, baselines=baseline, **settings).detach()
        return (found.sum(1) if summed else found[:, 0])[0].float().cpu()

    return Contender(f"Captum, {who}", str(passes), [(first, 1)])


def authors_mask(height: int, width: int) -> Tensor:
    """Draw one mask (1, 1, H, W): independent cells, enlarged bilinearly, cropped at a random place."""
    tall, wide = -(-height // GRID), -(-width // GRID)  # theirs rounds down; alike at 224
    cells = (torch.rand(1, 1, GRID, GRID) < KEPT).float()
    large = F.interpolate(cells, ((GRID + 1) * tall, (GRID + 1) * wide), mode="bilinear", align_corners=False)
    top, left = int(torch.randint(tall, ())), int(torch.randint(wide, ()))
    return large[..., top : top + height, left : left + width]


def authors(case: Case, masks: int) -> Contender:
    """RISE as published: each explanation encodes the bins twice, a pass has one mask, and autograd records it."""
    module, device = case.encoder.module, case.encoder.device
    corpus, foil = (F.normalize(members, dim=1).mean(0) for members in (case.corpus, case.foil))

    def encode() -> Tensor:
        return pooled(module(case.corpus_inputs)).detach().cpu()

    def loop() -> Tensor:
        explicand, baseline = case.pixels()
        explicand.requires_grad_()
        total = torch.zeros((), device=device)
        for _ in range(masks):
            mask = authors_mask(*explicand.shape[-2:]).to(device)
            vector = pooled(module(explicand * mask + baseline * (1 - mask)))
            score = ((vector * corpus).sum(-1) - (vector * foil).sum(-1)) / vector.norm(dim=-1)
            total = total + score.detach().view(-1, 1, 1, 1) * mask
        return (total / masks / KEPT)[0, 0].cpu()

    parts: list[Part] = [(encode, 2 * (CORPUS + FOIL) / CORPUS), (loop, AUTHORS_MASKS / masks)]
    return Contender("authors' loop, batch 1", f"~{AUTHORS_MASKS}", parts)


class Converged:
    """The centred heatmap of `n` plain masks, to which RISE converges, and the correlation of fewer masks with it."""

    def __init__(self, case: Case, n: int) -> None:
        explicand, baseline = case.pixels()
        torch.manual_seed(1)
        scores, masks, size = [], [], case.encoder.batch_size
        for start in range(0, n, size):
            batch = torch.cat([authors_mask(*explicand.shape[-2:]) for _ in range(min(size, n - start))])
            inputs = baseline + batch.to(explicand) * (explicand - baseline)
            scores.append(F.normalize(case.encoder.forward(inputs).representations, dim=1) @ case.w)
            masks.append(F.adaptive_avg_pool2d(batch, 56)[:, 0])  # masks are smooth; all pixels would not fit in memory
        self._scores, self._masks = torch.cat(scores).cpu(), torch.cat(masks)
        self._heatmap, noise = self._mean(self._scores - self._scores.mean())
        self._own, seen = noise / n, float(self._heatmap.var())
        self._signal = max(seen - self._own, 1e-6 * seen)

    def _mean(self, scores: Tensor) -> tuple[Tensor, float]:
        """Return the mean of masks times scores, and the variance over pixels that one mask adds to it."""
        each = scores[:, None, None] * self._masks
        return each.mean(0), float((each - each.mean(0)).var((1, 2)).mean())

    def correlation(self, heatmap: Tensor) -> float:
        return correlation(F.adaptive_avg_pool2d(heatmap[None], 56)[0], self._heatmap)

    def plain(self, n: int) -> float:
        """Return the expected correlation of `n` plain masks with this heatmap, which has noise as well."""
        noise = self._mean(self._scores)[1] / n
        return self._signal / ((self._signal + noise) * (self._signal + self._own)) ** 0.5


def correlation(a: Tensor, b: Tensor) -> float:
    return float(torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1])


def measure(function: Callable[[], object], device: torch.device) -> tuple[float, float, object]:
    """Return the seconds, the peak memory above the start in MiB, and the result."""
    process, done, gpu = psutil.Process(), threading.Event(), device.type == "cuda"

    def used() -> int:
        return torch.cuda.max_memory_allocated(device) if gpu else process.memory_info().rss

    def sample() -> None:
        while not done.wait(0.003):
            seen.append(used())

    gc.collect()
    if gpu:
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
    elif sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)  # memory that an earlier run freed must not hide what this one takes
    seen = [used()]
    threading.Thread(target=sample, daemon=True).start()
    begun = time.perf_counter()
    found = function()
    if gpu:
        torch.cuda.synchronize(device)
    seconds = time.perf_counter() - begun
    done.set()
    return seconds, (max(*seen, used()) - seen[0]) / 2**20, found


def contest(contenders: list[Contender], rounds: int, device: torch.device) -> None:
    for i in range(-1, rounds):  # the first is for warming up
        for contender in contenders if i % 2 == 0 else contenders[::-1]:
            torch.manual_seed(0)
            runs = [measure(function, device) for function, _ in contender.first]
            seconds = sum(factor * run[0] for run, (_, factor) in zip(runs, contender.first, strict=True))
            contender.heatmap = runs[-1][2]
            changed = seconds if contender.change is None else measure(contender.change, device)[0]
            if i >= 0:
                contender.seconds.append(seconds)
                contender.changed.append(changed)
                contender.memory = max([contender.memory, *(run[1] for run in runs)])


def methods(case: Case, o: argparse.Namespace) -> dict[str, Callable[[], list[Contender]]]:
    """Return functions that prepare the contenders of each method, ours first."""
    batch, (explicand, _) = case.encoder.batch_size, case.pixels()
    noise, window = 0.2 / float(explicand.max() - explicand.min()), 2 * o.stride
    hide, kernel, rise = cw.Occlusion(window, o.stride), cw.KernelSHAP(n_samples=o.samples), cw.RISE(n_masks=o.masks)
    windows = hide.start(explicand[0], explicand[0]).total
    squares = {"sliding_window_shapes": (3, window, window), "strides": (3, o.stride, o.stride)}
    cells = {"feature_mask": kernel.labels(explicand[0])[None, None], "n_samples": o.samples}
    alike = f"batch {batch}"

    def perturbed(method: cw.Method, name: str, n: int, settings: dict[str, object]) -> list[Contender]:
        single = captums(case, name, "batch 1 (default)", n, False, **settings)
        batched = captums(case, name, alike, n, False, perturbations_per_eval=batch, **settings)
        return [ours(case, method, n), single, batched]

    return {
        "IG": lambda: [
            ours(case, cw.IntegratedGradients(steps=o.steps), o.steps + 2),
            captums(case, "IntegratedGradients", "all at once (default)", o.steps, True, n_steps=o.steps),
            captums(case, "IntegratedGradients", alike, o.steps, True, n_steps=o.steps, internal_batch_size=batch),
        ],
        "GradientSHAP": lambda: [
            ours(case, cw.GradientSHAP(samples=o.steps, noise=noise), o.steps),
            captums(case, "GradientShap", "all at once (only way)", o.steps, True, n_samples=o.steps, stdevs=0.2),
        ],
        "Occlusion": lambda: perturbed(hide, "Occlusion", windows, squares),
        "KernelSHAP": lambda: perturbed(kernel, "KernelShap", o.samples, cells),
        "RISE": lambda: [ours(case, rise, o.masks), ours(case, rise, o.masks, low=True), authors(case, o.slice)],
    }


def compare(name: str, contenders: list[Contender]) -> None:
    mine = contenders[0].heatmap
    for other in contenders[1:]:
        difference = float((other.heatmap - mine).abs().max() / other.heatmap.abs().max())
        other.agreement = f"correlation with ours {correlation(other.heatmap, mine):.4f}"
        if name in (
            "IG",
            "Occlusion",
        ):  # others draw differently, and Captum's KernelSHAP does not divide by area
            other.agreement += f", largest difference {difference:.0e} of the maximum"


def compare_with_converged(contenders: list[Contender], converged: Converged, masks: int) -> None:
    for contender in contenders[:2]:
        contender.agreement = f"correlation with converged {converged.correlation(contender.heatmap):.3f}"
    contenders[0].agreement += f"; {masks} plain masks: {converged.plain(masks):.3f} expected"
    contenders[2].agreement = f"{AUTHORS_MASKS} plain masks: {converged.plain(AUTHORS_MASKS):.3f} expected"


def times(theirs: list[float], mine: list[float]) -> str:
    return f"{statistics.median(t / m for t, m in zip(theirs, mine, strict=True)):,.2f} times"


def summary(found: dict[str, list[Contender]]) -> None:
    if "RISE" in found:
        mine, low, loop = found["RISE"]
        print(
            f"change of corpus, RISE: {times(loop.seconds, mine.changed)} faster than the authors' loop\n"
            f"first RISE heatmap of equal correlation: {times(loop.seconds, mine.seconds)} faster"
            f" ({times(loop.seconds, low.seconds)} in {low.who.rsplit()[-1]}), {mine.passes} masks for {loop.passes}"
        )
    if "IG" in found:
        mine, whole, batched = found["IG"]
        print(
            f"IG: {times(whole.seconds, mine.seconds)} faster than Captum at equal steps, memory {mine.memory:.0f}"
            f" against {whole.memory:.0f} MiB ({times(batched.seconds, mine.seconds)} than Captum at our batch,"
            f" {batched.memory:.0f} MiB)"
        )


def benchmark(name: str, options: argparse.Namespace) -> None:
    case, found = Case(name, options.device), {}
    print(f"\n{case.encoder}, {torch.get_num_threads()} threads, Captum {captum.__version__}")
    print(f"{'method':<13}{'':<37}{'passes':>7}{'first, s':>11}{'change, s':>11}{'MiB':>8}  agreement")
    for method in options.methods:
        contenders = found[method] = methods(case, options)[method]()
        contest(contenders, options.rounds, case.encoder.device)
        if method == "RISE":
            compare_with_converged(contenders, Converged(case, options.reference), options.masks)
        else:
            compare(method, contenders)
        for c in contenders:
            first = f"{statistics.median(c.seconds):.3f}"
            change = f"{statistics.median(c.changed):.4f}" if c.change else "again"
            print(f"{method:<13}{c.who:<37}{c.passes:>7}{first:>11}{change:>11}{c.memory:>8.0f}  {c.agreement}")
    print(f"~ scaled from {options.slice} of {AUTHORS_MASKS} masks, {CORPUS} of 2 × {CORPUS + FOIL} images of the bins")
    print("again: a change of the corpus takes as long as the first heatmap")
    summary(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoders", nargs="+", default=["demo", "resnet18", "resnet50", "vit_b_32"])
    parser.add_argument("--methods", nargs="+", default=["IG", "GradientSHAP", "Occlusion", "KernelSHAP", "RISE"])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=50, help="of IG and GradientSHAP")
    parser.add_argument("--stride", type=int, default=16, help="of Occlusion, whose windows are twice that")
    parser.add_argument("--samples", type=int, default=512, help="coalitions of KernelSHAP")
    parser.add_argument("--masks", type=int, default=64, help="of our RISE")
    parser.add_argument("--slice", type=int, default=60, help="masks of the authors' loop that are run")
    parser.add_argument("--reference", type=int, default=2000, help="masks of the converged RISE")
    options = parser.parse_args()
    for name in options.encoders:
        benchmark(name, options)


if __name__ == "__main__":
    main()
