"""The text tower of the demo encoder."""

from __future__ import annotations

from typing import ClassVar

import pytest
import torch
import torch.nn.functional as F

import cocoa_widget as cw


class TestDemoTower:
    NINE: ClassVar = {
        "cat/1": "a cat",
        "motorcycle/left": "a motorcycle",
        "coffee/1": "a cup of coffee",
        "rocket/1": "a rocket",
        "astronaut/1": "an astronaut",
        "photographer/1": "a photographer",
        "temple/1": "a temple",
        "flower/1": "a flower",
        "coins/1": "coins",
    }

    @pytest.mark.parametrize("around", ["{}", "a photo of {}", "this is {}"])
    def test_the_right_prompt_wins_for_eight_of_nine_photographs(self, demo_encoder, photographs, around):
        images = F.normalize(demo_encoder.represent(photographs, list(self.NINE)), dim=1)
        texts = F.normalize(demo_encoder.encode_text(list(self.NINE.values()), template=around), dim=1)
        right = (images @ texts.T).argmax(1) == torch.arange(9)
        assert int(right.sum()) >= 8

    def test_a_class_by_its_name_is_that_class(self, demo_encoder):
        names = cw.class_names("imagenet")
        logits = demo_encoder.classifier(demo_encoder.encode_text(names[::50]))
        right = logits.argmax(1) == torch.arange(0, 1000, 50)
        assert float(right.float().mean()) > 0.8

    def test_its_note_says_that_it_is_a_stand_in(self, demo_encoder):
        assert "stand-in" in demo_encoder.text.note
        assert demo_encoder.text.cuts(["a dog", "dog " * 400]) == [False, True]

    def test_the_order_of_prompts_changes_nothing(self, demo_encoder):
        together = demo_encoder.text.encode(["a red fox in the snow", "a fox"])
        torch.testing.assert_close(demo_encoder.text.encode(["a fox"])[0], together[1], atol=1e-5, rtol=1e-4)
