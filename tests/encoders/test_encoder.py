import threading

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from torch import nn
from torchvision.transforms import v2

import cocoa_widget as cw
from cocoa_widget.encoders.preprocess import frame_of
from tests.conftest import Convolutional, Linear, encoder_of


class Returns(nn.Module):
    """Returns whatever a function makes of its input."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, images):
        return self.function(images)


def flat(x):
    return x.flatten(1)[:, :5]


def test_batches_do_not_change_representations(inputs):
    reference = encoder_of(Convolutional(), batch_size=64).encode(inputs)
    for size in (1, 2):
        torch.testing.assert_close(encoder_of(Convolutional(), batch_size=size).encode(inputs), reference)


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
def test_what_is_no_representation_is_said(inputs, function, output, says):
    encoder = encoder_of(Returns(function), output=output, name="odd")
    with pytest.raises(cw.EncoderError, match=says) as caught:
        encoder.encode(inputs)
    assert "'odd'" in str(caught.value)


def test_running_out_of_memory_halves_the_batch(corpus, foil):
    sizes = []

    def hungry(x):
        sizes.append(len(x))
        if len(x) > 3:
            raise torch.OutOfMemoryError("out of memory")
        return flat(x)

    encoder = encoder_of(Returns(hungry), batch_size=10)
    assert encoder.pooling is None
    sizes.clear()
    inputs = torch.cat([corpus, foil])
    torch.testing.assert_close(encoder.encode(inputs), flat(inputs))
    assert sizes == [10, 5, 2, 2, 2, 2, 2]
    assert encoder.batch_size == 2


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


def test_a_module_that_blocks_gradients_is_named(inputs):
    encoder = encoder_of(Returns(lambda x: flat(x.detach())), name="blocked")
    with pytest.raises(cw.EncoderError, match=r"'blocked' cannot be differentiated.*'rise'"):
        encoder.gradients(inputs, lambda v: v.sum(1))


def test_in_place_first_layers_can_be_differentiated(inputs):
    encoder = encoder_of(Returns(lambda x: flat(x.relu_())))
    gradients = encoder.gradients(inputs, lambda v: v.sum(1)).gradients
    assert torch.equal(gradients.flatten(1)[:, :5], (flat(inputs) > 0).float())


TENSOR = [v2.ToImage(), v2.ToDtype(torch.float32, scale=True)]


@pytest.mark.parametrize("size", [(640, 427), (300, 500), (224, 224), (100, 40)])
@pytest.mark.parametrize(
    ("transform", "crops"),
    [
        (v2.Compose([v2.Resize(256), v2.CenterCrop(224), *TENSOR]), True),
        (torchvision.models.ResNet18_Weights.DEFAULT.transforms(), True),
        (v2.Compose([v2.Resize((224, 224)), *TENSOR]), False),
    ],
    ids=["compose", "preset", "squash"],
)
def test_the_frame_of_any_transform_is_found(size, transform, crops):
    width, height = size
    crop = 224 / 256 * min(size)
    left, top = ((width - crop) / 2 / width, (height - crop) / 2 / height) if crops else (0, 0)
    assert frame_of(transform, width, height) == pytest.approx((left, top, 1 - left, 1 - top), abs=0.012)


def test_the_frame_of_a_transform_that_is_no_ramp_is_everything():
    assert frame_of(lambda picture: torch.zeros(3, 8, 8), 64, 48) == (0.0, 0.0, 1.0, 1.0)


def test_our_preprocess_is_torchvisions():
    rng = np.random.default_rng(0)
    smooth = Image.fromarray(rng.integers(0, 256, (12, 20, 3), dtype=np.uint8)).resize(
        (400, 300), Image.Resampling.BICUBIC
    )
    theirs = torchvision.models.ResNet18_Weights.DEFAULT.transforms()(smooth)
    ours = cw.Preprocess(224, resize=256)(smooth)
    assert (ours - theirs).abs().max() < 0.05
    assert cw.Preprocess(224, resize=256).frame(400, 300) == pytest.approx(
        frame_of(torchvision.models.ResNet18_Weights.DEFAULT.transforms(), 400, 300), abs=0.01
    )


def test_a_preprocess_that_is_none_is_named(pictures):
    encoder = encoder_of(Linear(), preprocess=lambda picture: np.asarray(picture))
    with pytest.raises(cw.EncoderError, match=r"preprocess of encoder 'Linear'.*tensor \(3, H, W\), not ndarray"):
        encoder.encode(cw.ImageSet(pictures))


def test_tensors_of_other_shapes_are_refused(linear):
    with pytest.raises(ValueError, match=r"\(B, 3, H, W\); this one has \(2, 2\)"):
        linear.encode(torch.zeros(2, 2))


def test_not_a_module():
    with pytest.raises(TypeError, match="torch.nn.Module, not function"):
        cw.Encoder(lambda x: x)
    with pytest.raises(ValueError, match=r"'int8'.*auto, float32"):
        cw.Encoder(Linear(), precision="int8")


def test_the_demo_encoder_knows_its_classes(demo_encoder, photographs):
    """Its weights are in their right places: the classifier that it leaves out names what is on the photographs."""
    network = demo_encoder.module.network
    from torchvision.models import ResNet18_Weights

    names = ResNet18_Weights.DEFAULT.meta["categories"]
    logits = network.classifier(demo_encoder.represent(photographs, ["cat/1", "coffee/1", "rocket/1"]))
    best = [{names[i] for i in row.topk(5).indices.tolist()} for row in logits]
    assert best[0] & {"tabby", "tiger cat", "Egyptian cat"}
    assert best[1] & {"espresso", "cup", "coffee mug"}
    assert best[2] & {"missile", "projectile", "space shuttle"}


def test_torchvision_encoders_give_the_penultimate_representation(tmp_path, inputs):
    torch.manual_seed(0)
    network = torchvision.models.resnet18(num_classes=7).eval()
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    encoder = cw.load_encoder("torchvision/resnet18", weights=tmp_path / "weights.pth", precision="float32")
    assert encoder.name == "resnet18"
    assert encoder.input_size == (224, 224)
    found = encoder.encode(inputs)
    with torch.inference_mode():
        torch.testing.assert_close(network.fc(found), network(inputs), atol=1e-5, rtol=1e-4)
    assert encoder.pooling == "avgpool"


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "squeezenet1_1", "vit_b_32"])
def test_torchvision_encoders_of_other_shapes(name):
    if name == "squeezenet1_1":
        with pytest.raises(ValueError, match="no linear classifier"):
            cw.load_encoder(f"torchvision/{name}", weights=None)
        return
    encoder = cw.load_encoder(f"torchvision/{name}", weights=None, precision="float32")
    assert encoder.encode(torch.zeros(1, 3, 224, 224)).shape == (1, {"mobilenet_v3_small": 1024, "vit_b_32": 768}[name])


def test_weights_that_do_not_fit_are_named(tmp_path):
    torch.save(torchvision.models.resnet34().state_dict(), tmp_path / "other.pth")
    with pytest.raises(ValueError, match=r"other.pth does not fit resnet18: .*layer1.2.*unknown.*more"):
        cw.load_encoder("torchvision/resnet18", weights=tmp_path / "other.pth")
    with pytest.raises(FileNotFoundError, match=r"no weights 'IMAGENET22K'.*IMAGENET1K_V1"):
        cw.load_encoder("torchvision/resnet18", weights="IMAGENET22K")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("demos", "Unknown encoder 'demos': use 'demo', 'torchvision/NAME'"),
        ("demo/2", "the demo encoder is just 'demo'"),
        ("torchvision/resnet19", "no classification network 'resnet19'. Did you mean .*resnet18"),
    ],
)
def test_unknown_names_are_helped(name, says):
    with pytest.raises(ValueError, match=says):
        cw.load_encoder(name)


def test_one_thread_may_ask_how_it_is_made_while_another_encodes(inputs):
    """Both take two locks, and must take them in one order."""
    for _ in range(20):
        encoder = encoder_of(Convolutional())
        barrier = threading.Barrier(2)

        def ask(encoder=encoder, barrier=barrier):
            barrier.wait()
            assert encoder.pooling == "pool"

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        barrier.wait()
        encoder.encode(inputs)
        thread.join(120)
        assert not thread.is_alive()
