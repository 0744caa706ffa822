"""Representations of many images are collected from whatever computes them."""

import pytest
import torch

import cocoa_widget as cw
from cocoa_widget.encoders.encoding import EncodedImages, LocalEncoding, represent

from ..conftest import Convolutional, encoder_of


def local(encoder, images, known=lambda key: False):
    decoder = encoder.decoder(images, lambda _, key: known(key))
    return LocalEncoding(decoder, encoder.forward, 4, known)


def test_results_come_in_batches_in_the_order_of_submission(pictures):
    encoder, images = encoder_of(Convolutional()), cw.ImageSet(pictures)
    encoding = local(encoder, images)
    encoding.submit(images.ids[:6])
    encoding.submit(images.ids[6:])
    found = list(encoding.results())
    encoding.cancel()
    assert [image for some in found for image in some.keys] == images.ids
    assert [len(some.keys) for some in found] == [4, 4, 2]
    torch.testing.assert_close(torch.cat([some.representations for some in found]), encoder.encode(images))


def test_known_images_are_not_computed_again(pictures):
    module = Convolutional()
    encoder, images = encoder_of(module), cw.ImageSet(pictures)
    known = {images.key("p1")}
    encoding = local(encoder, images, known.__contains__)
    encoding.submit(["p0", "p1"])
    (found,) = encoding.results()
    encoding.cancel()
    assert set(found.keys) == {"p0", "p1"}
    assert found.computed == [images.key("p0")]


def test_cancelling_drops_what_waits(pictures):
    encoder, images = encoder_of(Convolutional()), cw.ImageSet(pictures)
    encoding = local(encoder, images)
    encoding.submit(images.ids)
    results = encoding.results()
    next(results)
    encoding.cancel()
    assert list(results) == []


class Elsewhere:
    """Computes representations with another encoder, in any order, as other processes would."""

    def __init__(self, encoder, images):
        self.encoder, self.images, self.ids, self.cancelled = encoder, images, [], False

    def submit(self, ids):
        self.ids += ids

    def results(self):
        for image in reversed(self.ids):
            key = self.images.key(image)
            yield EncodedImages({image: key}, [key], self.encoder.encode({image: self.images[image]}))

    def cancel(self):
        self.cancelled = True


def test_any_encoding_serves(pictures):
    encoder, images = encoder_of(Convolutional()), cw.ImageSet(pictures)
    elsewhere = Elsewhere(encoder_of(Convolutional()), images)
    found = represent(images, images.ids, encoder.moment, lambda known: elsewhere)
    assert elsewhere.cancelled
    torch.testing.assert_close(found, encoder_of(Convolutional()).encode(images))
    assert not encoder.representations.missing([images.key(image) for image in images])


def test_a_failing_encoding_is_cancelled(pictures):
    encoder, images = encoder_of(Convolutional()), cw.ImageSet(pictures)
    elsewhere = Elsewhere(encoder_of(Convolutional()), images)
    elsewhere.results = lambda: iter([None])
    with pytest.raises(AttributeError):
        represent(images, images.ids, encoder.moment, lambda known: elsewhere)
    assert elsewhere.cancelled
