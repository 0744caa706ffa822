"""Functions of arrays as encoders."""

import pytest

import cocoa_widget as cw


def test_an_argument_that_is_not_a_function_is_refused():
    with pytest.raises(TypeError, match=r"arrays \(B, 3, H, W\)"):
        cw.Encoder.from_function("model.onnx")
