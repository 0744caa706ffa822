"""The draw of a study: its explicands, corpora and foil."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Draw:
    """The images that one seed drew, as indices.

    Attributes
    ----------
    explicands, corpora : dict
        Indices (n,), int64, by class.
    foil : ndarray
        Indices (m,), int64: one foil for all classes.
    others : dict
        For each class another class, with whose corpus its explicands are compared in the different-class setting.
    """

    explicands: dict[Hashable, Indices]
    corpora: dict[Hashable, Indices]
    foil: Indices
    others: dict[Hashable, Hashable]


def draw(labels: Sequence[Hashable], *, explicands: int, corpus: int, foil: int, seed: int) -> Draw:
    """Draw explicands and a corpus of each class, and one foil of what is left; no image is drawn twice.

    Parameters
    ----------
    labels : sequence
        (m,), each image's class.
    explicands, corpus : int
        Images for each class.
    foil : int
        Images in all, of any class, which includes the corpus's class, as in the paper.
    seed : int
        Same seed, same draw.

    Raises
    ------
    ValueError
        There are fewer than two classes, or too few images.
    """
    for size, name in ((explicands, "explicands"), (corpus, "corpus"), (foil, "foil")):
        if size < 1:
            raise ValueError(f"{name} must be at least 1 image, not {size}.")
    rng = np.random.default_rng(seed)
    classes = list(dict.fromkeys(labels))
    if len(classes) < 2:
        raise ValueError(f"A study compares classes, but all of its {len(labels)} labels are the same.")
    members = {kind: rng.permutation([i for i, label in enumerate(labels) if label == kind]) for kind in classes}
    for kind, each in members.items():
        if len(each) < explicands + corpus:
            raise ValueError(
                f"Class {kind!r} has {len(each)} images, too few for {explicands} explicands and a corpus of {corpus}:"
                " lower explicands or corpus, or leave the class out."
            )
    left = rng.permutation(np.concatenate([each[explicands + corpus :] for each in members.values()]))
    if len(left) < foil:
        raise ValueError(
            f"{len(left)} images are left, too few for a foil of {foil}: lower foil, corpus or explicands."
        )
    # A cycle through the classes in random order: each is paired with another one, and none is used twice.
    cycle = [classes[i] for i in rng.permutation(len(classes))]
    return Draw(
        explicands={kind: each[:explicands] for kind, each in members.items()},
        corpora={kind: each[explicands : explicands + corpus] for kind, each in members.items()},
        foil=left[:foil],
        others=dict(zip(cycle, [*cycle[1:], cycle[0]], strict=True)),
    )
