"""Prompts encoded by a text tower."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

import cocoa_widget as cw
from cocoa_widget.texts.templates import fill

from ..conftest import Convolutional, encoder_of
from ..joint import Words, joint


class TestEncodeText:
    def test_returns_what_the_tower_returns(self):
        encoder = joint()
        found = encoder.encode_text(["a dog", "a cat"])
        torch.testing.assert_close(found, Words().encode(["a dog", "a cat"]))
        assert found.dtype == torch.float32

    def test_each_prompt_is_encoded_once(self):
        encoder = joint()
        encoder.encode_text(["a dog", "a cat", "a dog"])
        encoder.encode_text(["a cat", "a fox"])
        assert encoder.text.calls == [["a dog", "a cat"], ["a fox"]]

    def test_batches_do_not_change_representations(self):
        prompts = [f"word{i}" for i in range(100)]
        encoder = joint()
        found = encoder.encode_text(prompts)
        assert max(map(len, encoder.text.calls)) < 100
        torch.testing.assert_close(found, Words().encode(prompts))

    def test_a_template_is_put_around(self):
        encoder = joint()
        found = encoder.encode_text("dog", template="photo")
        torch.testing.assert_close(found, Words().encode(["This is a photo of a dog"]))
        own = encoder.encode_text("dog", template="a drawing of a {}")
        torch.testing.assert_close(own, Words().encode(["a drawing of a dog"]))

    def test_an_ensemble_is_the_mean_of_unit_vectors(self):
        found = joint().encode_text(["dog", "cat"], template="ensemble")
        for vector, name in zip(found, ("dog", "cat"), strict=True):
            each = F.normalize(Words().encode(fill("ensemble", name)), dim=1)
            torch.testing.assert_close(vector, F.normalize(each.mean(0), dim=0))

    @pytest.mark.parametrize("prompt", ["", "  \n"])
    def test_an_empty_prompt_is_refused(self, prompt):
        with pytest.raises(ValueError, match="empty"):
            joint().encode_text([prompt])

    def test_no_tower_says_which_models_have_one(self):
        with pytest.raises(cw.EncoderError, match=r"no text tower.*open_clip"):
            encoder_of(Convolutional()).encode_text("a dog")

    def test_wrong_output_of_a_tower_is_reported(self):
        class Wrong(Words):
            def encode(self, prompts):
                return torch.full((len(prompts), 16), float("nan"))

        with pytest.raises(cw.EncoderError, match="not finite"):
            encoder_of(Convolutional(), text=Wrong()).encode_text("a dog")
