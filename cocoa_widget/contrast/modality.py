"""The gap between texts and images in a joint model, and how to close it.

In the space of models such as CLIP, all texts lie to one side of all images (Liang et al., "Mind the gap", NeurIPS
2022). A text's similarity to an image is then mostly that gap, which no text and no image accounts for. Between a
corpus and a foil of texts it cancels; in a corpus without a foil, or texts against images, it does not.

Centring takes from each unit vector u(c) the mean m of its modality: û(c) = (u(c) − m) / |u(c) − m|. Then
``gamma(x) = u(x) · (mean_c û(c) − mean_v û(v))`` compares what is particular to each member. A corpus without a foil
then acts as if the foil were everything: gamma is near 0 for images that are no more like it than like anything else.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Reference(NamedTuple):
    """Representations (n, d) and (m, d) of images and texts of all kinds, whose means are the modalities' centres."""

    images: Tensor
    texts: Tensor


def centre(representations: Tensor, reference: Tensor) -> Tensor:
    """Take the mean of a modality out of the directions of representations.

    Parameters
    ----------
    representations : Tensor
        (n, d), all images or all texts.
    reference : Tensor
        (m, d), many of the same modality and of all kinds, such as a gallery's images, or class names.

    Returns
    -------
    Tensor
        (n, d), unit vectors; a corpus or foil for `Explainer.explain`.
    """
    return F.normalize(F.normalize(representations, dim=1) - F.normalize(reference, dim=1).mean(0), dim=1)


def centred(members: Tensor, texts: Tensor, reference: Reference, similarity: str) -> Tensor:
    """Centre the members (n, d) of a bin, of which `texts` (n,) tells which are texts.

    For the dot product they keep their lengths, less the mean; distances (the Gaussian similarity) are those after both
    modalities were moved to one centre.
    """
    which = texts[:, None]
    if similarity == "cosine":
        return torch.where(which, centre(members, reference.texts), centre(members, reference.images))
    images, prompts = reference.images.mean(0), reference.texts.mean(0)
    if similarity == "gaussian":
        return torch.where(which, members - prompts + images, members)
    return torch.where(which, members - prompts, members - images)
