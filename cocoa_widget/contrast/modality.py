"""The gap between texts and images in a joint model, and how to close it.

In the space of models such as CLIP, all texts lie to one side of all images (Liang et al., "Mind the gap", NeurIPS
2022). A text's similarity to an image is then mostly that gap, whatever they show. Between a corpus and a foil of texts
the gap cancels; for a corpus without a foil, or texts against images, it does not.

Centring subtracts from each unit vector u(c) the mean m of its modality: û(c) = (u(c) − m) / |u(c) − m|. Then
``gamma(x) = u(x) · (mean_c û(c) − mean_v û(v))`` compares what is particular to each member. A corpus without a foil
then acts as if the foil held everything: gamma is near 0 for images that are no more similar to it than to others.

Images alone profit as well where an encoder gives all of them nearly the same representation. If the mean cosine of two
images is .99, every score of a corpus without a foil is near .99; with centred members scores are near 0 and differ in
sign. The explicands are never centred, so gamma stays linear in u(x).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Reference(NamedTuple):
    """Representations (n, d) of images and (m, d) of texts of all kinds, whose means are the modalities' centres.

    `texts` is None where no member is a text.
    """

    images: Tensor
    texts: Tensor | None


def centre(representations: Tensor, reference: Tensor) -> Tensor:
    """Subtract the mean of a modality from unit representations.

    Parameters
    ----------
    representations : Tensor
        (n, d), all images or all texts.
    reference : Tensor
        (m, d), many images or texts of all kinds, of the same modality: such as a gallery, or class names.

    Returns
    -------
    Tensor
        (n, d), unit vectors; a corpus or foil for `Explainer.explain`.
    """
    return F.normalize(F.normalize(representations, dim=1) - F.normalize(reference, dim=1).mean(0), dim=1)


def centred(members: Tensor, texts: Tensor, reference: Reference, similarity: str) -> Tensor:
    """Centre the members of a bin, images and texts each by their own mean.

    Parameters
    ----------
    members : Tensor
        (n, d), representations.
    texts : Tensor
        (n,), bool: which members are texts.
    reference : Reference
    similarity : {"cosine", "dot", "gaussian"}
        ``"cosine"``: see `centre`. ``"dot"``: the mean representation is subtracted. ``"gaussian"``: texts are moved by
        the difference of the means, so that both modalities have the images' centre.

    Returns
    -------
    Tensor
        (n, d).
    """
    which = texts[:, None]
    of_texts = reference.images if reference.texts is None else reference.texts
    if similarity == "cosine":
        return torch.where(which, centre(members, of_texts), centre(members, reference.images))
    images, prompts = reference.images.mean(0), of_texts.mean(0)
    if similarity == "gaussian":
        return torch.where(which, members - prompts + images, members)
    return torch.where(which, members - prompts, members - images)
