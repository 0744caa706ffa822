"""The cost of an answer from operators: RISE with 1,024 masks, d = 1,280, heatmaps of 56 × 56.

Coefficients, for all explicands at once, beside the way before: the answers of all masks, one explicand at a time.

python benchmarks/operators.py [--rounds 9] [--threads 2]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from copy import copy

import torch
import torch.nn.functional as F
from torch import Tensor

import cocoa_widget as cw
from cocoa_widget.attribution import apply_together
from cocoa_widget.attribution.perturbation import PerturbationOperator
from cocoa_widget.contrast import LinearScore
from cocoa_widget.encoders import Encoded

DIMENSION = 1280
SIZE = (56, 56)


class Before:
    """Unit representations under all masks, in float32, from which each heatmap is made anew."""

    def __init__(self, operator: PerturbationOperator, vectors: Tensor) -> None:
        self._design, self._unit, self._norm = operator._design, F.normalize(vectors, dim=1), vectors.norm(dim=1)

    @property
    def nbytes(self) -> int:
        return self._unit.nbytes + self._norm.nbytes

    def apply(self, score: LinearScore) -> Tensor:
        return self._design.heatmaps(score.of(self._unit, self._norm), SIZE)


def milliseconds(function: Callable[[], object], rounds: int) -> float:
    function()
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        function()
        times.append(1e3 * (time.perf_counter() - begun))
    return statistics.median(times)


def copied(operator: PerturbationOperator) -> PerturbationOperator:
    """Return an operator with memory of its own, as another explicand's has."""
    other = copy(operator)
    other._coefficients = copy(operator._coefficients)
    other._coefficients._known = {
        name: type(each)(each.steps.clone(), each.scales.clone())
        for name, each in operator._coefficients._known.items()
    }
    return other


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    operator = cw.RISE().start(torch.zeros(3, 224, 224), torch.zeros(3, 224, 224))
    vectors = torch.randn(DIMENSION) + 0.3 * torch.randn(operator.total, DIMENSION)
    begun = time.perf_counter()
    for start in range(0, operator.total, 16):
        operator.accept(Encoded(vectors[start : start + 16], None))
    print(f"adding up {operator.total} answers, 16 at a time: {1e3 * (time.perf_counter() - begun):.0f} ms")
    before = Before(operator, vectors)
    score = LinearScore(torch.randn(1, DIMENSION), "cosine")
    off = (operator.apply(score, SIZE) - before.apply(score)).abs().max() / before.apply(score).abs().max()
    print(f"difference of the heatmap, as a share of its maximum: {float(off):.1e}")
    print(f"kept for an explicand: {operator.nbytes / 2e3:.0f} kB a similarity; before: {before.nbytes / 1e3:.0f} kB")
    print(f"standard error: {milliseconds(lambda: operator.error(score, SIZE), options.rounds):.2f} ms")
    print(f"{'explicands':>10} {'coefficients':>14} {'answers':>14}")
    with torch.inference_mode():
        for count in (1, 12, 64, 1000):
            operators = [copied(operator) for _ in range(count)]
            scores, sizes = [score] * count, [SIZE] * count
            now = milliseconds(lambda o=operators, s=scores, z=sizes: apply_together(o, s, z), options.rounds)
            # As many answers as fit into memory; the time of one explicand does not depend on their number.
            some = [Before(operator, vectors) for _ in range(min(count, 64))]
            then = milliseconds(lambda b=some: [each.apply(score) for each in b], options.rounds) * count / len(some)
            print(f"{count:>10} {now:>11.2f} ms {then:>11.2f} ms")


if __name__ == "__main__":
    main()
