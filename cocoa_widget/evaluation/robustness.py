"""Infidelity and sensitivity: whether heatmaps predict changes of the score, and change little under small noise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm.auto import tqdm

from ..attribution import Baseline, as_baseline, baselines_of
from ..encoders import Encoder
from .heatmaps import as_heatmaps, check_count
from .measures import Measure


def infidelity(
    encoder: Encoder,
    explicands: Any,
    heatmaps: Any,
    measure: Measure,
    *,
    baseline: str | Baseline | None = None,
    samples: int = 100,
    normalise: bool = False,
    seed: int = 0,
    progress: bool = True,
) -> NDArray[np.float64]:
    """Compute how badly heatmaps predict the effect of removed squares on the score (Yeh et al., NeurIPS 2019).

    Squares of random size and place are replaced by the baseline. The heatmap's sum over a square predicts the score's
    loss, and the mean squared error is the infidelity. It is 0 for integrated gradients of a linear score.

    Parameters
    ----------
    encoder : Encoder
        The encoder that was explained.
    explicands : Tensor, or anything that `ImageSet` takes
        n images; a float tensor (n, 3, H, W) is taken as preprocessed already.
    heatmaps : ndarray or Tensor
        (n, H, W), at the encoder's input size.
    measure : Measure
        The score: for COCOA ``ContrastiveCorpusSimilarity(corpus, foil)``.
    baseline : str or callable, optional
        What replaces removed squares, as for `Explainer`; a blur by default.
    samples : int
        Number of squares, the same for all explicands; each takes one encoding. Their sides are uniform between an
        eighth and a half of the shorter side of the image.
    normalise : bool
        Scale each heatmap to its best fit first, for methods such as RISE, whose heatmaps are not in units of the
        score.
    seed : int
        Same seed, same squares.
    progress : bool
        Show a progress bar if it takes longer than a second.

    Returns
    -------
    ndarray
        (n,), at least 0, in squared units of the score; smaller is better.
    """
    if samples < 1:
        raise ValueError(f"Infidelity needs at least 1 sample, not {samples}.")
    inputs = encoder.inputs(explicands)
    maps = as_heatmaps(heatmaps)
    check_count(len(maps), len(inputs), "explicands")
    if maps.shape[1:] != inputs.shape[2:]:
        raise ValueError(f"Heatmaps {tuple(maps.shape)} and explicands {tuple(inputs.shape)} differ in size.")
    moment = encoder.moment()
    removed = squares(samples, inputs.shape[2], inputs.shape[3], seed)
    predicted = torch.einsum("nhw,shw->ns", maps, removed.double()).numpy()
    # The whole explicand is first: its mask removes nothing.
    masks = torch.cat([torch.zeros_like(removed[:1]), removed])[:, None].to(inputs)
    baselines = baselines_of(as_baseline(baseline, encoder), inputs)
    lost = np.empty_like(predicted)
    with tqdm(total=len(inputs) * len(masks), delay=1, disable=not progress, desc="Infidelity", unit="image") as bar:
        for index, (explicand, other) in enumerate(zip(inputs, baselines, strict=True)):
            found = []
            for part in torch.split(masks, encoder.batch_size):
                found.append(encoder.forward(torch.lerp(explicand, other, part)).representations)
                bar.update(len(part))
            vectors = torch.cat(found)
            (values,) = measure(vectors[None], vectors[:1]).double().cpu().numpy()
            lost[index] = values[0] - values[1:]
    moment.check("infidelity was measured", "Measure again while training is paused.")
    if normalise:
        fit = (predicted**2).sum(1)
        predicted *= np.divide((predicted * lost).sum(1), fit, out=np.zeros_like(fit), where=fit > 0)[:, None]
    result: NDArray[np.float64] = ((predicted - lost) ** 2).mean(1)
    return result


def squares(samples: int, height: int, width: int, seed: int) -> Tensor:
    """Return masks (samples, height, width), float32, 1 inside a random square and 0 outside."""
    rng = np.random.default_rng(seed)
    shorter = min(height, width)
    masks = torch.zeros(samples, height, width)
    for mask in masks:
        side = int(rng.integers(max(1, shorter // 8), max(1, shorter // 2) + 1))
        top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
        mask[top : top + side, left : left + side] = 1
    return masks


def max_sensitivity(
    explain: Callable[[Tensor], Any],
    explicands: Tensor,
    *,
    radius: float = 0.02,
    samples: int = 10,
    seed: int = 0,
    progress: bool = True,
) -> NDArray[np.float64]:
    """Compute the largest change of heatmaps under noise that is too small to see (Yeh et al., NeurIPS 2019).

    Parameters
    ----------
    explain : callable
        Maps preprocessed explicands (n, 3, H, W) to heatmaps (n, H, W). It is called 1 + `samples` times; a
        method that draws at random should use the same seed each time.
    explicands : Tensor
        (n, 3, H, W), preprocessed: ``encoder.inputs(images)``.
    radius : float
        Half the width of the uniform noise, in units of preprocessed values.
    samples : int
        Number of noisy copies.
    seed : int
        Same seed, same noise.
    progress : bool
        Show a progress bar if it takes longer than a second.

    Returns
    -------
    ndarray
        (n,): the largest change's norm by the heatmap's norm, at least 0; smaller is better. NaN for a heatmap of
        zeros.

    Examples
    --------
    >>> explain = lambda x: explainer.explain(x, corpus=c, foil=v, progress=False).heatmaps  # doctest: +SKIP
    >>> max_sensitivity(explain, encoder.inputs(images))  # doctest: +SKIP
    """
    if samples < 1 or radius < 0:
        raise ValueError(f"Sensitivity needs samples ≥ 1 and radius ≥ 0, not {samples} and {radius}.")
    if not isinstance(explicands, Tensor) or explicands.ndim != 4:
        raise ValueError("explicands must be a preprocessed tensor (n, 3, H, W): encoder.inputs(images) makes it.")
    maps = as_heatmaps(explain(explicands))
    norm = maps.flatten(1).norm(dim=1)
    worst = torch.zeros_like(norm)
    generator = torch.Generator().manual_seed(seed)
    for _ in tqdm(range(samples), delay=1, disable=not progress, desc="Sensitivity", unit="noise"):
        noise = (2 * torch.rand(explicands.shape, generator=generator) - 1) * radius
        changed = as_heatmaps(explain(explicands + noise.to(explicands)))
        worst = torch.maximum(worst, (changed - maps).flatten(1).norm(dim=1))
    result: NDArray[np.float64] = torch.where(norm > 0, worst / norm, torch.nan).numpy()
    return result
