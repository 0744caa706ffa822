import captum.metrics
import numpy as np
import pytest
import torch

import cocoa_widget as cw
from cocoa_widget.evaluation import ContrastiveCorpusSimilarity, infidelity, max_sensitivity
from cocoa_widget.evaluation.robustness import squares
from tests.conftest import Linear, encoder_of


def linear_case(inputs, corpus, foil):
    """A linear encoder, a dot-product score, and its exact contributions per channel."""
    encoder = encoder_of(Linear())
    c, v = encoder.encode(corpus), encoder.encode(foil)
    gradient = ((c.mean(0) - v.mean(0)) @ encoder.module.weight).reshape(3, 32, 32).detach()
    exact = (inputs - cw.Blur()(inputs)) * gradient
    return encoder, ContrastiveCorpusSimilarity(c, v, "dot"), exact


def test_exact_contributions_have_no_infidelity(inputs, corpus, foil):
    encoder, measure, exact = linear_case(inputs, corpus, foil)
    found = infidelity(encoder, inputs, exact.sum(1), measure, samples=20)
    scale = infidelity(encoder, inputs, np.zeros((3, 32, 32)), measure, samples=20)
    assert found.shape == (3,)
    assert (found < 1e-8 * scale).all()
    wrong = infidelity(encoder, inputs, exact.sum(1).flip(1), measure, samples=20)
    assert (wrong > 0.1 * scale).all()


def test_normalised_infidelity_has_no_scale(inputs, corpus, foil):
    encoder, measure, exact = linear_case(inputs, corpus, foil)
    maps = exact.sum(1)
    options = {"samples": 20, "normalise": True}
    scale = infidelity(encoder, inputs, 0 * maps, measure, **options)
    assert (infidelity(encoder, inputs, 40 * maps, measure, **options) < 1e-8 * scale).all()
    assert (scale > 0).all()
    noisy = maps + torch.randn(maps.shape, generator=torch.Generator().manual_seed(0)) * maps.std()
    fitted = infidelity(encoder, inputs, noisy, measure, **options)
    assert (fitted <= infidelity(encoder, inputs, noisy, measure, samples=20)).all()


@pytest.mark.parametrize("normalise", [False, True])
def test_infidelity_equals_captums(convolutional, inputs, corpus, foil, normalise):
    explainer = cw.Explainer(convolutional, cw.IntegratedGradients(steps=4))
    maps = explainer.explain(inputs[:1], corpus=corpus, foil=foil).heatmaps
    c, v = convolutional.encode(corpus), convolutional.encode(foil)
    measure = ContrastiveCorpusSimilarity(c, v)
    samples = 12
    masks = squares(samples, 32, 32, seed=3)[:, None]
    baseline = cw.Blur()(inputs[:1])

    def score(images):
        vectors = convolutional.encode(images)
        return measure(vectors[:, None], vectors)[:, 0]

    def perturb(images):
        # Captum multiplies attributions by the perturbation; a heatmap holds the product already, so this is the mask.
        return masks.expand(-1, 3, -1, -1), torch.lerp(images, baseline, masks)

    attribution = torch.tensor(maps)[:, None].expand(-1, 3, -1, -1) / 3
    expected = captum.metrics.infidelity(
        score, perturb, inputs[:1], attribution, n_perturb_samples=samples, normalize=normalise
    )
    found = infidelity(convolutional, inputs[:1], maps, measure, samples=samples, normalise=normalise, seed=3)
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_sensitivity_equals_captums(convolutional, inputs, corpus, foil):
    explainer = cw.Explainer(convolutional, "cam")
    c, v = convolutional.encode(corpus), convolutional.encode(foil)

    def explain(images):
        return explainer.explain(images, corpus=c, foil=v).heatmaps

    found = max_sensitivity(explain, inputs[:1], radius=0.3, samples=5, seed=2)
    generator = torch.Generator().manual_seed(2)
    noises = torch.cat([(2 * torch.rand(1, 3, 32, 32, generator=generator) - 1) * 0.3 for _ in range(5)])
    expected = captum.metrics.sensitivity_max(
        lambda images: (torch.tensor(explain(images[0] if isinstance(images, tuple) else images)),),
        inputs[:1],
        perturb_func=lambda images, _: images + noises,
        perturb_radius=0.3,
        n_perturb_samples=5,
    )
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_sensitivity_of_constant_heatmaps(inputs):
    assert max_sensitivity(lambda x: torch.ones(len(x), 4, 4), inputs, samples=2).tolist() == [0, 0, 0]
    assert np.isnan(max_sensitivity(lambda x: torch.zeros(len(x), 4, 4), inputs, samples=2)).all()
    # A heatmap that is the image, plus noise of half-width r: |noise| / |image|, both known.
    found = max_sensitivity(lambda x: x[:, 0], torch.ones(1, 3, 64, 64), radius=0.3, samples=4)
    assert found.item() == pytest.approx(0.3 / 3**0.5, rel=0.05)


def test_seeds(convolutional, inputs, corpus, foil):
    measure = ContrastiveCorpusSimilarity(convolutional.encode(corpus), convolutional.encode(foil))
    maps = np.zeros((3, 32, 32))
    a, b, c = (infidelity(convolutional, inputs, maps, measure, samples=5, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(a, b)
    assert not np.allclose(a, c)
    a, b, c = (max_sensitivity(lambda x: x[:, 0], inputs, samples=2, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_squares():
    masks = squares(200, 40, 64, seed=0)
    for mask in masks:
        rows, columns = mask.any(1).nonzero().flatten(), mask.any(0).nonzero().flatten()
        side = len(rows)
        assert 5 <= side <= 20
        assert len(columns) == side
        assert int(mask.sum()) == side**2
    assert {len(mask.any(1).nonzero()) for mask in masks} == set(range(5, 21))


def test_batch_size_changes_nothing(inputs, corpus, foil):
    found = []
    for size in (1, 4, 64):
        encoder, measure, exact = linear_case(inputs, corpus, foil)
        encoder.batch_size = size
        found.append(infidelity(encoder, inputs, exact.sum(1) ** 2, measure, samples=9))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4)
    np.testing.assert_allclose(found[0], found[2], rtol=1e-4)


def test_bad_arguments_are_named(convolutional, inputs, corpus, foil):
    measure = ContrastiveCorpusSimilarity(convolutional.encode(corpus), convolutional.encode(foil))
    with pytest.raises(ValueError, match="at least 1 sample"):
        infidelity(convolutional, inputs, np.zeros((3, 32, 32)), measure, samples=0)
    with pytest.raises(ValueError, match="2 heatmaps but 3 explicands"):
        infidelity(convolutional, inputs, np.zeros((2, 32, 32)), measure)
    with pytest.raises(ValueError, match="differ in size"):
        infidelity(convolutional, inputs, np.zeros((3, 16, 16)), measure)
    with pytest.raises(ValueError, match="radius"):
        max_sensitivity(lambda x: x[:, 0], inputs, radius=-1)
    with pytest.raises(ValueError, match="encoder.inputs"):
        max_sensitivity(lambda x: x[:, 0], ["a.jpg"])
