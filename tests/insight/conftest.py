"""Prepared explicands, whose stability and influence are tested."""

import pytest

import cocoa_widget as cw


@pytest.fixture
def prepared(convolutional, inputs):
    return cw.Explainer(convolutional, cw.RISE(n_masks=64)).prepare(inputs)
