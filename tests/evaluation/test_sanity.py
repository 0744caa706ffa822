import numpy as np
import pytest
import torch
from scipy.stats import spearmanr, truncnorm
from skimage.metrics import structural_similarity as ssim

import cocoa_widget as cw
from cocoa_widget.evaluation import cascade, randomised, rank_correlation, structural_similarity
from tests.conftest import Convolutional, encoder_of


class Big(torch.nn.Module):
    """Parameters: two large ones with known statistics, a constant one and a scalar, and a buffer."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(5)
        self.uniform = torch.nn.Parameter(2 + 3 * torch.rand(300, 400, generator=generator))
        self.normal = torch.nn.Parameter(0.1 * torch.randn(100_000, generator=generator))
        self.constant = torch.nn.Parameter(torch.full((7,), 1.5))
        self.single = torch.nn.Parameter(torch.tensor(0.25))
        self.register_buffer("kept", torch.arange(4.0))

    def forward(self, images):
        return images.flatten(1)[:, :8]


def test_parameters_keep_their_statistics():
    encoder = encoder_of(Big())
    before = {name: p.detach().clone() for name, p in encoder.module.named_parameters()}
    module = randomised(encoder, 0).module
    for name in ("uniform", "normal"):
        old, new = before[name], getattr(module, name).detach()
        assert not torch.equal(old, new)
        assert abs(float(np.corrcoef(old.flatten(), new.flatten())[0, 1])) < 0.02  # drawn again, not kept with noise
        assert new.min() >= old.min()
        assert new.max() <= old.max()
        assert float(new.mean()) == pytest.approx(float(old.mean()), abs=0.02 * float(old.std()))
    normal = module.normal.detach()
    assert float(normal.std()) == pytest.approx(float(before["normal"].std()), rel=0.02)
    # A uniform distribution ends 1.73 standard deviations from its mean, where the normal one is truncated.
    left = truncnorm(-(3**0.5), 3**0.5).std()
    assert float(module.uniform.detach().std() / before["uniform"].std()) == pytest.approx(left, abs=0.01)
    assert torch.equal(module.constant, before["constant"])
    assert torch.equal(module.single, before["single"])
    assert torch.equal(module.kept, encoder.module.kept)
    for name, parameter in encoder.module.named_parameters():
        assert torch.equal(parameter, before[name])  # the trained encoder is not changed


def test_only_the_module_and_the_name_differ(convolutional, inputs):
    convolutional.batch_size, convolutional.name = 5, "Net"
    convolutional.classifier = torch.nn.Linear(16, 3)
    trained = convolutional.encode(inputs)
    other = randomised(convolutional, 0)
    assert isinstance(other, cw.Encoder)
    assert other.name == "Net (randomised)"
    assert (other.batch_size, other.device, other.precision) == (5, convolutional.device, convolutional.precision)
    assert other.preprocess is convolutional.preprocess
    vectors = torch.randn(2, 16)
    assert torch.equal(other.classifier(vectors), convolutional.classifier(vectors))
    assert other.fingerprint != convolutional.fingerprint
    assert not torch.allclose(other.encode(inputs), trained)
    assert torch.equal(convolutional.encode(inputs), trained)
    assert convolutional.name == "Net"


def test_the_table_of_representations_is_not_shared(convolutional, pictures):
    images = cw.ImageSet(pictures)
    trained = convolutional.encode(images)
    other = randomised(convolutional, 0)
    assert not torch.allclose(other.encode(images), trained)
    assert torch.equal(convolutional.encode(images), trained)


def test_feature_maps_are_its_own(convolutional, inputs):
    """The feature map for CAM is that of the random module, also after the trained one's has been used."""
    convolutional.forward(inputs, features="pooled")
    other = randomised(convolutional, 0)
    encoded = other.forward(inputs, features="pooled")
    torch.testing.assert_close(encoded.features, other.module.eval().body(inputs).detach())
    torch.testing.assert_close(encoded.features.mean((2, 3)), encoded.representations)


def test_same_seed_same_parameters(convolutional, inputs):
    a, b, c = (randomised(convolutional, seed).encode(inputs) for seed in (1, 1, 2))
    assert torch.equal(a, b)
    assert not torch.allclose(a, c)


def test_batch_normalisation_is_measured_again(inputs):
    module = Convolutional()
    module.body[1].running_mean += 7  # statistics of another network
    encoder = encoder_of(module, batch_size=2)
    kept = randomised(encoder, 0)
    assert torch.equal(kept.module.body[1].running_mean, module.body[1].running_mean)
    other = randomised(encoder, 0, inputs[:2])
    layer = other.module.body[1]
    low = randomised(encoder_of(Convolutional().bfloat16()), 0, inputs)  # low precision runs, too
    assert low.module.body[1].running_mean.abs().max() > 0
    expected = kept.module.body[0](inputs[:2]).detach()
    torch.testing.assert_close(layer.running_mean, expected.mean((0, 2, 3)))
    torch.testing.assert_close(layer.running_var, expected.var((0, 2, 3)))
    assert layer.momentum == 0.1
    assert layer.training == module.body[1].training
    randomised(encoder_of(Convolutional(), batch_size=2), 0, inputs)  # a part of one image would fail
    assert float(module.body[1].running_mean.min()) >= 7


def test_cascade_starts_at_the_top(convolutional):
    trained = {name: p.detach() for name, p in convolutional.module.named_parameters()}
    encoders = list(cascade(convolutional, seed=0))
    layers = ["body.3", "body.1", "body.0"]
    assert [encoder.name for encoder in encoders] == [f"Convolutional (randomised from {n} up)" for n in layers]
    for count, encoder in enumerate(encoders, start=1):
        for name, parameter in encoder.module.named_parameters():
            changed = name.rpartition(".")[0] in layers[:count]
            constant = float(trained[name].min()) == float(trained[name].max())
            assert torch.equal(parameter, trained[name]) == (not changed or constant)


def test_rank_correlation():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 5, 6)), rng.integers(0, 4, (2, 5, 6))  # with ties
    expected = [spearmanr(a[i], b[i], axis=None).statistic for i in range(2)]
    np.testing.assert_allclose(rank_correlation(a, b), expected)
    np.testing.assert_allclose(rank_correlation(a, np.exp(a)), [1, 1])
    np.testing.assert_allclose(rank_correlation(a[0], -a[0]), [-1])
    assert np.isnan(rank_correlation(a[0], np.ones((5, 6)))).all()


def test_structural_similarity():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 2, 16, 16))
    expected = [ssim(x / abs(x).max(), y / abs(y).max(), data_range=2.0) for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(structural_similarity(a, b), expected)
    np.testing.assert_allclose(structural_similarity(a, 5 * a), [1, 1])  # no scale
    assert np.isfinite(structural_similarity(a, 0 * a)).all()


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="differ in shape"):
        rank_correlation(np.zeros((2, 4, 4)), np.zeros((2, 4, 5)))
    with pytest.raises(ValueError, match="2 heatmaps but 3 others"):
        rank_correlation(np.zeros((2, 4, 4)), np.zeros((3, 4, 4)))
