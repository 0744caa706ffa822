"""Products of operators with representations, from which the page computes heatmaps and scores itself."""

from __future__ import annotations

import torch
from torch import Tensor

from ..attribution import Operator


def coefficients_now(operator: Operator, similarity: str) -> tuple[Tensor, int]:
    """Return an operator's coefficients (k, d), and the number of passes that they are from.

    Another thread may have the operator take the results of passes meanwhile.
    """
    while True:
        done = operator.done
        coefficients = operator.coefficients_for(similarity)
        if operator.done == done:
            assert coefficients is not None  # an operator with a spread has coefficients
            return coefficients, done


def products(coefficients: Tensor, own: Tensor, members: Tensor) -> Tensor:
    """Multiply operators with representations.

    Parameters
    ----------
    coefficients : Tensor
        (n, k, d), of n images.
    own : Tensor
        (n, d), the images' representations, as unit vectors for the cosine.
    members : Tensor
        (m, d), the members' representations as they are compared.

    Returns
    -------
    Tensor
        (n, 1 + m, k + 1): for each image, the product with its own representation, then those with the members. The
        last number of a product is what the representation adds to the score.
    """
    rows = torch.cat([coefficients, own[:, None]], 1)
    return torch.cat([rows @ own[:, :, None], rows @ members.T], 2).mT
