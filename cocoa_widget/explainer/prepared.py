"""Prepared explicands, and their answers to any corpus and foil."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from ..attribution import (
    DirectMethod,
    GradientMethod,
    LinearMethod,
    Operator,
    Run,
    advance_run,
    apply_together,
    remaining,
)
from ..contrast import TARGETS, Score, check_similarity, check_target, score_of
from ..encoders import Encoder, EncoderError
from ..insight import Influence, Members, Stability, influence, resample, stability
from ..texts import Texts, unread
from .explanation import Explanation
from .operators import prepare_operators
from .saved import read, write

if TYPE_CHECKING:
    from .explainer import Explainer


def _only_texts(images: Any) -> bool:
    return isinstance(images, Texts) or (
        isinstance(images, list | tuple) and all(isinstance(part, Texts) for part in images)
    )


@dataclass
class Prepared:
    """Explicands with their operators: what `Explainer.prepare` returns, and `load` from a file.

    Attributes
    ----------
    explainer : Explainer or None
        None where they were loaded: their images are not in the file.
    inputs : Tensor
        (n, 3, H, W), the preprocessed explicands; n = 0 where they were loaded.
    baselines : Tensor
        (n, 3, H, W), what replaces their removed parts; n = 0 where they were loaded.
    representations : Tensor
        (n, d).
    fingerprint : str
        The encoder's fingerprint when the explicands were prepared; later passes need the same weights.
    operators : list of Operator
        One for each explicand, empty for methods without operators. For a direction w, an operator's heatmap is
        ``operator.spread.maps(operator.coefficients @ w)``, where it has coefficients: (k, d), with k much smaller than
        the number of pixels.
    encoder : Encoder or None
        Encodes members of the bins that are images or texts.
    """

    explainer: Explainer | None
    inputs: Tensor
    baselines: Tensor
    representations: Tensor
    fingerprint: str
    operators: list[Operator] = field(default_factory=list)
    encoder: Encoder | None = None

    def save(self, path: str | PathLike[str]) -> None:
        """Save coefficients, spreads and representations, in the safetensors format.

        Loading the file takes no encoder passes. Images are not in it, nor what the Gaussian similarity needs.

        Parameters
        ----------
        path : path
            A file that is there is replaced.

        Raises
        ------
        ValueError
            The method has no coefficients: RISE (unless plain), CAM, sharp CAM, patch tokens, occlusion and KernelSHAP
            have.
        """
        if self.explainer is None:
            raise ValueError("These explicands were loaded from a file: copy that file.")
        method = self.explainer.method
        if not self.operators:
            raise ValueError(f"{method.label} has no operators that could be saved: choose a linear method.")
        write(
            path,
            self.representations,
            self.operators,
            {
                "encoder": self.explainer.encoder.name,
                "fingerprint": self.fingerprint,
                "method": repr(method),
                "baseline": repr(self.explainer.baseline),
            },
        )

    @classmethod
    def load(cls, path: str | PathLike[str], encoder: Encoder | None = None) -> Prepared:
        """Load explicands that `save` has saved; no encoder pass.

        Parameters
        ----------
        path : path
        encoder : Encoder, optional
            The encoder that they were prepared with. Without it, members of corpus and foil are representations (m, d).

        Raises
        ------
        FileNotFoundError
            There is no such file.
        ValueError
            It is damaged, no file of prepared explicands, or one of another version.
        EncoderError
            The encoder is another one, or has other weights or settings.
        """
        saved = read(path, torch.device("cpu") if encoder is None else encoder.device)
        fingerprint = saved.settings["fingerprint"]
        if encoder is not None and encoder.fingerprint != fingerprint:
            raise EncoderError(
                f"{path} was prepared with the encoder {saved.settings['encoder']!r}, and {encoder.name!r} is another"
                " one, or has other weights or settings: give the same encoder, or prepare the explicands again."
            )
        none = saved.representations.new_empty(0, 3, 0, 0)
        return cls(None, none, none, saved.representations, fingerprint, [*saved.operators], encoder)

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
        method = None if self.explainer is None else self.explainer.method
        if isinstance(method, GradientMethod | DirectMethod):
            with self._same_weights("gradients were taken") as encoder:
                runs = self._run(encoder, method, questions, progress)
            maps = torch.stack([run.heatmap() for run in runs])
            gaps = [run.gap for run in runs]
            owed = None if any(gap is None for gap in gaps) else np.array(gaps, dtype=np.float32)
            return Explanation(maps.cpu().numpy(), gamma, gaps=owed)
        self._support(similarity, progress)
        heatmaps = apply_together(self.operators, questions, [None] * len(questions))
        pieces = zip(self.operators, questions, strict=True)
        errors = [error for operator, score in pieces if (error := operator.error(score)) is not None]
        return Explanation(
            torch.cat(heatmaps).cpu().numpy(),
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
        if self.explainer is None:
            raise ValueError(
                "These explicands were loaded from a file, which lacks what the Gaussian similarity needs: choose the"
                " cosine or the dot product."
            )
        method = self.explainer.method
        assert isinstance(method, LinearMethod)
        with self._same_weights("explicands were prepared for another similarity") as encoder:
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
            with self._same_weights("texts were encoded") as encoder:
                return self._texts(encoder, images)
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
        with self._same_weights("images were encoded") as encoder:
            return encoder.encode(images)

    @contextmanager
    def _same_weights(self, doing: str) -> Iterator[Encoder]:
        """Check before and after a block that the encoder has the weights that the explicands were prepared with."""
        if self.encoder is None:
            raise ValueError(
                "These explicands were loaded without an encoder: give corpus and foil as representations (m, d), or"
                " load them by Prepared.load(path, encoder)."
            )
        moment = self.encoder.moment()
        if moment.fingerprint != self.fingerprint:
            raise EncoderError(
                f"The weights of encoder {self.encoder.name!r} have changed since the explicands were"
                " prepared, and representations of different weights cannot be compared: prepare the explicands again."
            )
        yield self.encoder
        moment.check(doing, "Prepare the explicands again while training is paused.")

    @staticmethod
    def _holds(images: Any) -> bool:
        """Return whether a bin has members."""
        if _only_texts(images) and not isinstance(images, Texts):
            return any(map(len, images))
        return images is not None and not (hasattr(images, "__len__") and len(images) == 0)

    def _texts(self, encoder: Encoder, texts: Texts) -> Tensor:
        found = encoder.encode_text(texts.prompts, template=texts.template).to(self.representations)
        if cut := encoder.cut_prompts(texts.prompts, template=texts.template):
            warnings.warn(unread(cut, encoder.text.context if encoder.text else None), stacklevel=3)
        return found

    def _run(
        self, encoder: Encoder, method: GradientMethod | DirectMethod, questions: list[Score], progress: bool
    ) -> list[Run]:
        runs: list[Run] = [method.start(x, b) for x, b in zip(self.inputs, self.baselines, strict=True)]
        with tqdm(total=remaining(runs), delay=1, disable=not progress, desc=method.label, unit="pass") as bar:
            for run, score in zip(runs, questions, strict=True):
                while not run.complete:
                    before = run.done
                    advance_run(encoder, run, score, encoder.batch_size)
                    bar.update(run.done - before)
        return runs
