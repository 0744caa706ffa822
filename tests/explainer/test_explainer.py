import numpy as np
import pytest
import torch

import cocoa_widget as cw
from cocoa_widget.contrast.score import LinearScore
from tests.conftest import Convolutional, encoder_of

METHODS = [cw.RISE(n_masks=64), cw.CAM(), cw.IntegratedGradients(steps=8)]


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_swapping_the_bins_negates(convolutional, inputs, corpus, foil, method, similarity):
    prepared = cw.Explainer(convolutional, method).prepare(inputs)
    there = prepared.explain(corpus=corpus, foil=foil, similarity=similarity)
    back = prepared.explain(corpus=foil, foil=corpus, similarity=similarity)
    np.testing.assert_allclose(there.heatmaps, -back.heatmaps, atol=1e-5 * abs(there.heatmaps).max())
    np.testing.assert_allclose(there.scores, -back.scores, atol=1e-6 * abs(there.scores).max())


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_identical_bins_give_zero(convolutional, inputs, corpus, method):
    found = cw.Explainer(convolutional, method).explain(inputs, corpus=corpus, foil=corpus)
    assert not found.heatmaps.any()
    assert not found.scores.any()


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_an_explicand_equal_to_its_baseline_is_finite(convolutional, corpus, method):
    found = cw.Explainer(convolutional, method).explain(torch.full((1, 3, 32, 32), 0.3), corpus=corpus)
    assert np.isfinite(found.heatmaps).all()


@pytest.mark.parametrize("method", METHODS[:2], ids=lambda m: m.name)
def test_linear_in_the_direction(convolutional, inputs, method):
    """The heatmap of a sum of directions is the sum of their heatmaps: this makes it an operator."""
    operator = cw.Explainer(convolutional, method).prepare(inputs[:1]).operators[0]
    a, b = torch.randn(2, 1, 16, generator=torch.Generator().manual_seed(0))
    for similarity in ("cosine", "dot"):
        both, one, other = (operator.apply(LinearScore(w, similarity)) for w in (a + 2 * b, a, b))
        together, apart = both, one + 2 * other
        torch.testing.assert_close(together, apart, atol=1e-4 * float(together.abs().max()), rtol=1e-4)


def test_a_change_of_the_bins_needs_no_passes(inputs, corpus, foil):
    """The claim that all rests on: after preparation, new bins cost no encoder pass except those of their members."""
    module = Convolutional()
    encoder = encoder_of(module)
    prepared = cw.Explainer(encoder, cw.RISE(n_masks=64)).prepare(inputs)
    c, v = encoder.encode(corpus), encoder.encode(foil)
    before = module.calls
    for target in cw.TARGETS:
        prepared.explain(corpus=c, foil=v, target=target)
        prepared.explain(corpus=v[:1], foil=c, target=target, similarity="dot")
    assert module.calls == before


def test_the_gaussian_similarity_prepares_again_unless_it_was_announced(inputs, corpus, foil):
    module = Convolutional()
    explainer = cw.Explainer(encoder_of(module), cw.RISE(n_masks=64))
    late, early = explainer.prepare(inputs), explainer.prepare(inputs, similarity="gaussian")
    bins = {"corpus": early.members(corpus), "foil": early.members(foil), "similarity": "gaussian"}
    before = module.calls
    expected = early.explain(**bins)
    assert module.calls == before
    found = late.explain(**bins)
    assert module.calls == before + 3 * 64
    np.testing.assert_array_equal(found.heatmaps, expected.heatmaps)
    np.testing.assert_array_equal(found.errors, expected.errors)
    assert late.stability(**bins)[0].deviation is not None
    assert module.calls == before + 3 * 64


def test_the_gaussian_similarity_needs_the_weights_that_were_prepared_with(convolutional, inputs, corpus):
    prepared = cw.Explainer(convolutional, cw.RISE(n_masks=8)).prepare(inputs)
    members = prepared.members(corpus)
    with torch.no_grad():
        convolutional.module.body[0].weight.mul_(2)
    with pytest.raises(cw.EncoderError, match="weights .* have changed"):
        prepared.explain(corpus=members, similarity="gaussian")


def test_an_image_is_encoded_once(pictures):
    module = Convolutional()
    encoder = encoder_of(module)
    encoder.input_size, encoder.pooling  # noqa: B018  (probed with a pass of its own)
    before = module.calls
    images = cw.ImageSet(pictures)
    encoder.encode(images)
    encoder.encode(images)
    encoder.represent(cw.ImageSet(pictures), ["p3", "p4"])
    assert module.calls == before + len(pictures)


def test_preparing_costs_its_masks_and_no_more(inputs):
    module = Convolutional()
    encoder = encoder_of(module)
    encoder.pooling  # noqa: B018
    before = module.calls
    cw.Explainer(encoder, cw.RISE(n_masks=64)).prepare(inputs)
    assert module.calls == before + 3 * 64 + 3


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_same_seed_same_result(inputs, corpus, method):
    maps = [cw.Explainer(encoder_of(Convolutional()), method).explain(inputs, corpus=corpus).heatmaps for _ in "ab"]
    assert np.array_equal(*maps)


def test_takes_images_and_ids(convolutional, pictures):
    explainer = cw.Explainer(convolutional, "cam")
    found = explainer.explain(pictures["p0"], corpus=[pictures["p1"], pictures["p2"]], foil=cw.ImageSet(pictures))
    assert found.heatmaps.shape == (1, 32, 32)
    assert found.heatmaps.dtype == found.scores.dtype == np.float32


def test_nothing_to_explain(convolutional, inputs):
    explainer = cw.Explainer(convolutional, "cam")
    with pytest.raises(cw.NothingToExplain, match="put images into the corpus"):
        explainer.explain(inputs)
    with pytest.raises(cw.NothingToExplain, match="put images into the corpus"):
        explainer.explain(inputs, corpus=[], foil=[])
    assert explainer.explain(inputs, target="label_free").scores == pytest.approx(1.0, abs=1e-5)


def test_bad_arguments_are_named(convolutional, inputs, corpus):
    with pytest.raises(ValueError, match="'best'.*rise, cam, patch_tokens"):
        cw.Explainer(convolutional, "best")
    with pytest.raises(TypeError, match=r"name or a cocoa_widget method, not int"):
        cw.Explainer(convolutional, 3)
    with pytest.raises(TypeError, match=r"wrap a module as"):
        cw.Explainer(convolutional.module)
    with pytest.raises(ValueError, match="'nearest'"):
        cw.Explainer(convolutional).explain(inputs, corpus=corpus, target="nearest")
    with pytest.raises(ValueError, match="at least one image"):
        cw.Explainer(convolutional).prepare(torch.empty(0, 3, 32, 32))
