"""The number that a heatmap explains, for any representation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .direction import TARGETS, check_bins, directions


class Score(ABC):
    """A function of representations that gives `k` numbers for each, such as one for each of k resampled bins.

    It takes representations as unit vectors and norms, which is how attribution methods keep them.
    """

    @property
    @abstractmethod
    def k(self) -> int:
        """Number of scores for each representation."""

    @abstractmethod
    def of(self, unit: Tensor, norm: Tensor) -> Tensor:
        """Return the scores (k, n) of representations given as unit vectors (n, d) and norms (n,)."""

    @abstractmethod
    def slopes(self, representation: Tensor) -> Tensor:
        """Return vectors (k, d) whose products with a feature map are what each position adds to the scores.

        For linear scores, their product with `representation` (d,) is the score; for others, they are its gradients.
        """

    @abstractmethod
    def clone(self) -> Score:
        """Return a copy with copied tensors: autograd refuses tensors made in inference mode, but not their copies."""

    def __call__(self, representations: Tensor) -> Tensor:
        """Return the scores (k, n) of representations (n, d)."""
        return self.of(F.normalize(representations, dim=-1), representations.norm(dim=-1))


@dataclass(frozen=True, eq=False)
class LinearScore(Score):
    """Products with directions (k, d), of unit vectors (``"cosine"``) or of representations (``"dot"``)."""

    directions: Tensor
    similarity: str

    @property
    def k(self) -> int:
        """Number of directions."""
        return len(self.directions)

    def of(self, unit: Tensor, norm: Tensor) -> Tensor:
        """Return the scores (k, n)."""
        products: Tensor = self.directions @ unit.T
        return products if self.similarity == "cosine" else products * norm

    def clone(self) -> LinearScore:
        """Return a copy with copied tensors."""
        return LinearScore(self.directions.clone(), self.similarity)

    def slopes(self, representation: Tensor) -> Tensor:
        """Return the directions, for the cosine divided by the representation's norm."""
        if self.similarity == "dot":
            return self.directions
        slopes: Tensor = self.directions / representation.norm().clamp(min=1e-12)
        return slopes


@dataclass(frozen=True, eq=False)
class GaussianScore(Score):
    """Gaussian similarity to members of bins; not linear, so every pair is compared.

    With ``S(x) = mean_c exp(−|f(x) − f(c)|² / (2 d σ²))`` over a bin and σ = 1, the score is ``S_c / (S_c + S_v)``, as
    in the code of Lin et al. (ICLR 2023); ``S_c`` without a foil, and ``−S_v`` without a corpus.

    Attributes
    ----------
    corpus, foil : Tensor or None
        (m, d), the members' representations.
    corpus_weights, foil_weights : Tensor or None
        (k, m), rows that sum to 1; equal weights by default.
    """

    corpus: Tensor | None
    foil: Tensor | None
    corpus_weights: Tensor | None = None
    foil_weights: Tensor | None = None

    @property
    def k(self) -> int:
        """Number of rows of weights."""
        return max(1 if weights is None else len(weights) for weights in (self.corpus_weights, self.foil_weights))

    def of(self, unit: Tensor, norm: Tensor) -> Tensor:
        """Return the scores (k, n)."""
        vectors = unit * norm[:, None]
        corpus = _log_similarity(vectors, self.corpus, self.corpus_weights)
        foil = _log_similarity(vectors, self.foil, self.foil_weights)
        if corpus is not None and foil is not None:
            ratio: Tensor = torch.sigmoid(corpus - foil)  # finite even where both are too small for a float
            return ratio
        if corpus is not None:
            return corpus.exp()
        assert foil is not None
        return -foil.exp()

    def slopes(self, representation: Tensor) -> Tensor:
        """Return the scores' gradients."""
        with torch.inference_mode(False), torch.enable_grad():
            leaf = representation.clone().requires_grad_()
            values = self.clone()(leaf[None])[:, 0]
            return torch.stack([torch.autograd.grad(value, leaf, retain_graph=True)[0] for value in values])

    def clone(self) -> GaussianScore:
        """Return a copy with copied tensors."""
        held = (self.corpus, self.foil, self.corpus_weights, self.foil_weights)
        return GaussianScore(*(None if tensor is None else tensor.clone() for tensor in held))


def _log_similarity(vectors: Tensor, members: Tensor | None, weights: Tensor | None) -> Tensor | None:
    """Return log S (k, n), or None without members."""
    if members is None:
        return None
    # Not by `cdist`, whose gradient is not finite where two vectors are the same.
    squares = (vectors**2).sum(1, keepdim=True) - 2 * vectors @ members.T + (members**2).sum(1)
    exponents = -squares.clamp(min=0) / (2 * vectors.shape[1])  # (n, m)
    if weights is None:
        weights = vectors.new_full((1, len(members)), 1 / len(members))
    return torch.logsumexp(exponents[None] + weights.log()[:, None], dim=2)


def score_of(
    target: str, similarity: str, *, corpus: Tensor | None, foil: Tensor | None, explicands: Tensor
) -> list[Score]:
    """Make the score of each explicand.

    Parameters
    ----------
    target : {"contrastive_corpus", "corpus", "label_free", "contrastive_label_free"}
        What the score compares with.
    similarity : {"cosine", "dot", "gaussian"}
        How representations are compared.
    corpus, foil : Tensor or None
        (m, d), the members' representations; None for an empty bin, whose term is left out.
    explicands : Tensor
        (n, d), the explicands' representations.

    Returns
    -------
    list of Score
        One for each explicand, k = 1.

    Raises
    ------
    NothingToExplain
        All that the target uses is empty.
    """
    check_bins(target, corpus=corpus is not None, foil=foil is not None)
    if similarity == "gaussian":
        compared = TARGETS[target]
        positive, negative = compared.used(corpus, foil)
        return [GaussianScore(own[None] if compared.own else positive, negative) for own in explicands]
    w = directions(
        target, similarity, corpus=_mean(corpus, similarity), foil=_mean(foil, similarity), explicands=explicands
    )
    return [LinearScore(row[None], similarity) for row in w]


def _mean(members: Tensor | None, similarity: str) -> Tensor | None:
    if members is None:
        return None
    return (F.normalize(members, dim=1) if similarity == "cosine" else members).mean(0)
