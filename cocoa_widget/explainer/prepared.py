"""Prepared explicands, and their answers to any corpus and foil."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from ..attribution import DirectMethod, GradientMethod, LinearMethod, Operator, Run, advance_run, remaining
from ..contrast import TARGETS, Score, check_similarity, check_target, score_of
from ..encoders import EncoderError
from ..insight import Influence, Members, Stability, influence, resample, stability
from ..texts import Texts, unread
from .explanation import Explanation
from .operators import prepare_operators

if TYPE_CHECKING:
    from .explainer import Explainer


def _only_texts(images: Any) -> bool:
    return isinstance(images, Texts) or (
        isinstance(images, list | tuple) and all(isinstance(part, Texts) for part in images)
    )


@dataclass
class Prepared:
    """Explicands with their operators: what `Explainer.prepare` returns.

    Attributes
    ----------
    explainer : Explainer
    inputs : Tensor
        (n, 3, H, W), the preprocessed explicands.
    baselines : Tensor
        (n, 3, H, W), what replaces their removed parts.
    representations : Tensor
        (n, d).
    fingerprint : str
        The encoder's fingerprint when the explicands were prepared; later passes need the same weights.
    operators : list of Operator
        One for each explicand; empty for methods without operators.
    """

    explainer: Explainer
    inputs: Tensor
    baselines: Tensor
    representations: Tensor
    fingerprint: str
    operators: list[Operator] = field(default_factory=list)

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
            Images, preprocessed images (m, 3, H, W), representations (m, d), `Texts`, or a list of `Texts` and any of
            the others.
        target : {"contrastive_corpus", "corpus", "label_free", "contrastive_label_free"}
            What the score compares with.
        similarity : {"cosine", "dot", "gaussian"}
            How representations are compared.
        progress : bool
            Show a progress bar if it takes longer than a second. Methods without operators may, and the Gaussian
            similarity unless the explicands were prepared for it: it prepares them again.

        Returns
        -------
        Explanation

        Raises
        ------
        NothingToExplain
            The target needs a bin that is empty.
        EncoderError
            The encoder's weights have changed since the explicands were prepared, and passes are needed.
        """
        check_target(target)
        asked = TARGETS[target]
        against = asked.foil and self._holds(foil)
        if asked.corpus and _only_texts(corpus) and self._holds(corpus) and not against:
            warnings.warn(
                "A corpus of texts without a foil also measures the gap between texts and images: give a foil, such as"
                " Texts(class_names('cifar100')), or take the texts' mean out with cocoa_widget.centre.",
                stacklevel=2,
            )
        questions = self.scores(corpus=corpus, foil=foil, target=target, similarity=similarity)
        pairs = zip(questions, self.representations, strict=True)
        gamma = torch.cat([score(own[None])[0] for score, own in pairs]).cpu().numpy()
        if isinstance(self.explainer.method, GradientMethod | DirectMethod):
            with self._same_weights("gradients were taken"):
                runs = self._run(self.explainer.method, questions, progress)
            maps = torch.stack([run.heatmap() for run in runs])
            gaps = [run.gap for run in runs]
            owed = None if any(gap is None for gap in gaps) else np.array(gaps, dtype=np.float32)
            return Explanation(maps.cpu().numpy(), gamma, gaps=owed)
        self._support(similarity, progress)
        pieces = zip(self.operators, questions, strict=True)
        found = [(operator.apply(score), operator.error(score)) for operator, score in pieces]
        errors = [error for _, error in found if error is not None]
        return Explanation(
            torch.cat([heatmap for heatmap, _ in found]).cpu().numpy(),
            gamma,
            errors=torch.cat(errors).cpu().numpy() if errors else None,
        )

    def stability(
        self,
        *,
        corpus: Any = None,
        foil: Any = None,
        target: str = "contrastive_corpus",
        similarity: str = "cosine",
        resamples: int = 200,
        seed: int = 0,
        size: tuple[int, int] | None = (56, 56),
    ) -> list[Stability | None]:
        """Measure how much each answer changes when corpus and foil are drawn again.

        Explicands need no passes, unless the similarity is Gaussian and they were not prepared for it.

        Parameters
        ----------
        corpus, foil, target, similarity
            See `explain`.
        resamples : int
            Number of times that the bins are resampled.
        seed : int
            Same seed, same draws.
        size : (int, int), optional
            Height and width of the deviation, at most the encoder's input size, which None stands for. A small size
            loses little, because the deviation is as smooth as the heatmaps.

        Returns
        -------
        list of Stability or None
            One for each explicand; None where a used bin has a single member, whose variation is unknown.
        """
        members = Members(self.members(corpus), self.members(foil))
        questions = self.scores(corpus=members.corpus, foil=members.foil, target=target, similarity=similarity)
        used = members.used_by(target)
        self._support(similarity, progress=True)
        found: list[Stability | None] = []
        for i, (score, own) in enumerate(zip(questions, self.representations, strict=True)):
            drawn = resample(target, similarity, members, own, resamples, seed)
            operator = self.operators[i] if self.operators else None
            found.append(None if drawn is None else stability(operator, score, drawn, used, own, size))
        return found

    def influence(
        self, *, corpus: Any = None, foil: Any = None, target: str = "contrastive_corpus", similarity: str = "cosine"
    ) -> list[tuple[Influence | None, Influence | None]]:
        """Split each answer over the members of corpus and foil; explicands need no passes.

        Parameters
        ----------
        corpus, foil, target, similarity
            See `explain`.

        Returns
        -------
        list of tuple of Influence or None
            For corpus and foil, one pair for each explicand; None for a bin that is empty or not used.

        Raises
        ------
        ValueError
            The similarity is Gaussian, which is not a sum over images.
        """
        members = Members(self.members(corpus), self.members(foil))
        questions = self.scores(corpus=members.corpus, foil=members.foil, target=target, similarity=similarity)
        found = []
        for i, (score, own) in enumerate(zip(questions, self.representations, strict=True)):
            found.append(influence(self.operators[i] if self.operators else None, score, members, target, own))
        return found

    def _support(self, similarity: str, progress: bool) -> None:
        """Prepare again the operators that have not kept what a similarity needs."""
        lacking = [i for i, operator in enumerate(self.operators) if not operator.supports(similarity)]
        if not lacking:
            return
        method, encoder = self.explainer.method, self.explainer.encoder
        assert isinstance(method, LinearMethod)
        with self._same_weights("explicands were prepared for another similarity"):
            inputs, baselines = self.inputs[lacking], self.baselines[lacking]
            found = prepare_operators(encoder, method, inputs, baselines, similarity, progress=progress)
        for i, operator in zip(lacking, found, strict=True):
            self.operators[i] = operator

    def scores(
        self, *, corpus: Any = None, foil: Any = None, target: str = "contrastive_corpus", similarity: str = "cosine"
    ) -> list[Score]:
        """Return the score that each explicand's heatmap explains; see `explain` for the parameters."""
        check_target(target)
        check_similarity(similarity)
        return score_of(
            target,
            similarity,
            corpus=self.members(corpus),
            foil=self.members(foil),
            explicands=self.representations,
        )

    def members(self, images: Any) -> Tensor | None:
        """Return the representations (m, d) of a bin; None for an empty one."""
        if not self._holds(images):
            return None
        if isinstance(images, Texts):
            with self._same_weights("texts were encoded"):
                return self._texts(images)
        if isinstance(images, list | tuple) and any(isinstance(part, Texts) for part in images):
            found = [self.members(part if isinstance(part, Texts | Tensor) else [part]) for part in images]
            held = [vectors for vectors in found if vectors is not None]
            return torch.cat(held) if held else None
        if isinstance(images, Tensor) and images.ndim == 2 and images.is_floating_point():
            if images.shape[1] != self.representations.shape[1]:
                raise ValueError(
                    f"A tensor (m, d) is taken as representations: d must be {self.representations.shape[1]}, not"
                    f" {images.shape[1]}."
                )
            return images.to(self.representations)
        with self._same_weights("images were encoded"):
            return self.explainer.encoder.encode(images)

    @contextmanager
    def _same_weights(self, doing: str) -> Iterator[None]:
        """Check before and after a block that the encoder has the weights that the explicands were prepared with."""
        moment = self.explainer.encoder.moment()
        if moment.fingerprint != self.fingerprint:
            raise EncoderError(
                f"The weights of encoder {self.explainer.encoder.name!r} have changed since the explicands were"
                " prepared, and representations of different weights cannot be compared: prepare the explicands again."
            )
        yield
        moment.check(doing, "Prepare the explicands again while training is paused.")

    @staticmethod
    def _holds(images: Any) -> bool:
        """Return whether a bin has members."""
        if _only_texts(images) and not isinstance(images, Texts):
            return any(map(len, images))
        return images is not None and not (hasattr(images, "__len__") and len(images) == 0)

    def _texts(self, texts: Texts) -> Tensor:
        encoder = self.explainer.encoder
        found = encoder.encode_text(texts.prompts, template=texts.template).to(self.representations)
        if cut := encoder.cut_prompts(texts.prompts, template=texts.template):
            warnings.warn(unread(cut, encoder.text.context if encoder.text else None), stacklevel=3)
        return found

    def _run(self, method: GradientMethod | DirectMethod, questions: list[Score], progress: bool) -> list[Run]:
        encoder = self.explainer.encoder
        runs: list[Run] = [method.start(x, b) for x, b in zip(self.inputs, self.baselines, strict=True)]
        with tqdm(total=remaining(runs), delay=1, disable=not progress, desc=method.label, unit="pass") as bar:
            for run, score in zip(runs, questions, strict=True):
                while not run.complete:
                    before = run.done
                    advance_run(encoder, run, score, encoder.batch_size)
                    bar.update(run.done - before)
        return runs
