import numpy as np
import pytest
import torch
from torch import nn

from cocoa_widget.evaluation import (
    ContrastiveCorpusSimilarity,
    CorpusMajorityProbability,
    CorpusSimilarity,
    ExplicandSimilarity,
)


@pytest.fixture
def vectors():
    return [torch.randn(*shape, generator=torch.Generator().manual_seed(i)) for i, shape in enumerate(SHAPES)]


SHAPES = [(2, 5, 8), (2, 8), (6, 8), (9, 8)]


def cosine(a, b):
    return (a / np.linalg.norm(a)) @ (b / np.linalg.norm(b))


def dot(a, b):
    return a @ b


@pytest.mark.parametrize(("similarity", "compare"), [("cosine", cosine), ("dot", dot)])
def test_similarities_are_means_over_pairs(vectors, similarity, compare):
    versions, explicands, corpus, foil = vectors
    found = [
        ContrastiveCorpusSimilarity(corpus, foil, similarity)(versions, explicands),
        CorpusSimilarity(corpus, similarity)(versions, explicands),
        ExplicandSimilarity(similarity)(versions, explicands),
    ]
    x, e, c, v = (each.numpy() for each in vectors)
    for i in range(2):
        for s in range(5):
            to_corpus = np.mean([compare(x[i, s], each) for each in c])
            to_foil = np.mean([compare(x[i, s], each) for each in v])
            expected = [to_corpus - to_foil, to_corpus, compare(x[i, s], e[i])]
            np.testing.assert_allclose([each[i, s] for each in found], expected, atol=1e-5)


def test_majority_probability(vectors):
    versions, explicands, corpus, _ = vectors
    torch.manual_seed(0)
    head = nn.Linear(8, 4)
    measure = CorpusMajorityProbability(head, corpus)
    weight, bias = head.weight.detach().numpy(), head.bias.detach().numpy()
    predicted = (corpus.numpy() @ weight.T + bias).argmax(1)
    majority = np.bincount(predicted).argmax()
    assert measure.majority == majority
    logits = versions.numpy() @ weight.T + bias
    expected = np.exp(logits[..., majority]) / np.exp(logits).sum(-1)
    np.testing.assert_allclose(measure(versions, explicands), expected, rtol=1e-4)


def test_gaussian_similarity(vectors):
    versions, explicands, corpus, foil = vectors
    found = ContrastiveCorpusSimilarity(corpus, foil, "gaussian")(versions, explicands)
    x, _, c, v = (each.numpy() for each in vectors)
    to_corpus, to_foil = (np.exp(-((x[:, :, None] - m) ** 2).sum(-1) / (2 * 8)).mean(-1) for m in (c, v))
    np.testing.assert_allclose(found, to_corpus / (to_corpus + to_foil), rtol=1e-4)


@pytest.mark.parametrize(("classes", "majority"), [([2, 1, 2, 1], 1), ([3, 0, 3], 3), ([2, 0, 1], 0)])
def test_a_tie_of_classes_goes_to_the_lowest(classes, majority):
    corpus = torch.eye(4)[classes]
    assert CorpusMajorityProbability(nn.Identity(), corpus).majority == majority


def test_names_can_be_told_apart(vectors):
    _, _, corpus, foil = vectors
    assert ContrastiveCorpusSimilarity(corpus, foil).name == "contrastive_corpus_similarity"
    assert ContrastiveCorpusSimilarity(corpus, foil, "dot", name="gamma").name == "gamma"


def test_bad_arguments_are_named(vectors):
    _, _, corpus, foil = vectors
    with pytest.raises(ValueError, match="encoder has none: set encoder.classifier"):
        CorpusMajorityProbability(None, corpus)
    with pytest.raises(ValueError, match=r"foil of a measure.*\(0, 8\).*encoder.encode"):
        ContrastiveCorpusSimilarity(corpus, foil[:0])
    with pytest.raises(ValueError, match=r"corpus of a measure.*list"):
        CorpusSimilarity([corpus])
    with pytest.raises(ValueError, match="'euclidean'"):
        ExplicandSimilarity("euclidean")
