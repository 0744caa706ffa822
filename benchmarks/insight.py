"""The cost of stability and influence: 224 px, RISE with 1,024 masks, d = 1,280.

python benchmarks/insight.py [--rounds 9]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F

import cocoa_widget as cw
from cocoa_widget.contrast.score import score_of
from cocoa_widget.encoders import Encoded
from cocoa_widget.evaluation import Ablation
from cocoa_widget.insight.influence import influence
from cocoa_widget.insight.stability import Members, resample, stability


def milliseconds(function: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        function()
        times.append(1e3 * (time.perf_counter() - begun))
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    torch.manual_seed(0)
    operator = cw.RISE().start(torch.zeros(3, 224, 224), torch.zeros(3, 224, 224))
    operator.accept(Encoded(torch.randn(operator.total, 1280)))
    own = torch.randn(1280)
    for corpus, foil in ((5, 5), (20, 100), (100, 1500)):
        members = Members(torch.randn(corpus, 1280), torch.randn(foil, 1280))
        score = score_of("contrastive_corpus", "cosine", corpus=members.corpus, foil=members.foil, explicands=own[None])

        def measure(size: tuple[int, int] | None, members: Members = members, score=score[0]) -> object:
            drawn = resample("contrastive_corpus", "cosine", members, own, resamples=200)
            assert drawn is not None
            return stability(operator, score, drawn, members, own, size)

        def split(members: Members = members, score=score[0]) -> object:
            return influence(operator, score, members, "contrastive_corpus", own)

        print(
            f"corpus {corpus}, foil {foil}:"
            f" heatmap {milliseconds(lambda s=score[0]: operator.apply(s), rounds):.2f} ms,"
            f" with standard error {milliseconds(lambda s=score[0]: operator.error(s), rounds):.2f} ms more;"
            f" stability, 200 resamples: {milliseconds(lambda: measure((28, 28)), rounds):.1f} ms as the page shows it,"
            f" {milliseconds(lambda: measure((56, 56)), rounds):.1f} ms at 56 px;"
            f" influence of each of {corpus + foil} members: {milliseconds(split, rounds):.1f} ms"
        )
    heatmap = F.interpolate(torch.randn(1, 1, 14, 14), 224)[0, 0]
    ablation = Ablation(torch.zeros(3, 224, 224), torch.zeros(3, 224, 224), heatmap)
    print(f"insertion and deletion of one explicand, 50 steps, all measures: {ablation.total} encodings")


if __name__ == "__main__":
    main()
