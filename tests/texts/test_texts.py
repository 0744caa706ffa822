"""Prompts as members of a corpus or foil, together with images."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

import cocoa_widget as cw
from cocoa_widget.texts.texts import prompt_of, text_id

from ..joint import joint

LONG = " ".join(["very"] * 20) + " long"


class TestExplainer:
    def test_texts_are_their_representations(self, pictures):
        encoder = joint()
        prepared = cw.Explainer(encoder, "cam").prepare({"p0": pictures["p0"]})
        by_text = prepared.explain(corpus=cw.Texts(["a dog", "a cat"]), foil=cw.Texts("a fox"))
        by_vector = prepared.explain(corpus=encoder.encode_text(["a dog", "a cat"]), foil=encoder.encode_text("a fox"))
        np.testing.assert_array_equal(by_text.heatmaps, by_vector.heatmaps)

    def test_images_and_texts_mix(self, pictures):
        encoder = joint()
        prepared = cw.Explainer(encoder, "cam").prepare({"p0": pictures["p0"]})
        mixed = prepared.members([pictures["p1"], cw.Texts("a dog", "photo"), pictures["p2"]])
        expected = [
            encoder.encode({"p1": pictures["p1"]}),
            encoder.encode_text("a dog", template="photo"),
            encoder.encode({"p2": pictures["p2"]}),
        ]
        torch.testing.assert_close(mixed, torch.cat(expected))

    def test_a_corpus_of_texts_alone_is_warned_about(self, pictures):
        prepared = cw.Explainer(joint(), "cam").prepare({"p0": pictures["p0"]})
        with pytest.warns(UserWarning, match="gap between texts and images"):
            prepared.explain(corpus=cw.Texts("a dog"))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            prepared.explain(corpus=cw.Texts("a dog"), foil=cw.Texts("a cat"))
            prepared.explain(corpus=cw.Texts("a dog"), target="label_free")

    @pytest.mark.parametrize(
        ("corpus", "question", "warned"),
        [
            ([cw.Texts("a dog"), cw.Texts("a fox")], {}, True),
            (cw.Texts("a dog"), {"target": "corpus", "foil": cw.Texts("a cat")}, True),  # which has no foil
            (cw.Texts("a dog"), {"foil": [cw.Texts([]), cw.Texts([])]}, True),
            (cw.Texts("a dog"), {"foil": [cw.Texts([]), cw.Texts("a cat")]}, False),
            (cw.Texts("a dog"), {"target": "label_free"}, False),
        ],
    )
    def test_a_missing_foil_is_warned_about_only_with_texts_alone(self, pictures, corpus, question, warned):
        prepared = cw.Explainer(joint(), "cam").prepare({"p0": pictures["p0"]})
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            prepared.explain(corpus=corpus, **question)
        assert bool(said) == warned

    def test_no_texts_are_an_empty_bin(self, pictures):
        prepared = cw.Explainer(joint(), "cam").prepare({"p0": pictures["p0"]})
        with pytest.raises(cw.NothingToExplain):
            prepared.explain(corpus=[cw.Texts([])])
        with pytest.raises(ValueError, match="corpus"):
            prepared.explain(corpus=cw.Texts("a dog"), target="corpse")

    def test_a_prompt_that_is_cut_is_reported(self, pictures):
        prepared = cw.Explainer(joint(), "cam").prepare({"p0": pictures["p0"]})
        with pytest.warns(UserWarning, match="reads 12 tokens of a prompt; the end of “very very"):
            prepared.explain(corpus=cw.Texts(LONG), foil=cw.Texts("a cat"))


def test_ids_keep_the_prompt():
    assert text_id("  a \n dog ") == "text:a dog"
    assert prompt_of("text:a: dog") == "a: dog"
