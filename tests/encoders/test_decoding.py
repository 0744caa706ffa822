"""Pictures are decoded ahead of the encoder."""

import threading

import pytest
import torch

import cocoa_widget as cw
from cocoa_widget.encoders.decoding import Decoder

from ..conftest import Convolutional, encoder_of


def test_images_ahead_are_decoded_early(pictures):
    images, begun, gate = cw.ImageSet(pictures), [], threading.Event()

    def preprocess(picture):
        begun.append(threading.current_thread().name)
        gate.set()
        return torch.zeros(3, 2, 2)

    with Decoder(images, preprocess) as decoder:
        assert len(decoder.take(["p0"], ahead=["p1"])) == 1
        gate.clear()
        while len(begun) < 2:
            assert gate.wait(120)
        decoder.take(["p1"])
        assert len(begun) == 2, "not decoded again"
    assert all(name.startswith("cocoa-decode") for name in begun)


def test_the_same_representations_in_any_batches(pictures):
    alone = encoder_of(Convolutional(), batch_size=1).encode(pictures)
    torch.testing.assert_close(encoder_of(Convolutional(), batch_size=3).encode(pictures), alone)


def test_unreadable_images_are_named(tmp_path, pictures):
    for name in ("a", "b", "c"):
        pictures["p0"].save(tmp_path / f"{name}.png")
    images = cw.ImageSet(tmp_path)
    (tmp_path / "b.png").write_bytes((tmp_path / "b.png").read_bytes()[:100])
    encoder = encoder_of(Convolutional(), batch_size=1)
    with pytest.raises(cw.UnreadableImage, match=r"b\.png"):
        encoder.encode(images)
    assert encoder.represent(images, ["a.png", "c.png"]).shape == (2, 16)
