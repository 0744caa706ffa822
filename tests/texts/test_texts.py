"""Prompts beside images: in code, in the bins, over the wire."""

from __future__ import annotations

import threading
import warnings
from typing import ClassVar

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import traitlets
from PIL import Image

import cocoa_widget as cw
from cocoa_widget.contrast.modality import Reference, centred
from cocoa_widget.live.question import Question
from cocoa_widget.live.references import references
from cocoa_widget.texts.templates import fill, sentences
from cocoa_widget.texts.texts import is_text, named, prompt_of, text_id

from ..conftest import Convolutional, encoder_of
from ..joint import Words, joint
from ..wire import Wire

LONG = " ".join(["very"] * 20) + " long"


class TestEncodeText:
    def test_gives_what_the_tower_gives(self):
        encoder = joint()
        found = encoder.encode_text(["a dog", "a cat"])
        torch.testing.assert_close(found, Words().encode(["a dog", "a cat"]))
        assert found.dtype == torch.float32

    def test_each_prompt_once(self):
        encoder = joint()
        encoder.encode_text(["a dog", "a cat", "a dog"])
        encoder.encode_text(["a cat", "a fox"])
        assert encoder.text.calls == [["a dog", "a cat"], ["a fox"]]

    def test_in_batches_that_change_nothing(self):
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

    def test_braces_in_a_prompt_stay(self):
        assert fill("photo", "a {} in {braces}") == ["This is a photo of a a {} in {braces}"]

    @pytest.mark.parametrize("template", ["a photo", "{} and {}", ""])
    def test_a_template_without_one_place_is_refused(self, template):
        with pytest.raises(ValueError, match="must have one {}"):
            sentences(template)

    @pytest.mark.parametrize("prompt", ["", "  \n"])
    def test_an_empty_prompt_is_refused(self, prompt):
        with pytest.raises(ValueError, match="empty"):
            joint().encode_text([prompt])

    def test_no_tower_says_which_models_have_one(self):
        with pytest.raises(cw.EncoderError, match=r"no text tower.*open_clip"):
            encoder_of(Convolutional()).encode_text("a dog")

    def test_a_wrong_tower_is_said(self):
        class Wrong(Words):
            def encode(self, prompts):
                return torch.full((len(prompts), 16), float("nan"))

        with pytest.raises(cw.EncoderError, match="not finite"):
            encoder_of(Convolutional(), text=Wrong()).encode_text("a dog")


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
    def test_when_a_foil_is_missed(self, pictures, corpus, question, warned):
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

    def test_a_prompt_that_is_cut_is_said(self, pictures):
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


class TestClassNames:
    @pytest.mark.parametrize(("name", "count"), [("imagenet", 1000), ("cifar100", 100), ("coco", 80), ("cifar10", 10)])
    def test_lists(self, name, count):
        names = cw.class_names(name)
        assert len(names) == len(set(names)) == count
        assert all(each == each.strip() and each for each in names)

    def test_a_near_miss(self):
        with pytest.raises(ValueError, match="did you mean 'cifar100'"):
            cw.class_names("CIFAR-100")


