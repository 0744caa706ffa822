"""Products of operators with representations: their sums are the operators' own heatmaps and scores."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

import cocoa_widget as cw
from cocoa_widget.attribution import advance
from cocoa_widget.contrast import score_of
from cocoa_widget.live.products import coefficients_now, products

METHODS = [cw.RISE(n_masks=64), cw.RISE(n_masks=63, p=0.4), cw.CAM(), cw.Occlusion(window=8, stride=8)]


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
@pytest.mark.parametrize("method", METHODS, ids=lambda m: f"{m.name}-{getattr(m, 'p', '')}")
def test_sums_of_products_are_heatmaps_and_scores(convolutional, inputs, corpus, foil, method, similarity):
    operators = [method.start(each, torch.zeros_like(each)) for each in inputs]
    while not all(operator.complete for operator in operators):
        advance(convolutional, operators, 64)
    own, c, v = (convolutional.forward(each).representations for each in (inputs, corpus, foil))
    compared = (lambda x: F.normalize(x, dim=1)) if similarity == "cosine" else (lambda x: x)
    now = [coefficients_now(operator, similarity) for operator in operators]
    assert [done for _, done in now] == [operator.total for operator in operators]
    coefficients = torch.stack([each for each, _ in now])
    found = products(coefficients, compared(own), compared(torch.cat([c, v])))
    spread = operators[0].spread
    assert found.shape == (3, 1 + 10, spread.k + 1)
    scores = score_of("contrastive_label_free", similarity, corpus=c, foil=v, explicands=own)
    for operator, score, row, each in zip(operators, scores, found, own, strict=True):
        total = row[0] - row[5:].mean(0)
        expected = operator.apply(score)[0]
        torch.testing.assert_close(spread.maps(total[:-1]), expected, rtol=0, atol=1e-5 * float(expected.abs().max()))
        assert float(total[-1]) == pytest.approx(float(score(each[None])), rel=1e-4, abs=1e-6)


def test_an_image_without_members_has_its_own_product():
    found = products(torch.ones(2, 3, 4), torch.tensor([[1.0, 0, 0, 0], [0, 2, 0, 0]]), torch.empty(0, 4))
    assert found.tolist() == [[[1, 1, 1, 1]], [[2, 2, 2, 4]]]


def test_coefficients_are_taken_again_when_passes_came_meanwhile():
    class Moving:
        done = 1

        def coefficients_for(self, similarity):
            found, self.done = torch.full((1, 1), float(self.done)), min(self.done + 1, 3)
            return found

    coefficients, done = coefficients_now(Moving(), "cosine")
    assert (coefficients.item(), done) == (3, 3)
