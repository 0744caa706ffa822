"""Explanations without a widget: prepare explicands once, explain them by any corpus and foil."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm.auto import tqdm

from .attribution import Baseline, Blur, Method, Operator, Path, as_method
from .attribution.method import GradientMethod, LinearMethod
from .attribution.run import advance, advance_path, remaining
from .direction import check_similarity, check_target, directions, scores
from .encoders import Encoder


@dataclass(frozen=True)
class Explanation:
    """Heatmaps of explicands for one corpus and foil.

    Attributes
    ----------
    heatmaps : ndarray
        (n, H, W), float32, at the encoder's input size; positive where the image is like the corpus.
    scores : ndarray
        (n,), float32: gamma of each explicand.
    gaps : ndarray or None
        (n,), float32: how much each heatmap's sum misses what completeness demands, for path methods.
    """

    heatmaps: NDArray[np.float32]
    scores: NDArray[np.float32]
    gaps: NDArray[np.float32] | None = None


class Explainer:
    """Explain what makes images like a corpus and unlike a foil (COCOA, Lin et al., ICLR 2023).

    Parameters
    ----------
    encoder : Encoder
        Whose representations are explained.
    method : str or Method, default "rise"
        ``"rise"``, ``"cam"``, ``"integrated_gradients"``, or one with settings of its own, e.g. ``RISE(n_masks=512)``.
    baseline : callable, optional
        What replaces removed parts of an explicand; ``Blur(kernel_size=21, sigma=5.0)`` by default.

    Examples
    --------
    >>> explainer = Explainer(encoder, method=RISE(n_masks=512))  # doctest: +SKIP
    >>> explainer.explain("photos/", corpus="cats/", foil="dogs/").heatmaps.shape  # doctest: +SKIP
    (7, 224, 224)
    """

    def __init__(self, encoder: Encoder, method: str | Method = "rise", baseline: Baseline | None = None) -> None:
        if not isinstance(encoder, Encoder):
            raise TypeError(
                f"encoder must be a cocoa_widget.Encoder, not {type(encoder).__name__}: wrap a module as"
                " cocoa_widget.Encoder(module)."
            )
        self.encoder = encoder
        self.method = as_method(method)
        self.baseline = baseline or Blur()

    def prepare(self, explicands: Any, *, progress: bool = True) -> Prepared:
        """Do all the work on explicands that does not depend on corpus and foil.

        Parameters
        ----------
        explicands : Tensor, or anything that `ImageSet` takes
            A float tensor (n, 3, H, W) is taken as preprocessed already.
        progress : bool
            Show a progress bar if it takes longer than a second.

        Returns
        -------
        Prepared
        """
        inputs = self.encoder.inputs(explicands)
        if len(inputs) == 0:
            raise ValueError("There are no explicands: give at least one image to explain.")
        prepared = Prepared(self, inputs, self.encoder.forward(inputs).representations)
        if isinstance(self.method, LinearMethod):
            prepared.operators = [self.method.start(x, b) for x, b in zip(inputs, prepared.baselines, strict=True)]
            total = remaining(prepared.operators)
            with tqdm(total=total, delay=1, disable=not progress, desc=self.method.label, unit="pass") as bar:
                while left := remaining(prepared.operators):
                    advance(self.encoder, [o for o in prepared.operators if not o.complete], self.encoder.batch_size)
                    bar.update(left - remaining(prepared.operators))
        return prepared

    def explain(
        self,
        explicands: Any,
        *,
        corpus: Any = None,
        foil: Any = None,
        target: str = "contrastive_corpus",
        similarity: str = "cosine",
        progress: bool = True,
    ) -> Explanation:
        """Prepare and explain in one call; see `prepare` and `Prepared.explain`."""
        check_target(target)
        check_similarity(similarity)
        return self.prepare(explicands, progress=progress).explain(
            corpus=corpus, foil=foil, target=target, similarity=similarity, progress=progress
        )


@dataclass
class Prepared:
    """Explicands with their operators: what `Explainer.prepare` returns.

    Attributes
    ----------
    explainer : Explainer
    inputs : Tensor
        (n, 3, H, W), the preprocessed explicands.
    representations : Tensor
        (n, d).
    operators : list of Operator
        One for each explicand; empty for methods that differentiate.
    """

    explainer: Explainer
    inputs: Tensor
    representations: Tensor
    operators: list[Operator] = field(default_factory=list)

    @property
    def baselines(self) -> Tensor:
        """The explicands' baselines (n, 3, H, W)."""
        return self.explainer.baseline(self.inputs)

    def explain(
        self,
        *,
        corpus: Any = None,
        foil: Any = None,
        target: str = "contrastive_corpus",
        similarity: str = "cosine",
        progress: bool = True,
    ) -> Explanation:
        """Explain the explicands by a corpus and a foil.

        Parameters
        ----------
        corpus, foil : Tensor, or anything that `ImageSet` takes, optional
            Images, preprocessed images (m, 3, H, W), or representations (m, d).
        target : {"contrastive_corpus", "corpus", "label_free", "contrastive_label_free"}
            What the score compares with.
        similarity : {"cosine", "dot"}
            How.
        progress : bool
            Show a progress bar if it takes longer than a second, as methods that differentiate may.

        Returns
        -------
        Explanation

        Raises
        ------
        NothingToExplain
            The target needs a bin that is empty.
        """
        check_target(target)
        check_similarity(similarity)
        w = directions(
            target,
            similarity,
            corpus=self._mean(corpus, similarity),
            foil=self._mean(foil, similarity),
            explicands=self.representations,
        )
        gamma = scores(self.representations, w, similarity).cpu().numpy()
        if isinstance(self.explainer.method, GradientMethod):
            paths = self._follow(self.explainer.method, w, similarity, progress)
            maps = torch.stack([path.heatmap() for path in paths])
            gaps = [path.gap for path in paths]
            owed = None if any(gap is None for gap in gaps) else np.array(gaps, dtype=np.float32)
            return Explanation(maps.cpu().numpy(), gamma, owed)
        maps = torch.cat([o.apply(w[i, None], similarity) for i, o in enumerate(self.operators)])
        return Explanation(maps.cpu().numpy(), gamma)

    def _mean(self, members: Any, similarity: str) -> Tensor | None:
        if members is None or (hasattr(members, "__len__") and len(members) == 0):
            return None
        if isinstance(members, Tensor) and members.ndim == 2 and members.is_floating_point():
            vectors = members.to(self.representations)
        else:
            vectors = self.explainer.encoder.encode(members)
        return (torch.nn.functional.normalize(vectors, dim=1) if similarity == "cosine" else vectors).mean(0)

    def _follow(self, method: GradientMethod, w: Tensor, similarity: str, progress: bool) -> list[Path]:
        encoder = self.explainer.encoder
        paths = [method.start(x, b) for x, b in zip(self.inputs, self.baselines, strict=True)]
        with tqdm(total=remaining(paths), delay=1, disable=not progress, desc=method.label, unit="pass") as bar:
            for path, direction in zip(paths, w, strict=True):
                while not path.complete:
                    before = path.done
                    advance_path(encoder, path, direction, similarity, encoder.batch_size)
                    bar.update(path.done - before)
        return paths