class TestWidget:
    def test_a_prompt_is_a_member(self, make_widget, pictures):
        encoder = joint()
        widget = make_widget(encoder=encoder, method="cam", explicands=["p0"])
        assert widget.add_text("a dog") == ["text:a dog"]
        widget.add_text("a cat", to="foil")
        assert widget.corpus == ["text:a dog"]
        assert widget.foil == ["text:a cat"]
        prepared = cw.Explainer(encoder, "cam").prepare({"p0": pictures["p0"]})
        expected = prepared.explain(corpus=cw.Texts("a dog"), foil=cw.Texts("a cat"))
        np.testing.assert_allclose(widget.heatmap("p0", 120), expected.heatmaps[0], atol=1e-6)

    def test_images_and_texts_in_one_bin(self, make_widget, pictures):
        encoder = joint()
        widget = make_widget(encoder=encoder, method="cam", corpus=["p1", "text:a dog"], foil=["p2"], explicands=["p0"])
        prepared = cw.Explainer(encoder, "cam").prepare({"p0": pictures["p0"]})
        expected = prepared.explain(corpus=[pictures["p1"], cw.Texts("a dog")], foil={"p2": pictures["p2"]})
        np.testing.assert_allclose(widget.heatmap("p0", 120), expected.heatmaps[0], atol=1e-6)

    def test_it_moves_and_undoes_like_an_image(self, make_widget):
        widget = make_widget(encoder=joint(), corpus=["text:a dog"])
        widget.move("text:a dog", "foil")
        assert (widget.corpus, widget.foil) == ([], ["text:a dog"])
        assert widget._history.undo_label == "Add “a dog” to foil"
        widget.undo()
        assert (widget.corpus, widget.foil) == (["text:a dog"], [])

    def test_the_template_counts(self, make_widget):
        widget = make_widget(encoder=joint(), method="cam", corpus=["text:dog"], foil=["text:cat"], explicands=["p0"])
        typed = widget.heatmap("p0", 120)
        widget.template = "photo"
        put = widget.heatmap("p0", 120)
        assert not np.allclose(typed, put)
        widget.move("text:dog", "gallery")
        widget.move("text:cat", "gallery")
        widget.template = "none"
        widget.add_text("This is a photo of a dog")
        widget.add_text("This is a photo of a cat", to="foil")
        np.testing.assert_allclose(widget.heatmap("p0", 120), put, atol=1e-6)
        with pytest.raises(traitlets.TraitError, match="must have one {}"):
            widget.template = "nothing here"

    @pytest.mark.parametrize("similarity", ["cosine", "dot", "gaussian"])
    def test_centring_takes_the_modalities_means(self, make_widget, pictures, similarity):
        encoder = joint(0.5)
        widget = make_widget(
            encoder=encoder, method="cam", corpus=["text:a dog", "p1"], explicands=["p0"], similarity=similarity
        )
        plain = widget.heatmap("p0", 120)
        widget.centred = True
        found = widget.heatmap("p0", 120)
        assert not np.allclose(plain, found)
        reference = Reference(encoder.encode(pictures), encoder.encode_text(cw.class_names("cifar100")))
        members = torch.cat([encoder.encode_text("a dog"), encoder.encode({"p1": pictures["p1"]})])
        corpus = centred(members, torch.tensor([True, False]), reference, similarity)
        expected = cw.Explainer(encoder, "cam").explain({"p0": pictures["p0"]}, corpus=corpus, similarity=similarity)
        np.testing.assert_allclose(found, expected.heatmaps[0], atol=1e-5 * np.abs(found).max())

    def test_several_do_not_leave_the_other_bin(self, make_widget):
        widget = make_widget(encoder=joint(), corpus=["text:tiger"])
        found = widget.add_text(cw.class_names("cifar100"), to="foil")
        assert len(found) == len(widget.foil) == 99
        assert widget.corpus == ["text:tiger"]

    def test_one_spelling_of_a_prompt(self, make_widget):
        widget = make_widget(encoder=joint(), corpus=["text:a dog", "text: a  dog"])
        assert widget.corpus == ["text:a dog"]
        with pytest.raises(traitlets.TraitError, match="empty"):
            widget.corpus = ["text: "]
        assert widget.corpus == ["text:a dog"]

    def test_texts_cannot_be_explained(self, make_widget):
        widget = make_widget(encoder=joint())
        with pytest.raises(traitlets.TraitError, match="heatmaps are of images"):
            widget.explicands = ["text:a dog"]
        with pytest.raises(ValueError, match="cannot be explained"):
            widget.move("text:a dog", "explicands")

    def test_an_encoder_without_texts_says_why(self, make_widget):
        widget = make_widget()
        with pytest.raises(cw.EncoderError, match="no text tower"):
            widget.add_text("a dog")
        with pytest.raises(traitlets.TraitError, match="no text tower"):
            widget.corpus = ["text:a dog"]
        with pytest.raises(traitlets.TraitError, match="no text tower"):
            widget.centred = True
        wire = Wire(widget)
        info = wire.reply(wire.ask("hello"))[0]["text"]
        assert not info["available"]
        assert "no text tower" in info["reason"]

    def test_an_image_cannot_look_like_a_text(self, make_widget, pictures):
        with pytest.raises(ValueError, match="'text:p0' has the id of a text"):
            make_widget(images={"text:p0": pictures["p0"]}, encoder=joint())

    @pytest.mark.parametrize(
        "prompt", ["🐶", "כלב בגן", "<img src=x onerror=alert(1)>", "naïve café", "a\tdog\n in  a park", "x" * 10_000]
    )
    def test_any_words(self, make_widget, prompt):
        widget = make_widget(encoder=joint(), method="cam", explicands=["p0"])
        (member,) = widget.add_text(prompt)
        assert prompt_of(member) == " ".join(prompt.split())
        assert widget.heatmap("p0", 120).shape == (32, 32)
        assert len(named([member])) < 60

    def test_a_prompt_longer_than_the_context_is_said(self, make_widget):
        widget = make_widget(encoder=joint())
        with pytest.warns(UserWarning, match="reads 12 tokens"):
            widget.add_text(LONG)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            widget.add_text("short")
            widget.undo()
            widget.redo()

    def test_however_it_comes_into_a_bin(self, make_widget):
        with pytest.warns(UserWarning, match="reads 12 tokens"):
            widget = make_widget(encoder=joint(), foil=[text_id(LONG)])
        with pytest.warns(UserWarning, match="“very very"):
            widget.corpus = [text_id(f"{LONG} indeed")]
        widget.corpus = [text_id("of twelve words seven are in this prompt")]
        widget.foil = []
        with pytest.warns(UserWarning, match="“of twelve words"):
            widget.template = "this here is a photo of a {}"

    def test_a_template_of_the_pages_that_cuts_is_said_there(self, make_widget):
        widget = make_widget(encoder=joint(), corpus=[text_id("of twelve words seven are in this prompt")])
        wire = Wire(widget)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            widget.set_state({"template": "this here is a photo of a {}"})
        wire.wait(lambda message: message["kind"] == "error" and "of twelve words" in message["message"])

    def test_half_a_character(self, make_widget):
        widget = make_widget(encoder=joint())
        assert widget.add_text("half \ud83d") == ["text:half \ufffd"]
        assert widget.add_text("whole \ud83d\udc31") == ["text:whole 🐱"]

    def test_a_cell_and_the_page_at_once(self, make_widget):
        """Neither takes back what the other has put into a bin meanwhile."""
        widget = make_widget(encoder=joint())

        def page():
            for i in range(100):
                widget._prompts.take([f"page {i}"], "corpus")

        thread = threading.Thread(target=page)
        thread.start()
        for i in range(100):
            widget.add_text(f"cell {i}")
        thread.join()
        assert len(widget.corpus) == 200

    def test_five_thousand_at_once(self, make_widget):
        widget = make_widget(encoder=joint(), method="cam", corpus=["p1"], explicands=["p0"])
        widget.add_text([f"thing {i}" for i in range(5_000)], to="foil")
        assert len(widget.foil) == 5_000
        assert widget.heatmap("p0", 60).shape == (32, 32)

    def test_a_tower_that_fails_is_said(self, make_widget):
        class Broken(Words):
            def encode(self, prompts):
                raise RuntimeError("no such word")

        widget = make_widget(encoder=encoder_of(Convolutional(), text=Broken()), method="cam", explicands=["p0"])
        widget.add_text("a dog")
        with pytest.raises(RuntimeError, match="no such word"):
            widget.heatmap("p0", 120)

    def test_search_in_code_encodes_the_gallery(self, make_widget, pictures):
        encoder = joint()
        found = make_widget(encoder=encoder).search("a dog", count=3)
        cosines = F.cosine_similarity(encoder.encode(pictures), encoder.encode_text("a dog"))
        best = cosines.topk(3)
        assert [image for image, _ in found] == [list(pictures)[i] for i in best.indices.tolist()]
        np.testing.assert_allclose([score for _, score in found], best.values, atol=1e-6)
        with pytest.raises(cw.EncoderError, match="no text tower"):
            make_widget().search("a dog")


