import numpy as np
import pytest
import torch

import cocoa_widget as cw


class Quarters(cw.PerturbationMethod):
    """The example of `PerturbationMethod`: the score of each quarter alone."""

    name, label, hint = "quarters", "Quarters", "Each quarter alone"

    def masks(self, height, width):
        masks = torch.zeros(4, height, width)
        for i, mask in enumerate(masks):
            top, left = i // 2 * height // 2, i % 2 * width // 2
            mask[top : top + height // 2, left : left + width // 2] = 1
        return masks

    def combine(self, scores, masks):
        return torch.einsum("kn,nhw->khw", scores, masks)


def test_a_method_of_your_own(linear, inputs, corpus, foil):
    found = cw.Explainer(linear, Quarters()).explain(inputs, corpus=corpus, foil=foil, similarity="dot").heatmaps
    w = linear.encode(corpus).mean(0) - linear.encode(foil).mean(0)
    blurred = cw.Blur()(inputs)
    for i in range(4):
        rows, columns = slice(i // 2 * 16, i // 2 * 16 + 16), slice(i % 2 * 16, i % 2 * 16 + 16)
        shown = blurred.clone()
        shown[:, :, rows, columns] = inputs[:, :, rows, columns]
        expected = (linear.encode(shown) @ w).numpy()
        assert found[:, rows, columns] == pytest.approx(np.broadcast_to(expected[:, None, None], (3, 16, 16)), rel=1e-3)


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize("method", [Quarters(), cw.RISE(n_masks=40, estimator="plain")], ids=["own", "plain"])
def test_few_answers_are_coefficients(linear, inputs, corpus, method, similarity):
    prepared = cw.Explainer(linear, method).prepare(inputs[:1], progress=False)
    (operator,) = prepared.operators
    w = linear.encode(corpus).mean(0)
    if similarity == "cosine":
        w = torch.nn.functional.normalize(linear.encode(corpus), dim=1).mean(0)
    found = operator.spread.maps(operator.coefficients_for(similarity) @ w)
    expected = prepared.explain(corpus=corpus, similarity=similarity).heatmaps[0]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * abs(expected).max())
    matrix = operator.spread.matrix((16, 16)).to_dense()
    small = operator.spread.maps(operator.coefficients_for(similarity) @ w, (16, 16))
    torch.testing.assert_close((matrix @ (operator.coefficients_for(similarity) @ w)).reshape(16, 16), small)


def test_many_answers_are_not(linear, inputs):
    operator = cw.Explainer(linear, cw.RISE(n_masks=1026, estimator="plain")).prepare(inputs[:1]).operators[0]
    assert operator.spread is None
    assert operator.coefficients is None


def test_answers_of_a_method_that_is_not_linear_are_not_either(linear, inputs, corpus):
    class Squares(Quarters):
        def combine(self, scores, masks):
            return super().combine(scores.square(), masks)

    prepared = cw.Explainer(linear, Squares()).prepare(inputs[:1], progress=False)
    assert prepared.operators[0].spread is None
    assert prepared.operators[0].coefficients is None
    assert prepared.explain(corpus=corpus).heatmaps.min() >= 0
