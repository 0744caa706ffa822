"""Prompts as members of a corpus or foil, together with images."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

import cocoa_widget as cw
from cocoa_widget.contrast.modality import Reference, centred
from cocoa_widget.live.question import Question
from cocoa_widget.live.references import references
from cocoa_widget.texts.texts import is_text, prompt_of, text_id

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


class TestCentring:
    @pytest.mark.parametrize("count", [3, 64, 65, 127, 200])
    def test_the_gallerys_mean_is_of_images_spread_over_it(self, count):
        ids = [f"p{i}" for i in range(count)]
        images = cw.ImageSet({i: Image.new("RGB", (8, 8)) for i in ids})
        question = Question((), (), (), cw.CAM(), "corpus", "cosine", cw.Blur(), centred=True)
        found = [i for i in references(question, images.ids) if not is_text(i)]
        at = [ids.index(i) for i in found]
        assert len(at) == min(count, 64)
        assert max(np.diff([*at, count])) - min(np.diff([*at, count])) <= 1

    def test_the_gap_is_gone(self):
        names = [f"name{i}" for i in range(200)]
        prompts = [f"word{i}" for i in range(20)]
        without, with_gap = joint(0.0).encode_text(prompts), joint(3.0).encode_text(prompts)
        found = cw.centre(with_gap, joint(3.0).encode_text(names))
        assert float(F.cosine_similarity(with_gap, without).mean()) < 0.5
        assert float(F.cosine_similarity(found, without).mean()) > 0.9
        torch.testing.assert_close(found.norm(dim=1), torch.ones(20))

    @pytest.mark.parametrize("similarity", ["dot", "gaussian"])
    def test_each_modality_loses_its_own_mean(self, similarity):
        generator = torch.Generator().manual_seed(0)
        images, texts, members = (torch.randn(n, 4, generator=generator) for n in (50, 40, 2))
        found = centred(members, torch.tensor([True, False]), Reference(images, texts), similarity)
        if similarity == "dot":
            torch.testing.assert_close(found, members - torch.stack([texts.mean(0), images.mean(0)]))
        else:
            torch.testing.assert_close(found[0], members[0] - texts.mean(0) + images.mean(0))
            torch.testing.assert_close(found[1], members[1])


def test_ids_keep_the_prompt():
    assert text_id("  a \n dog ") == "text:a dog"
    assert prompt_of("text:a: dog") == "a: dog"
