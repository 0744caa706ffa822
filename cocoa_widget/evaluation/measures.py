"""Measures: numbers that insertion and deletion compute from representations.

A measure turns representations (n, s, d) of s versions of n explicands, and the explicands' own (n, d), into numbers
(n, s). It does not use images, so any number of measures costs one encoder pass per version.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from ..contrast import check_similarity, score_of

Classifier = Callable[[Tensor], Tensor]
"""Maps representations (n, d) to logits (n, classes)."""


class Measure(Protocol):
    """A function of representations with a name and a label, as `insertion_deletion` takes it."""

    @property
    def name(self) -> str:
        """The name in tables; measures that are used together need different ones."""

    @property
    def label(self) -> str:
        """The name on figures."""

    def __call__(self, representations: Tensor, explicands: Tensor) -> Tensor:
        """Measure s versions (n, s, d) of explicands, whose own representations are (n, d): (n, s), float32."""


@dataclass(frozen=True, eq=False)
class ContrastiveCorpusSimilarity:
    """Mean similarity to a corpus less that to a foil: COCOA's own score, gamma (Lin et al., ICLR 2023).

    Parameters
    ----------
    corpus, foil : Tensor
        (m, d), representations. The paper measures with the bins of the explanation; with other bins, the
        measure shows how far an explanation generalises.
    similarity : {"cosine", "dot", "gaussian"}
        How representations are compared.
    """

    corpus: Tensor
    foil: Tensor
    similarity: str = "cosine"
    name: str = "contrastive_corpus_similarity"
    label: str = "Contrastive corpus similarity"

    def __post_init__(self) -> None:
        check_similarity(self.similarity)
        _check_bin(self.corpus, "corpus")
        _check_bin(self.foil, "foil")

    def __call__(self, representations: Tensor, explicands: Tensor) -> Tensor:
        """Measure (n, s, d): (n, s), in −2..2 for the cosine and 0..1 for the Gaussian."""
        return _scores("contrastive_corpus", self.similarity, self.corpus, self.foil, representations, explicands)


@dataclass(frozen=True, eq=False)
class CorpusSimilarity:
    """Mean similarity to a corpus.

    Parameters
    ----------
    corpus : Tensor
        (m, d), representations.
    similarity : {"cosine", "dot", "gaussian"}
        How representations are compared.
    """

    corpus: Tensor
    similarity: str = "cosine"
    name: str = "corpus_similarity"
    label: str = "Corpus similarity"

    def __post_init__(self) -> None:
        check_similarity(self.similarity)
        _check_bin(self.corpus, "corpus")

    def __call__(self, representations: Tensor, explicands: Tensor) -> Tensor:
        """Measure (n, s, d): (n, s), in −1..1 for the cosine and 0..1 for the Gaussian."""
        return _scores("corpus", self.similarity, self.corpus, None, representations, explicands)


@dataclass(frozen=True, eq=False)
class ExplicandSimilarity:
    """Similarity to the explicand itself, which shows how far the representation has moved.

    Parameters
    ----------
    similarity : {"cosine", "dot", "gaussian"}
        How representations are compared.
    """

    similarity: str = "cosine"
    name: str = "explicand_similarity"
    label: str = "Similarity to the explicand"

    def __post_init__(self) -> None:
        check_similarity(self.similarity)

    def __call__(self, representations: Tensor, explicands: Tensor) -> Tensor:
        """Measure (n, s, d): (n, s), in −1..1 for the cosine and 0..1 for the Gaussian."""
        return _scores("label_free", self.similarity, None, None, representations, explicands)


@dataclass(frozen=True, eq=False)
class CorpusMajorityProbability:
    """Probability of the class that a classifier predicts most often for the corpus (Lin et al., ICLR 2023).

    Parameters
    ----------
    classifier : callable
        Maps representations (n, d) to logits (n, classes): ``encoder.classifier``, or a linear probe.
    corpus : Tensor
        (m, d), representations.

    Raises
    ------
    ValueError
        `classifier` is None, or `corpus` is not a tensor of representations.
    """

    classifier: Classifier | None
    corpus: Tensor
    name: str = "corpus_majority_probability"
    label: str = "Corpus majority probability"

    def __post_init__(self) -> None:
        _check_bin(self.corpus, "corpus")
        if self.classifier is None:
            raise ValueError(
                "Corpus majority probability needs a classifier, and this encoder has none: set encoder.classifier to a"
                " function of representations (n, d), such as a linear probe, or use another measure."
            )

    @cached_property
    def majority(self) -> int:
        """The class most often predicted for the corpus; of equally frequent ones the lowest."""
        return int(torch.bincount(self._logits(self.corpus).argmax(-1)).argmax())

    def __call__(self, representations: Tensor, explicands: Tensor) -> Tensor:
        """Measure (n, s, d): (n, s), in 0..1."""
        probabilities = self._logits(representations.flatten(0, 1)).softmax(-1)
        return probabilities[:, self.majority].reshape(representations.shape[:2])

    def _logits(self, representations: Tensor) -> Tensor:
        assert self.classifier is not None
        with torch.inference_mode():
            return self.classifier(representations).float()


def _scores(
    target: str,
    similarity: str,
    corpus: Tensor | None,
    foil: Tensor | None,
    representations: Tensor,
    explicands: Tensor,
) -> Tensor:
    corpus, foil = (None if members is None else members.to(explicands) for members in (corpus, foil))
    each = score_of(target, similarity, corpus=corpus, foil=foil, explicands=explicands)
    return torch.stack([score(versions)[0] for score, versions in zip(each, representations, strict=True)])


def _check_bin(members: Tensor, name: str) -> None:
    if not isinstance(members, Tensor) or members.ndim != 2 or len(members) == 0:
        found = tuple(members.shape) if isinstance(members, Tensor) else type(members).__name__
        raise ValueError(
            f"The {name} of a measure must be representations (m, d) with m ≥ 1, not {found}: encoder.encode(images)"
            " makes them."
        )
