"""The direction: the one vector that corpus, foil, target and similarity come down to.

For unit representations u, contrastive corpus similarity (Lin et al., ICLR 2023) is
``mean_c u(x)·u(c) − mean_v u(x)·u(v) = u(x)·w`` with ``w = mean_c u(c) − mean_v u(v)``; the other targets differ in w
alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

TargetName = Literal["contrastive_corpus", "corpus", "label_free", "contrastive_label_free"]
SimilarityName = Literal["cosine", "dot", "gaussian"]
T = TypeVar("T")


@dataclass(frozen=True)
class Target:
    """What a score compares an image with.

    Attributes
    ----------
    label, hint : str
        The name on the page, and one line on what it does.
    own : bool
        Whether the explicand's own representation is added to the direction.
    corpus, foil : bool
        Whether the mean of the corpus is added, and the mean of the foil subtracted.
    """

    label: str
    hint: str
    own: bool
    corpus: bool
    foil: bool

    def used(self, corpus: T, foil: T) -> tuple[T | None, T | None]:
        """Return `corpus` and `foil`, with None in place of one that the target does not use."""
        return corpus if self.corpus else None, foil if self.foil else None


TARGETS: dict[str, Target] = {
    "contrastive_corpus": Target(
        "Corpus − foil", "COCOA: what makes the image like the corpus and unlike the foil", False, True, True
    ),
    "corpus": Target("Corpus", "What makes the image like the corpus; the foil is not used", False, True, False),
    "label_free": Target("Itself", "What the representation rests on; no bins are used", True, False, False),
    "contrastive_label_free": Target(
        "Itself − foil", "What the representation rests on and sets it apart from the foil", True, False, True
    ),
}

SIMILARITIES: dict[str, tuple[str, str]] = {
    "cosine": ("Cosine", "Compare the directions of representations (the paper's default)"),
    "dot": ("Dot product", "Compare representations with their lengths"),
    "gaussian": ("Gaussian", "By distance, as in the authors' code; not linear, so slower: every pair is compared"),
}


class NothingToExplain(ValueError):
    """The target needs a bin that is empty; the message says what to add."""


def check_target(name: str) -> None:
    """Raise `ValueError` for an unknown target."""
    if name not in TARGETS:
        raise ValueError(f"Unknown target {name!r}: choose one of {', '.join(get_args(TargetName))}.")


def check_similarity(name: str) -> None:
    """Raise `ValueError` for an unknown similarity."""
    if name not in SIMILARITIES:
        raise ValueError(f"Unknown similarity {name!r}: choose one of {', '.join(get_args(SimilarityName))}.")


def check_bins(target: str, *, corpus: bool, foil: bool) -> None:
    """Raise `NothingToExplain` if all that `target` uses is empty; True for a bin that has members."""
    compared = TARGETS[target]
    if compared.own or any(compared.used(corpus, foil)):
        return
    if compared.foil:
        raise NothingToExplain("Nothing to explain yet: put images into the corpus, the foil, or both.")
    raise NothingToExplain("Nothing to explain yet: put images into the corpus.")


def directions(
    target: str,
    similarity: str,
    *,
    corpus: Tensor | None,
    foil: Tensor | None,
    explicands: Tensor,
) -> Tensor:
    """Compute the direction of each explicand.

    Parameters
    ----------
    target : {"contrastive_corpus", "corpus", "label_free", "contrastive_label_free"}
        What the score compares with.
    similarity : {"cosine", "dot"}
        How representations are compared.
    corpus, foil : Tensor or None
        (d,), the mean over the bin of the representations (``"dot"``) or of their unit vectors (``"cosine"``); None
        for an empty bin, whose term is left out. Or (k, d), such means of k resampled bins, with one explicand.
    explicands : Tensor
        (n, d), the explicands' representations.

    Returns
    -------
    Tensor
        (n, d), or (k, d) for k resampled bins unless the target uses none; float32.

    Raises
    ------
    NothingToExplain
        All that the target uses is empty.
    """
    check_bins(target, corpus=corpus is not None, foil=foil is not None)
    compared = TARGETS[target]
    positive, negative = compared.used(corpus, foil)
    result = torch.zeros_like(explicands)
    if compared.own:
        result = result + (F.normalize(explicands, dim=-1) if similarity == "cosine" else explicands)
    if positive is not None:
        result = result + positive
    if negative is not None:
        result = result - negative
    return result
