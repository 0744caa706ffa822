"""Forward passes in batches."""

import threading

import pytest
import torch

import cocoa_widget as cw
from tests.conftest import Convolutional, encoder_of
from tests.encoders.conftest import Returns, flat


def test_batches_do_not_change_representations(inputs):
    reference = encoder_of(Convolutional(), batch_size=64).encode(inputs)
    for size in (1, 2):
        torch.testing.assert_close(encoder_of(Convolutional(), batch_size=size).encode(inputs), reference)


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


def test_a_single_input_that_is_too_large_leaves_the_batch_size(inputs):
    def hungry(x):
        if x.shape[-1] > 32:
            raise torch.OutOfMemoryError("out of memory")
        return flat(x)

    encoder = encoder_of(Returns(hungry), batch_size=8)
    with pytest.raises(cw.EncoderError, match="OutOfMemoryError"):
        encoder.forward(torch.zeros(1, 3, 64, 64))
    assert encoder.batch_size == 8
    torch.testing.assert_close(encoder.encode(inputs), flat(inputs))


def test_one_thread_may_look_into_the_module_while_another_encodes(inputs):
    """Both threads take two locks, and must take them in the same order."""
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