class TestWire:
    def test_prompts_of_the_page(self, make_widget):
        widget = make_widget(encoder=joint(), corpus=["text:tiger"])
        wire = Wire(widget)
        long = " ".join(["long"] * 20)
        reply, _ = wire.reply(wire.ask("add_texts", bin="foil", texts=["a dog", " ", "tiger", long], list=None))
        assert reply["added"] == 2
        assert [each["text"] for each in reply["skipped"]] == [" ", "tiger"]
        assert reply["cut"] == [long]
        assert widget.foil == ["text:a dog", f"text:{long}"]
        widget.undo()
        assert widget.foil == []

    def test_a_list_of_names(self, make_widget):
        widget = make_widget(encoder=joint())
        wire = Wire(widget)
        reply, _ = wire.reply(wire.ask("add_texts", bin="foil", texts=[], list="cifar10"))
        assert reply["added"] == 10
        assert "text:airplane" in widget.foil
        reply, _ = wire.reply(wire.ask("add_texts", bin="foil", texts=[], list="cifar11"))
        assert reply["kind"] == "error"

    def test_search_ranks_by_similarity(self, make_widget, pictures):
        encoder = joint()
        widget = make_widget(encoder=encoder, explicands=list(pictures))
        wire = Wire(widget)
        vectors = encoder.encode(pictures)
        reply, _ = wire.reply(wire.ask("search", text="a dog"))
        cosines = F.cosine_similarity(vectors, encoder.encode_text("a dog"))
        order = cosines.argsort(descending=True).tolist()
        assert reply["images"] == [list(pictures)[i] for i in order]
        np.testing.assert_allclose(reply["scores"], cosines[order], atol=1e-6)
        assert reply["compared"] == reply["total"] == len(pictures)
        reply, _ = wire.reply(wire.ask("search", text=" "))
        assert "empty" in reply["message"]


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

    def test_it_says_what_it_is(self, demo_encoder):
        assert "stand-in" in demo_encoder.text.note
        assert demo_encoder.text.cuts(["a dog", "dog " * 400]) == [False, True]

    def test_the_order_of_prompts_changes_nothing(self, demo_encoder):
        together = demo_encoder.text.encode(["a red fox in the snow", "a fox"])
        torch.testing.assert_close(demo_encoder.text.encode(["a fox"])[0], together[1], atol=1e-5, rtol=1e-4)


def test_ids_keep_the_prompt():
    assert text_id("  a \n dog ") == "text:a dog"
    assert prompt_of("text:a: dog") == "a: dog"
