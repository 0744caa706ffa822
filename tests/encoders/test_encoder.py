"""Encoders wrap modules of all kinds, and report what is wrong with a module."""

import numpy as np
import pytest
import torch

import cocoa_widget as cw
from tests.conftest import Convolutional, Linear, encoder_of
from tests.encoders.conftest import Returns, flat


def test_runs_in_eval_mode_and_leaves_the_module_as_it_was(inputs):
    module = Convolutional().train()
    encoder = encoder_of(module)
    before = module.body[1].running_mean.clone()
    in_training = encoder.encode(inputs)
    assert module.training
    assert module.body[1].training
    assert torch.equal(module.body[1].running_mean, before)
    torch.testing.assert_close(in_training, encoder_of(Convolutional().eval()).encode(inputs))


@pytest.mark.parametrize(
    ("function", "output"),
    [
        (lambda x: {"features": flat(x), "logits": x}, "features"),
        (lambda x: (x, flat(x)), 1),
        (lambda x: {"a": {"b": flat(x)}}, lambda out: out["a"]["b"]),
    ],
)
def test_output_says_which_part_is_the_representation(inputs, function, output):
    encoder = encoder_of(Returns(function), output=output)
    torch.testing.assert_close(encoder.encode(inputs), flat(inputs))


@pytest.mark.parametrize(
    ("function", "output", "says"),
    [
        (lambda x: {"features": x, "logits": x}, None, r"dict with the keys 'features', 'logits'.*output="),
        (lambda x: (x, x), None, r"tuple of 2.*output="),
        (lambda x: {"features": flat(x)}, "feature", r"no output 'feature'.*'features'"),
        (lambda x: flat(x).sum(), None, r"shape \(\) for 3 images.*\(3, d\)"),
        (lambda x: x[:1].flatten(1), None, r"\(1, 3072\) for 3 images"),
        (lambda x: x.flatten(2), None, r"\(3, 3, 1024\) for 3 images"),
        (lambda x: flat(x) * float("nan"), None, r"not finite.*preprocess"),
        (lambda x: flat(x) / 0, None, r"not finite"),
        (
            lambda x: flat(x) * 1e20,
            None,
            r"values of up to \de\+20, too large to be compared.*output=lambda out: out / ",
        ),
        (lambda x: x @ torch.ones(5, 5), None, r"raised RuntimeError on a batch of the shape \(\d, 3, 32, 32\)"),
    ],
)
def test_outputs_that_are_no_representation_are_refused(inputs, function, output, says):
    encoder = encoder_of(Returns(function), output=output, name="odd")
    with pytest.raises(cw.EncoderError, match=says) as caught:
        encoder.encode(inputs)
    assert "'odd'" in str(caught.value)


@pytest.mark.parametrize(
    ("function", "output"),
    [
        (lambda x: {"map": x}, "map"),
        (lambda x: (0, x), 1),
        (lambda x: {"map": x}, lambda out: out["map"]),
    ],
)
def test_output_may_be_a_feature_map(inputs, function, output):
    encoder = encoder_of(Returns(function), output=output)
    torch.testing.assert_close(encoder.encode(inputs), inputs.mean((2, 3)))
    assert encoder.forward(inputs, features="pooled").features.shape == inputs.shape


def test_inference_mode_outside_does_not_matter(pictures, corpus):
    encoder = encoder_of(Convolutional())
    images = cw.ImageSet(pictures)
    with torch.inference_mode():
        encoder.represent(images, ["p0"])
        found = cw.Explainer(encoder, cw.IntegratedGradients(steps=4)).explain(corpus, corpus=corpus).heatmaps
    encoder.represent(images)
    assert np.isfinite(found).all()


def test_a_change_of_the_weights_is_noticed(pictures):
    module = Linear()
    encoder = encoder_of(module)
    first, before = encoder.encode(cw.ImageSet(pictures)), encoder.fingerprint
    with torch.no_grad():
        module.weight.mul_(2)
    assert encoder.fingerprint != before
    torch.testing.assert_close(encoder.encode(cw.ImageSet(pictures)), 2 * first)


def test_fingerprints_tell_encoders_apart():
    same = encoder_of(Convolutional()).fingerprint
    assert encoder_of(Convolutional()).fingerprint == same
    other = Convolutional()
    with torch.no_grad():
        next(other.parameters()).add_(1e-3)
    assert encoder_of(other).fingerprint != same
    assert encoder_of(Convolutional(), image_size=16).fingerprint != same


def test_a_wrong_preprocess_is_reported(pictures):
    encoder = encoder_of(Linear(), preprocess=lambda picture: np.asarray(picture))
    with pytest.raises(cw.EncoderError, match=r"preprocess of encoder 'Linear'.*tensor \(3, H, W\), not ndarray"):
        encoder.encode(cw.ImageSet(pictures))


def test_tensors_of_other_shapes_are_refused(linear):
    with pytest.raises(ValueError, match=r"\(B, 3, H, W\); this one has \(2, 2\)"):
        linear.encode(torch.zeros(2, 2))


def test_wrong_arguments_are_refused():
    with pytest.raises(TypeError, match="torch.nn.Module, not function"):
        cw.Encoder(lambda x: x)
    with pytest.raises(ValueError, match=r"'int8'.*auto, float32"):
        cw.Encoder(Linear(), precision="int8")


def test_the_demo_encoder_knows_its_classes(demo_encoder, photographs):
    """Its weights are in their right places: its classifier recognises the photographs."""
    network = demo_encoder.module.network
    from torchvision.models import ResNet18_Weights

    names = ResNet18_Weights.DEFAULT.meta["categories"]
    logits = network.classifier(demo_encoder.represent(photographs, ["cat/1", "coffee/1", "rocket/1"]))
    best = [{names[i] for i in row.topk(5).indices.tolist()} for row in logits]
    assert best[0] & {"tabby", "tiger cat", "Egyptian cat"}
    assert best[1] & {"espresso", "cup", "coffee mug"}
    assert best[2] & {"missile", "projectile", "space shuttle"}
