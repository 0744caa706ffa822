"""What holds for every method, whatever it computes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import cocoa_widget as cw
from cocoa_widget.attribution.batches import advance, advance_run
from cocoa_widget.attribution.resample import shrink
from cocoa_widget.contrast.score import LinearScore
from tests.attribution.methods import FOR_CONVOLUTIONS, LINEAR, OF_THE_SCORE, close, explain, method_of
from tests.conftest import Convolutional, Linear, encoder_of


@pytest.mark.parametrize("name", OF_THE_SCORE)
def test_swapping_the_bins_negates(convolutional, inputs, corpus, foil, name):
    there = explain(convolutional, name, inputs, corpus=corpus, foil=foil)
    back = explain(convolutional, name, inputs, corpus=foil, foil=corpus)
    assert there.shape == (3, 32, 32)
    assert there.dtype == np.float32
    assert abs(there).max() > 0
    close(there, -back)


@pytest.mark.parametrize("name", OF_THE_SCORE)
def test_equal_bins_give_zero(convolutional, inputs, corpus, foil, name):
    scale = abs(explain(convolutional, name, inputs, corpus=corpus, foil=foil)).max()
    assert abs(explain(convolutional, name, inputs, corpus=corpus, foil=corpus)).max() <= 1e-5 * scale


@pytest.mark.parametrize("name", OF_THE_SCORE)
def test_heatmaps_add_up_as_scores_do(convolutional, inputs, corpus, foil, name):
    """Linear in the direction: corpus against foil is the sum of corpus alone and foil alone, which is negative."""
    both = explain(convolutional, name, inputs, corpus=corpus, foil=foil)
    close(
        both,
        explain(convolutional, name, inputs, corpus=corpus) + explain(convolutional, name, inputs, foil=foil),
        1e-4,
    )


@pytest.mark.parametrize("name", FOR_CONVOLUTIONS)
def test_batches_do_not_change_results(inputs, corpus, name):
    one, five, many = (
        explain(encoder_of(Convolutional(), batch_size=size), name, inputs, corpus=corpus) for size in (1, 5, 64)
    )
    close(one, five)
    close(one, many)
    alone = explain(encoder_of(Convolutional()), name, inputs[1:2], corpus=corpus)
    close(one[1:2], alone)


@pytest.mark.parametrize("name", FOR_CONVOLUTIONS)
def test_results_are_reproducible(inputs, corpus, name):
    first, second = (explain(encoder_of(Convolutional()), name, inputs, corpus=corpus) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", ["rise", "kernel_shap", "smoothgrad", "gradient_shap", "random"])
def test_the_seed_decides(convolutional, inputs, corpus, name):
    kind = cw.METHODS[name]
    a, b = (cw.Explainer(convolutional, kind(seed=s)).explain(inputs[:1], corpus=corpus).heatmaps for s in (0, 1))
    assert abs(a - b).max() > 1e-3 * abs(a).max()


@pytest.mark.parametrize("name", LINEAR)
def test_an_operator_needs_no_pass_for_another_question(inputs, corpus, foil, name):
    module = Convolutional()
    prepared = cw.Explainer(encoder_of(module), method_of(name)).prepare(inputs, similarity="gaussian")
    c, v = prepared.members(corpus), prepared.members(foil)
    before = module.calls
    prepared.explain(corpus=c, foil=v)
    prepared.explain(corpus=v, similarity="dot")
    prepared.explain(corpus=c, foil=v, similarity="gaussian")
    assert module.calls == before


@pytest.mark.parametrize("name", [name for name in LINEAR if name != "random"])
def test_many_scores_at_once_equal_each_alone(convolutional, inputs, name):
    prepared = cw.Explainer(convolutional, method_of(name)).prepare(inputs[:1])
    w = torch.randn(5, 16, generator=torch.Generator().manual_seed(0))
    together = prepared.operators[0].apply(LinearScore(w, "cosine")).numpy()
    for i in range(5):
        close(together[i], prepared.operators[0].apply(LinearScore(w[i, None], "cosine"))[0].numpy())


@pytest.mark.parametrize("name", [name for name in LINEAR if name not in ("random", "cam")])
def test_half_a_preparation_gives_a_heatmap(convolutional, inputs, name):
    x = inputs[0]
    operator = method_of(name).start(x, cw.Blur()(x[None])[0])
    score = LinearScore(torch.randn(1, 16, generator=torch.Generator().manual_seed(0)), "cosine")
    most = max(operator.first_heatmap, operator.total * 3 // 4)
    while operator.done < most and not operator.complete:
        advance(convolutional, [operator], most - operator.done)
    assert operator.presentable
    half = operator.apply(score)[0]
    while not operator.complete:
        advance(convolutional, [operator], 7)
    full = operator.apply(score)[0]
    assert torch.corrcoef(torch.stack([half.flatten(), full.flatten()]))[0, 1] > 0.5


@pytest.mark.parametrize("name", FOR_CONVOLUTIONS)
@pytest.mark.parametrize("size", [(32, 32), (45, 30)])
def test_sizes(convolutional, corpus, name, size):
    x = nn.functional.interpolate(corpus[:2], size)
    found = explain(convolutional, name, x, corpus=corpus)
    assert found.shape == (2, *size)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("name", FOR_CONVOLUTIONS)
@pytest.mark.parametrize("small", [(16, 16), (7, 11)])
def test_small_heatmaps_are_averages_of_large_ones(convolutional, inputs, name, small):

    x = inputs[0]
    preparation = method_of(name).start(x, cw.Blur()(x[None])[0])
    score = LinearScore(torch.randn(1, 16, generator=torch.Generator().manual_seed(0)), "cosine")
    if name in LINEAR:
        while not preparation.complete:
            advance(convolutional, [preparation], 64)
        full, found = preparation.apply(score)[0], preparation.apply(score, small)[0]
    else:
        while not preparation.complete:
            advance_run(convolutional, preparation, score, 64)
        full, found = preparation.heatmap(), preparation.heatmap(small)
    close(found.numpy(), shrink(full, small).numpy())


@pytest.mark.parametrize("name", ["rise", "cam", "occlusion", "kernel_shap", "integrated_gradients", "grad_cam"])
def test_bfloat16_gives_the_same_heatmap(photographs, name):
    images = [photographs.load(i) for i in ("cat/1", "mosaic/1")]
    method = {"rise": cw.RISE(n_masks=48), "integrated_gradients": cw.IntegratedGradients(steps=4)}.get(name)
    method = method or {"occlusion": cw.Occlusion(56, 56), "kernel_shap": cw.KernelSHAP(3, 24)}.get(name, name)
    maps = []
    for precision in ("float32", "bfloat16"):
        encoder = cw.load_encoder("demo", device="cpu", precision=precision)
        bins = {"corpus": [photographs.load("cat/2")], "foil": [photographs.load("coffee/1")]}
        maps.append(cw.Explainer(encoder, method).explain(images, **bins).heatmaps)
    for a, b in zip(*maps, strict=True):
        assert np.corrcoef(a.ravel(), b.ravel())[0, 1] >= 0.99


def function_encoder():
    weight = Linear().weight.detach().numpy()

    def remote(images):
        assert isinstance(images, np.ndarray)
        assert images.dtype == np.float32
        return images.reshape(len(images), -1) @ weight.T

    return cw.Encoder.from_function(remote, image_size=32)


@pytest.mark.parametrize("name", ["rise", "occlusion", "kernel_shap", "random"])
def test_functions_are_explained_by_perturbing(linear, inputs, corpus, foil, name):
    found = explain(function_encoder(), name, inputs, corpus=corpus, foil=foil)
    close(found, explain(linear, name, inputs, corpus=corpus, foil=foil))


@pytest.mark.parametrize("name", [n for n in cw.METHODS if n not in ("rise", "occlusion", "kernel_shap", "random")])
def test_other_methods_refuse_functions(inputs, corpus, name):
    with pytest.raises(cw.EncoderError, match=r"remote.*'rise'"):
        explain(function_encoder(), name, inputs, corpus=corpus)


class Brightness(cw.DirectMethod):
    """The image times its score."""

    name, label, hint = "brightness", "Brightness", "The image itself, times its score"

    def explain(self, score, explicand, baseline):
        return explicand.sum(0) * score(explicand[None])[0]


def test_a_direct_method_of_your_own(convolutional, inputs, corpus):
    found = cw.Explainer(convolutional, Brightness()).explain(inputs, corpus=corpus)
    close(found.heatmaps, (inputs.sum(1) * torch.tensor(found.scores)[:, None, None]).numpy())


def test_a_heatmap_of_the_wrong_shape_is_refused(convolutional, inputs, corpus):
    class Wrong(Brightness):
        def explain(self, score, explicand, baseline):
            return explicand

    with pytest.raises(ValueError, match=r"Brightness.*\(3, 32, 32\).*\(32, 32\)"):
        cw.Explainer(convolutional, Wrong()).explain(inputs, corpus=corpus)
