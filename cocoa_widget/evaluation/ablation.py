"""Insertion and deletion: the course of a score while features are inserted or deleted, the most important first.

Petsiuk et al. (BMVC 2018), with the baseline of Lin et al. (ICLR 2023): insertion goes from the baseline to the
explicand, deletion the other way. Both ends are shared, and all measures use the same representations, so an
explicand costs 2 · steps encodings: 100 for the paper's 50 steps, instead of the 714 of its authors' evaluation.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm.auto import tqdm

from ..attribution import Baseline, as_baseline, baselines_of
from ..encoders import Encoder
from .curves import Curves
from .heatmaps import as_heatmaps, check_count
from .measures import Measure

Features = int | Tensor | NDArray[np.integer[Any]]
"""What is inserted or deleted at once: the side of square cells in pixels, 1 for single pixels, or labels (H, W)."""


def ranks(heatmap: Tensor, features: Features) -> Tensor:
    """Rank an explicand's features by their heatmap, the most important first.

    Parameters
    ----------
    heatmap : Tensor
        (H, W).
    features : int, Tensor or ndarray
        Side of square cells in pixels (those at the right and the lower border may be smaller), or integer labels
        (H, W). The importance of a feature is the mean of its pixels.

    Returns
    -------
    Tensor
        (H, W), int64: the rank of each pixel's feature, from 0. Of equal features the first in reading order (cells)
        or the one with the lowest label comes first.
    """
    labels = _labels(features, heatmap.shape[0], heatmap.shape[1]).to(heatmap.device)
    sizes = torch.bincount(labels.flatten())
    means = torch.bincount(labels.flatten(), heatmap.flatten()) / sizes
    order = means.argsort(descending=True, stable=True)
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order), device=order.device)
    return rank[labels]


def _labels(features: Features, height: int, width: int) -> Tensor:
    if isinstance(features, int):
        if features < 1:
            raise ValueError(f"features must be a side of at least 1 pixel, not {features}.")
        rows, columns = torch.arange(height) // features, torch.arange(width) // features
        return rows[:, None] * (int(columns[-1]) + 1) + columns
    labels = torch.as_tensor(features)
    if labels.is_floating_point() or tuple(labels.shape) != (height, width):
        raise ValueError(
            f"features must be the side of square cells, or integer labels of the shape ({height}, {width}), not"
            f" {labels.dtype} of the shape {tuple(labels.shape)}."
        )
    found: Tensor = torch.unique(labels, return_inverse=True)[1]
    return found


class Ablation:
    """Insertion and deletion on one explicand; the caller runs the encoder, a batch of inputs at a time.

    Parameters
    ----------
    explicand, baseline : Tensor
        (3, H, W), preprocessed.
    heatmap : Tensor or ndarray
        (H, W), at the explicand's size.
    steps : int
        Steps from one end to the other. After step k the share k / steps of the features has been changed; where that
        is not a whole number of features, the last one is blended.
    features : int, Tensor or ndarray
        What is inserted or deleted at once; see `ranks`.

    Attributes
    ----------
    total, done : int
        Encodings in all, 2 · steps, and so far.

    Examples
    --------
    >>> while not ablation.complete:  # doctest: +SKIP
    ...     ablation.accept(encoder.forward(ablation.inputs(8)).representations)
    >>> ablation.curves([measure]).insertion_auc  # doctest: +SKIP
    """

    def __init__(
        self, explicand: Tensor, baseline: Tensor, heatmap: Any, *, steps: int = 50, features: Features = 1
    ) -> None:
        if steps < 1:
            raise ValueError(f"Insertion and deletion need at least 1 step, not {steps}.")
        size = tuple(explicand.shape[-2:])
        (single,) = as_heatmaps(heatmap, "heatmap")
        if tuple(single.shape) != size:
            raise ValueError(
                f"The heatmap's shape {tuple(single.shape)} is not the explicand's {size}: give a heatmap at the"
                " encoder's input size."
            )
        rank = ranks(single, features)
        self.steps = steps
        self.total = 2 * steps
        self.done = 0
        self._explicand, self._baseline = explicand[None], baseline[None]
        self._rank = rank.to(explicand)
        self._count = int(rank.max()) + 1
        # The ends come first: the explicand, the baseline. Then insertion and deletion of each step in turn.
        self._slots = [(0, True), (0, False)]
        self._slots += [(step, deletes) for step in range(1, steps) for deletes in (False, True)]
        self._representations = torch.empty(0)

    @property
    def complete(self) -> bool:
        """Whether no encodings are left."""
        return self.done >= self.total

    def inputs(self, count: int) -> Tensor:
        """Return the next inputs to encode: (k, 3, H, W) with k ≤ `count`."""
        slots = self._slots[self.done : self.done + count]
        amounts = self._rank.new_tensor([step / self.steps * self._count for step, _ in slots])
        changed = (amounts[:, None, None] - self._rank).clamp(0, 1)
        deletes = torch.tensor([deletes for _, deletes in slots], device=changed.device)
        kept = torch.where(deletes[:, None, None], 1 - changed, changed)
        # `lerp` is exact at both ends; b + (x − b) is not.
        return torch.lerp(self._baseline, self._explicand, kept[:, None])

    def accept(self, representations: Tensor) -> None:
        """Take the representations (k, d) of the inputs that were handed out last."""
        if self.done == 0:
            self._representations = representations.new_empty(self.total, representations.shape[1])
        stop = self.done + len(representations)
        self._representations[self.done : stop] = representations
        self.done = stop

    def curves(self, measures: Sequence[Measure]) -> Curves:
        """Measure the representations, and return the curves of this one explicand.

        Raises
        ------
        RuntimeError
            Encodings are left.
        """
        if not self.complete:
            raise RuntimeError(f"This ablation has {self.done} of {self.total} encodings: go on until it is complete.")
        _check_measures(measures)
        explicand, baseline = self._representations[0:1], self._representations[1:2]
        between = self._representations[2:]
        insertion = torch.cat([baseline, between[0::2], explicand])
        deletion = torch.cat([explicand, between[1::2], baseline])
        both = torch.stack([insertion, deletion]), explicand.expand(2, -1)
        found = torch.stack([measure(*both) for measure in measures]).float().cpu().numpy()
        return Curves(
            fractions=np.linspace(0, 1, self.steps + 1),
            measures=tuple(measure.name for measure in measures),
            labels=tuple(measure.label for measure in measures),
            insertion=found[:, :1],
            deletion=found[:, 1:],
        )


def insertion_deletion(
    encoder: Encoder,
    explicands: Any,
    heatmaps: Any,
    measures: Sequence[Measure],
    *,
    baseline: str | Baseline | None = None,
    steps: int = 50,
    features: Features | Sequence[Features] = 1,
    progress: bool = True,
) -> Curves:
    """Insert and delete the features of explicands in the order of their heatmaps, and measure the effect.

    Every changed image is encoded once for all measures: 2 · `steps` encodings for each explicand.

    Parameters
    ----------
    encoder : Encoder
        The encoder whose representations are measured; it need not be the one that was explained.
    explicands : Tensor, or anything that `ImageSet` takes
        n images; a float tensor (n, 3, H, W) is taken as preprocessed already.
    heatmaps : ndarray or Tensor
        (n, H, W), at the encoder's input size; large where an explicand is important.
    measures : sequence of Measure
        One or more, with different names.
    baseline : str or callable, optional
        What replaces removed features, as for `Explainer`; a blur by default.
    steps : int
        Steps from one end to the other.
    features : int, label map (H, W), or n label maps
        What is inserted or deleted at once: the side of square cells in pixels, or labels of superpixels; see `ranks`.
    progress : bool
        Show a progress bar if it takes longer than a second.

    Returns
    -------
    Curves
        A good heatmap has a large area under the insertion curve and a small one under the deletion curve.

    Raises
    ------
    ValueError
        Shapes do not match, a heatmap is not finite, or two measures have the same name.
    EncoderError
        The encoder's weights changed meanwhile.
    """
    _check_measures(measures)
    moment = encoder.moment()
    inputs = encoder.inputs(explicands)
    maps = as_heatmaps(heatmaps)
    check_count(len(maps), len(inputs), "explicands")
    if len(inputs) == 0:
        raise ValueError("There are no explicands: give at least one image.")
    baselines = baselines_of(as_baseline(baseline, encoder), inputs)
    each = _features_of_each(features, len(inputs))
    waiting = deque(
        Ablation(x, b, heatmap, steps=steps, features=part)
        for x, b, heatmap, part in zip(inputs, baselines, maps, each, strict=True)
    )
    found: list[Curves] = []
    total = sum(ablation.total for ablation in waiting)
    with tqdm(total=total, delay=1, disable=not progress, desc="Insertion and deletion", unit="image") as bar:
        while waiting:
            handed: list[tuple[Ablation, Tensor]] = []
            room = encoder.batch_size
            for ablation in waiting:
                handed.append((ablation, ablation.inputs(room)))
                room -= len(handed[-1][1])
                if room == 0:
                    break
            representations = encoder.forward(torch.cat([batch for _, batch in handed])).representations
            parts = torch.split(representations, [len(batch) for _, batch in handed])
            for (ablation, _), part in zip(handed, parts, strict=True):
                ablation.accept(part)
            bar.update(len(representations))
            while waiting and waiting[0].complete:
                found.append(waiting.popleft().curves(measures))
    moment.check("pixels were inserted and deleted", "Measure again while training is paused.")
    return Curves.joined(found)


def _check_measures(measures: Sequence[Measure]) -> None:
    names = [measure.name for measure in measures]
    if not names:
        raise ValueError("There are no measures: give at least one, such as ContrastiveCorpusSimilarity(corpus, foil).")
    if len(set(names)) < len(names):
        raise ValueError(
            f"Measures need different names, but these are {', '.join(names)}: give one of them another name=…."
        )


def _features_of_each(features: Features | Sequence[Features], count: int) -> list[Features]:
    if isinstance(features, int) or (isinstance(features, np.ndarray | Tensor) and features.ndim == 2):
        return [features] * count
    each = list(features)
    if len(each) != count:
        raise ValueError(f"There are {len(each)} label maps but {count} explicands: give one for all, or one for each.")
    return each
