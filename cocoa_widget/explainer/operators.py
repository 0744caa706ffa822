"""The preparation of operators: all encoder passes of some explicands."""

from __future__ import annotations

from torch import Tensor
from tqdm.auto import tqdm

from ..attribution import LinearMethod, Operator, advance, remaining, start
from ..encoders import Encoder


def prepare_operators(
    encoder: Encoder, method: LinearMethod, inputs: Tensor, baselines: Tensor, similarity: str, *, progress: bool
) -> list[Operator]:
    """Return the complete operators of explicands (n, 3, H, W) with their baselines (n, 3, H, W).

    With the Gaussian similarity, they keep the answers that it needs.
    """
    operators = [start(encoder, method, x, b) for x, b in zip(inputs, baselines, strict=True)]
    if similarity == "gaussian":
        for operator in operators:
            operator.keep_answers()
    total = remaining(operators)
    with tqdm(total=total, delay=1, disable=not progress, desc=method.label, unit="pass") as bar:
        while left := remaining(operators):
            advance(encoder, [o for o in operators if not o.complete], encoder.batch_size)
            bar.update(left - remaining(operators))
    return operators
