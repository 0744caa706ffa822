import numpy as np
import pytest
import torch
import torch.nn.functional as F
from captum.attr import IntegratedGradients as CaptumIG

import cocoa_widget as cw
from cocoa_widget.attribution.batches import advance_run
from cocoa_widget.contrast.score import LinearScore
from tests.attribution.methods import close
from tests.conftest import Convolutional, encoder_of


def test_a_linear_encoder_has_a_closed_form(linear, inputs, corpus, foil):
    """With the dot product, gamma is linear in the pixels: each contributes its change times its weight."""
    found = cw.Explainer(linear, cw.IntegratedGradients(steps=4)).explain(
        inputs, corpus=corpus, foil=foil, similarity="dot"
    )
    w = linear.encode(corpus).mean(0) - linear.encode(foil).mean(0)
    gradient = (w @ linear.module.weight).detach().reshape(3, 32, 32)
    expected = ((inputs - cw.Blur()(inputs)) * gradient).sum(1).numpy()
    np.testing.assert_allclose(found.heatmaps, expected, atol=1e-4 * abs(expected).max())


@pytest.mark.parametrize("rule", ["gauss_legendre", "midpoint"])
def test_any_rule_is_exact_for_a_linear_encoder(linear, inputs, closed, rule):
    gradient, how = closed
    found = cw.Explainer(linear, cw.IntegratedGradients(steps=3, rule=rule)).explain(inputs, **how).heatmaps
    close(found, ((inputs - cw.Blur()(inputs)) * gradient).sum(1).numpy())


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_completeness(convolutional, inputs, corpus, foil, similarity):
    explainer = cw.Explainer(convolutional, cw.IntegratedGradients(steps=200))
    found = explainer.explain(inputs, corpus=corpus, foil=foil, similarity=similarity)
    gone = explainer.explain(cw.Blur()(inputs), corpus=corpus, foil=foil, similarity=similarity).scores
    scale = float(abs(found.scores - gone).max())
    assert found.heatmaps.sum((1, 2)) == pytest.approx(found.scores - gone, abs=2e-3 * scale)
    assert found.gaps == pytest.approx(found.scores - gone - found.heatmaps.sum((1, 2)), abs=1e-4 * scale)


def test_equals_captum(convolutional, inputs, corpus):
    w = F.normalize(convolutional.encode(corpus), dim=1).mean(0)

    def score(x):
        return F.normalize(convolutional.module(x), dim=1) @ w

    convolutional.module.eval()
    expected = CaptumIG(score).attribute(inputs, cw.Blur()(inputs), n_steps=50, method="gausslegendre").sum(1)
    found = cw.Explainer(convolutional, cw.IntegratedGradients(steps=50)).explain(inputs, corpus=corpus)
    assert abs(found.heatmaps - expected.detach().numpy()).max() <= 1e-4 * expected.abs().max().item()


def test_few_steps_give_a_coarse_heatmap(convolutional, inputs):
    method = cw.IntegratedGradients(steps=50)
    w = torch.randn(16, generator=torch.Generator().manual_seed(0))
    score = LinearScore(w[None], "cosine")
    run = method.start(inputs[0], cw.Blur()(inputs[:1])[0])
    advance_run(convolutional, run, score, run.first_heatmap)
    assert run.presentable
    coarse = run.heatmap()
    while not run.complete:
        advance_run(convolutional, run, score, 9)
    fine = run.heatmap()
    assert torch.corrcoef(torch.stack([coarse.flatten(), fine.flatten()]))[0, 1] > 0.95
    torch.testing.assert_close(run.heatmap((16, 16)), F.avg_pool2d(fine[None], 2)[0], atol=1e-6, rtol=1e-4)


def test_the_slices_do_not_change_the_result(inputs, corpus):
    maps = [
        cw.Explainer(encoder_of(Convolutional(), batch_size=size), "integrated_gradients")
        .explain(inputs, corpus=corpus)
        .heatmaps
        for size in (1, 5, 64)
    ]
    assert abs(maps[0] - maps[1]).max() <= 1e-5 * abs(maps[0]).max()
    assert abs(maps[0] - maps[2]).max() <= 1e-5 * abs(maps[0]).max()


def test_bad_settings_are_named():
    with pytest.raises(ValueError, match="at least 1 step"):
        cw.IntegratedGradients(steps=0)
    with pytest.raises(ValueError, match="'gauss_legendre' or 'midpoint'"):
        cw.IntegratedGradients(rule="simpson")
