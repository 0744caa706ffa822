"""Questions with known answers: in closed form for a linear encoder, and from Captum for any encoder."""

from __future__ import annotations

import pytest
import torch.nn.functional as F


@pytest.fixture
def closed(linear, inputs, corpus, foil):
    """The gradient of the score (3, 32, 32), which is the same for all inputs, and the arguments of the question."""
    w = linear.encode(corpus).mean(0) - linear.encode(foil).mean(0)
    gradient = (w @ linear.module.weight).detach().reshape(3, 32, 32)
    return gradient, {"corpus": corpus, "foil": foil, "similarity": "dot"}


@pytest.fixture(params=["cosine", "dot"])
def question(request, convolutional, corpus, foil):
    """The score as a plain function, and the arguments of the same question."""

    def mean(images):
        vectors = convolutional.encode(images)
        return (F.normalize(vectors, dim=1) if request.param == "cosine" else vectors).mean(0)

    w = mean(corpus) - mean(foil)
    convolutional.module.eval()

    def score(x):
        vectors = convolutional.module(x)
        return (F.normalize(vectors, dim=1) if request.param == "cosine" else vectors) @ w

    return score, {"corpus": corpus, "foil": foil, "similarity": request.param}
