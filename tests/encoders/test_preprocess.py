"""The part of a picture that the encoder sees, for preprocessing of all kinds."""

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from torchvision.transforms import v2

import cocoa_widget as cw
from cocoa_widget.encoders.preprocess import frame_of

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


def test_the_frame_of_a_transform_that_ignores_the_picture_is_the_whole():
    assert frame_of(lambda picture: torch.zeros(3, 8, 8), 64, 48) == (0.0, 0.0, 1.0, 1.0)


def test_preprocess_agrees_with_torchvision():
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
