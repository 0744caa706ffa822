"""What holds for every method, whatever it computes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torchvision
from torch import nn

import cocoa_widget as cw
from cocoa_widget.attribution.batches import advance
from cocoa_widget.contrast.score import LinearScore
from tests.conftest import Convolutional, Linear, encoder_of

QUICK = {
    "rise": cw.RISE(n_masks=64),
    "kernel_shap": cw.KernelSHAP(superpixels=4, n_samples=64),
    "occlusion": cw.Occlusion(window=8, stride=4),
    "integrated_gradients": cw.IntegratedGradients(steps=8),
    "smoothgrad": cw.SmoothGrad(samples=5),
    "gradient_shap": cw.GradientSHAP(samples=5),
}
FOR_CONVOLUTIONS = [name for name in cw.METHODS if name != "patch_tokens"]
OF_THE_SCORE = [name for name in FOR_CONVOLUTIONS if name != "random"]
LINEAR = [name for name in FOR_CONVOLUTIONS if cw.METHODS[name].linear]


def method_of(name):
    return QUICK.get(name) or cw.METHODS[name]()


def explain(encoder, name, inputs, **how):
    return cw.Explainer(encoder, method_of(name)).explain(inputs, **how).heatmaps


def close(a, b, share=1e-4):
    assert np.isfinite(a).all()
    assert abs(a - b).max() <= share * max(abs(a).max(), abs(b).max())


@pytest.mark.parametrize("name", OF_THE_SCORE)
def test_swapping_the_bins_negates(convolutional, inputs, corpus, foil, name):
    there = explain(convolutional, name, inputs, corpus=corpus, foil=foil)
    back = explain(convolutional, name, inputs, corpus=foil, foil=corpus)
    assert there.shape == (3, 32, 32)
    assert there.dtype == np.float32
    assert abs(there).max() > 0
    close(there, -back)


@pytest.mark.parametrize("name", OF_THE_SCORE)
def test_equal_bins_give_nothing(convolutional, inputs, corpus, foil, name):
    scale = abs(explain(convolutional, name, inputs, corpus=corpus, foil=foil)).max()
    assert abs(explain(convolutional, name, inputs, corpus=corpus, foil=corpus)).max() <= 1e-5 * scale


@pytest.mark.parametrize("name", OF_THE_SCORE)
def test_heatmaps_add_up_as_scores_do(convolutional, inputs, corpus, foil, name):
    """Linear in the direction: corpus alone, less foil alone, is corpus against foil."""
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
def test_the_same_again_is_the_same(inputs, corpus, name):
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
    prepared = cw.Explainer(encoder_of(module), method_of(name)).prepare(inputs)
    c, v = prepared.members(corpus), prepared.members(foil)
    before = module.calls
    prepared.explain(corpus=c, foil=v)
    prepared.explain(corpus=v, similarity="dot")
    prepared.explain(corpus=c, foil=v, similarity="gaussian")
    assert module.calls == before


@pytest.mark.parametrize("name", [name for name in LINEAR if name != "random"])
def test_many_scores_at_once_are_each_alone(convolutional, inputs, name):
    prepared = cw.Explainer(convolutional, method_of(name)).prepare(inputs[:1])
    w = torch.randn(5, 16, generator=torch.Generator().manual_seed(0))
    together = prepared.operators[0].apply(LinearScore(w, "cosine")).numpy()
    for i in range(5):
        close(together[i], prepared.operators[0].apply(LinearScore(w[i, None], "cosine"))[0].numpy())


@pytest.mark.parametrize("name", [name for name in LINEAR if name not in ("random", "cam")])
def test_half_a_preparation_is_a_picture(convolutional, inputs, name):
    x = inputs[0]
    operator = method_of(name).start(x, cw.Blur()(x[None])[0])
    score = LinearScore(torch.randn(1, 16, generator=torch.Generator().manual_seed(0)), "cosine")
    advance(convolutional, [operator], max(operator.first_picture, operator.total * 3 // 4))
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
def test_small_pictures_are_averages_of_large_ones(convolutional, inputs, name, small):
    from cocoa_widget.attribution.batches import advance_path
    from cocoa_widget.attribution.resample import shrink

    x = inputs[0]
    preparation = method_of(name).start(x, cw.Blur()(x[None])[0])
    score = LinearScore(torch.randn(1, 16, generator=torch.Generator().manual_seed(0)), "cosine")
    if cw.METHODS[name].linear:
        while not preparation.complete:
            advance(convolutional, [preparation], 64)
        full, found = preparation.apply(score)[0], preparation.apply(score, small)[0]
    else:
        while not preparation.complete:
            advance_path(convolutional, preparation, score, 64)
        full, found = preparation.heatmap(), preparation.heatmap(small)
    close(found.numpy(), shrink(full, small).numpy())


# ---- closed forms: a linear encoder and the dot product --------------------------------------------------------------


@pytest.fixture
def closed(linear, inputs, corpus, foil):
    """The gradient of the score, the same everywhere, and what the bins are."""
    w = linear.encode(corpus).mean(0) - linear.encode(foil).mean(0)
    gradient = (w @ linear.module.weight).detach().reshape(3, 32, 32)
    return gradient, {"corpus": corpus, "foil": foil, "similarity": "dot"}


@pytest.mark.parametrize("name", ["saliency", "smoothgrad"])
def test_gradients_of_a_linear_encoder(linear, inputs, closed, name):
    gradient, how = closed
    close(explain(linear, name, inputs, **how), gradient.sum(0).expand(3, 32, 32).numpy())


def test_input_times_gradient_of_a_linear_encoder(linear, inputs, closed):
    gradient, how = closed
    close(explain(linear, "input_x_gradient", inputs, **how), (inputs * gradient).sum(1).numpy())


@pytest.mark.parametrize(
    "method",
    [
        cw.IntegratedGradients(steps=3),
        cw.IntegratedGradients(steps=3, rule="midpoint"),
        cw.GradientSHAP(samples=3, noise=0.0),
    ],
    ids=["gauss", "midpoint", "gradient_shap"],
)
def test_paths_of_a_linear_encoder(linear, inputs, closed, method):
    gradient, how = closed
    found = cw.Explainer(linear, method).explain(inputs, **how).heatmaps
    close(found, ((inputs - cw.Blur()(inputs)) * gradient).sum(1).numpy())


def test_shapley_values_of_a_linear_encoder(linear, inputs, closed):
    """Players that do not interact: each is worth what it adds alone, and every coalition fits."""
    gradient, how = closed
    method = cw.KernelSHAP(superpixels=4, n_samples=64)
    found = cw.Explainer(linear, method).explain(inputs, **how).heatmaps
    pixels = ((inputs - cw.Blur()(inputs)) * gradient).sum(1)
    expected = nn.functional.avg_pool2d(pixels[:, None], 8).repeat_interleave(8, 2).repeat_interleave(8, 3)[:, 0]
    close(found, expected.numpy())


def test_occlusion_of_a_linear_encoder(linear, inputs, closed):
    gradient, how = closed
    found = cw.Explainer(linear, cw.Occlusion(window=8, stride=8)).explain(inputs, **how).heatmaps
    pixels = ((inputs - cw.Blur()(inputs)) * gradient).sum(1)
    expected = 64 * nn.functional.avg_pool2d(pixels[:, None], 8).repeat_interleave(8, 2).repeat_interleave(8, 3)[:, 0]
    close(found, expected.numpy())


@pytest.mark.parametrize("similarity", ["cosine", "dot", "gaussian"])
def test_shapley_values_are_complete(convolutional, inputs, corpus, foil, similarity):
    explainer = cw.Explainer(convolutional, QUICK["kernel_shap"])
    found = explainer.explain(inputs, corpus=corpus, foil=foil, similarity=similarity)
    gone = explainer.explain(cw.Blur()(inputs), corpus=corpus, foil=foil, similarity=similarity)
    assert found.heatmaps.sum((1, 2)) == pytest.approx(found.scores - gone.scores, abs=1e-5)


def test_expected_gradients_tend_to_integrated_ones(convolutional, inputs, corpus):
    many = cw.Explainer(convolutional, cw.GradientSHAP(samples=400, noise=0.0)).explain(inputs, corpus=corpus).heatmaps
    exact = cw.Explainer(convolutional, cw.IntegratedGradients(steps=64)).explain(inputs, corpus=corpus).heatmaps
    assert np.corrcoef(many.ravel(), exact.ravel())[0, 1] > 0.99


def test_grad_cam_at_the_pooled_map_is_cam(convolutional, inputs, corpus):
    """With the dot product the gradient there is the direction, the same at every position."""
    there = explain(convolutional, "grad_cam", inputs, corpus=corpus, similarity="dot")
    close(there, explain(convolutional, "cam", inputs, corpus=corpus, similarity="dot"))


def test_random_is_standard_normal_and_of_the_explicand(convolutional, inputs, corpus):
    found = explain(convolutional, "random", inputs, corpus=corpus)
    assert abs(found.mean()) < 0.1
    assert found.std() == pytest.approx(1, abs=0.1)
    assert abs(np.corrcoef(found[0].ravel(), found[1].ravel())[0, 1]) < 0.15


# ---- superpixels, layers, precision ----------------------------------------------------------------------------------


def test_superpixels_of_ones_own(convolutional, inputs, corpus):
    halves = torch.zeros(32, 32, dtype=torch.int64)
    halves[:, 16:] = 7
    method = cw.KernelSHAP(superpixels=lambda explicand: halves, n_samples=16)
    found = cw.Explainer(convolutional, method).explain(inputs, corpus=corpus).heatmaps
    assert len(np.unique(found[0])) == 2
    with pytest.raises(ValueError, match=r"integer label map \(32, 32\)"):
        cw.Explainer(convolutional, cw.KernelSHAP(superpixels=lambda x: torch.zeros(4, 4))).prepare(inputs)
    with pytest.raises(ValueError, match="same label"):
        cw.Explainer(convolutional, cw.KernelSHAP(superpixels=lambda x: 0 * halves)).prepare(inputs)


def test_an_unknown_layer_names_its_neighbours(convolutional, inputs, corpus):
    with pytest.raises(cw.EncoderError, match=r"no layer 'body.9'.*body"):
        cw.Explainer(convolutional, cw.GradCAM(layer="body.9")).explain(inputs, corpus=corpus)


def test_a_layer_without_a_map_is_refused(inputs, corpus):
    encoder = encoder_of(nn.Sequential(Convolutional(), nn.Linear(16, 8)))
    with pytest.raises(cw.NoFeatureMap, match=r"Layer '1'.*no feature map"):
        cw.Explainer(encoder, cw.GradCAM(layer="1")).explain(inputs, corpus=corpus)


def test_an_encoder_without_maps_has_no_grad_cam(linear, inputs, corpus):
    with pytest.raises(cw.NoFeatureMap, match="no layer that gives a feature map"):
        cw.Explainer(linear, "grad_cam").explain(inputs, corpus=corpus)


@pytest.mark.parametrize("name", ["rise", "cam", "occlusion", "kernel_shap", "integrated_gradients", "grad_cam"])
def test_bfloat16_gives_the_same_picture(photographs, name):
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


# ---- vision transformers ---------------------------------------------------------------------------------------------


class Transformer(nn.Module):
    """A vision transformer, whose representation is its class token or the mean of its patches."""

    def __init__(self, pool):
        super().__init__()
        import timm

        torch.manual_seed(0)
        self.network = timm.create_model(
            "vit_tiny_patch16_224", img_size=32, patch_size=8, depth=2, num_classes=0, global_pool=pool, fc_norm=False
        )

    def forward(self, images):
        return self.network(images)


@pytest.mark.parametrize(("pool", "exact"), [("token", False), ("avg", True)])
def test_patch_tokens_are_found(pool, exact):
    tokens = encoder_of(Transformer(pool)).tokens
    assert (tokens.prefix, tokens.rows, tokens.columns, tokens.exact) == (1, 4, 4, exact)


def test_patch_tokens_sum_to_gamma_where_they_are_the_representation(inputs, corpus, foil):
    encoder = encoder_of(Transformer("avg"))
    found = cw.Explainer(encoder, "patch_tokens").explain(inputs, corpus=corpus, foil=foil, similarity="dot")
    assert found.heatmaps.sum((1, 2)) == pytest.approx(found.scores, rel=1e-3, abs=1e-4)


def test_patch_tokens_score_each_token(inputs, corpus):
    encoder = encoder_of(Transformer("token"))
    tokens = encoder.forward(inputs[:1], features="tokens").features[0].flatten(1).T
    w = nn.functional.normalize(encoder.encode(corpus), dim=1).mean(0)
    expected = (nn.functional.normalize(tokens, dim=1) @ w).reshape(4, 4)
    found = cw.Explainer(encoder, "patch_tokens").explain(inputs[:1], corpus=corpus).heatmaps[0]
    cells = torch.tensor(found).reshape(4, 8, 4, 8).sum((1, 3)) * 16
    assert torch.corrcoef(torch.stack([cells.flatten(), expected.flatten()]))[0, 1] > 0.9
    assert found.sum() == pytest.approx(expected.mean().item(), rel=1e-3)


def test_torchvision_transformers_have_patch_tokens():
    torch.manual_seed(0)
    network = torchvision.models.vision_transformer.VisionTransformer(32, 8, 2, 2, 24, 48)
    network.heads = nn.Identity()
    tokens = encoder_of(network).tokens
    assert (tokens.prefix, tokens.rows, tokens.columns) == (1, 4, 4)


def test_other_encoders_have_no_patch_tokens(convolutional, linear, inputs, corpus):
    assert convolutional.tokens is None
    with pytest.raises(cw.NoFeatureMap, match="no patch tokens"):
        cw.Explainer(linear, "patch_tokens").explain(inputs, corpus=corpus)


# ---- encoders that are only functions --------------------------------------------------------------------------------


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
def test_functions_are_refused_by_the_rest(inputs, corpus, name):
    with pytest.raises(cw.EncoderError, match=r"remote.*'rise'"):
        explain(function_encoder(), name, inputs, corpus=corpus)


def test_a_function_that_is_none_is_refused():
    with pytest.raises(TypeError, match=r"arrays \(B, 3, H, W\)"):
        cw.Encoder.from_function("model.onnx")


# ---- methods of one's own --------------------------------------------------------------------------------------------


class Quarters(cw.PerturbationMethod):
    """The example of the documentation: what each quarter scores alone."""

    name, label, hint = "quarters", "Quarters", "Each quarter alone"

    def masks(self, height, width):
        masks = torch.zeros(4, height, width)
        for i, mask in enumerate(masks):
            top, left = i // 2 * height // 2, i % 2 * width // 2
            mask[top : top + height // 2, left : left + width // 2] = 1
        return masks

    def combine(self, scores, masks):
        return torch.einsum("kn,nhw->khw", scores, masks)


def test_a_method_of_ones_own(linear, inputs, corpus, foil):
    found = cw.Explainer(linear, Quarters()).explain(inputs, corpus=corpus, foil=foil, similarity="dot").heatmaps
    w = linear.encode(corpus).mean(0) - linear.encode(foil).mean(0)
    blurred = cw.Blur()(inputs)
    for i in range(4):
        rows, columns = slice(i // 2 * 16, i // 2 * 16 + 16), slice(i % 2 * 16, i % 2 * 16 + 16)
        shown = blurred.clone()
        shown[:, :, rows, columns] = inputs[:, :, rows, columns]
        expected = (linear.encode(shown) @ w).numpy()
        assert found[:, rows, columns] == pytest.approx(np.broadcast_to(expected[:, None, None], (3, 16, 16)), rel=1e-3)


class Brightness(cw.DirectMethod):
    """Not even a question to the encoder."""

    name, label, hint = "brightness", "Brightness", "The image itself, times its score"

    def explain(self, score, explicand, baseline):
        return explicand.sum(0) * score(explicand[None])[0]


def test_a_direct_method_of_ones_own(convolutional, inputs, corpus):
    found = cw.Explainer(convolutional, Brightness()).explain(inputs, corpus=corpus)
    close(found.heatmaps, (inputs.sum(1) * torch.tensor(found.scores)[:, None, None]).numpy())


def test_a_heatmap_of_the_wrong_shape_is_refused(convolutional, inputs, corpus):
    class Wrong(Brightness):
        def explain(self, score, explicand, baseline):
            return explicand

    with pytest.raises(ValueError, match=r"Brightness.*\(3, 32, 32\).*\(32, 32\)"):
        cw.Explainer(convolutional, Wrong()).explain(inputs, corpus=corpus)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: cw.Occlusion(window=8, stride=9), "stride between 1 and its window"),
        (lambda: cw.KernelSHAP(superpixels=1), "at least 2 superpixels"),
        (lambda: cw.KernelSHAP(n_samples=3), "at least 4"),
        (lambda: cw.SmoothGrad(samples=0), "at least 1 sample"),
        (lambda: cw.SmoothGrad(noise=-1.0), "noise of at least 0"),
        (lambda: cw.GradientSHAP(seed=-1), "seed of at least 0"),
        (lambda: cw.IntegratedGradients(rule="simpson"), "'gauss_legendre' or 'midpoint'"),
        (lambda: cw.CaptumMethod("Saliency"), "class of captum.attr"),
    ],
)
def test_bad_settings_are_named(make, says):
    with pytest.raises((ValueError, TypeError), match=says):
        make()
