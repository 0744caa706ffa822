import numpy as np
import pytest
import torch

import cocoa_widget as cw
from cocoa_widget.contrast.score import LinearScore


def test_masks_come_in_pairs_of_complements():
    masks = cw.RISE(n_masks=65).masks(50, 40)
    torch.testing.assert_close(masks[0:64:2] + masks[1:64:2], torch.ones(32, 1, 50, 40))
    unpaired = cw.RISE(n_masks=64, p=0.3).masks(50, 40)
    assert unpaired.mean().item() == pytest.approx(0.3, abs=0.03)


def test_regression_finds_the_heatmap_from_few_masks(demo_encoder, photographs):
    """The reason for the default: it is close to the converged heatmap where plain RISE is still noise."""
    x = demo_encoder.stack([photographs.load("cat/1")])
    w = {
        "corpus": demo_encoder.represent(photographs, ["cat/2"]),
        "foil": demo_encoder.represent(photographs, ["coffee/1"]),
    }

    def explain(**settings):
        explainer = cw.Explainer(demo_encoder, cw.RISE(**settings))
        return torch.tensor(explainer.prepare(x, progress=False).explain(**w).heatmaps[0]).flatten()

    def correlation(a, b):
        return torch.corrcoef(torch.stack([a, b]))[0, 1].item()

    reference = explain(n_masks=384, seed=99)
    few = correlation(explain(n_masks=64), reference)
    plain = correlation(explain(n_masks=64, estimator="plain"), reference)
    assert few > 0.75
    assert few > plain + 0.3


@pytest.mark.parametrize("p", [0.5, 0.4])
def test_regression_and_plain_converge_to_the_same_heatmap(convolutional, inputs, p):
    """Up to the offset of plain RISE, which the mean score makes: it is subtracted here."""
    x = inputs[:1]
    score = LinearScore(torch.randn(1, 16, generator=torch.Generator().manual_seed(0)), "cosine")
    ours, plain = (
        cw.Explainer(convolutional, cw.RISE(n_masks=n, p=p, estimator=estimator)).prepare(x).operators[0]
        for n, estimator in ((4000, "regression"), (20_000, "plain"))
    )
    scores = plain._answers.scores(score)
    expected = plain._design.heatmaps(scores - scores.mean(), None)[0].numpy()
    found = ours.apply(score)[0].numpy()
    slope, _ = np.polyfit(found.ravel(), expected.ravel(), 1)
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.98
    assert slope == pytest.approx(1, abs=0.05)
