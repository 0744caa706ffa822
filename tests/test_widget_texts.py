"""Prompts in the bins of a widget: from code and from its page."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import traitlets

import cocoa_widget as cw
from cocoa_widget.contrast.modality import Reference, centred
from cocoa_widget.texts.texts import named, prompt_of, text_id

from .conftest import Convolutional, encoder_of
from .joint import Words, joint
from .wire import Wire

LONG = " ".join(["very"] * 20) + " long"


def test_a_prompt_is_a_member(make_widget, pictures):
    encoder = joint()
    widget = make_widget(encoder=encoder, method="cam", explicands=["p0"])
    assert widget.add_text("a dog") == ["text:a dog"]
    widget.add_text("a cat", to="foil")
    assert widget.corpus == ["text:a dog"]
    assert widget.foil == ["text:a cat"]
    prepared = cw.Explainer(encoder, "cam").prepare({"p0": pictures["p0"]})
    expected = prepared.explain(corpus=cw.Texts("a dog"), foil=cw.Texts("a cat"))
    np.testing.assert_allclose(widget.heatmap("p0", 120), expected.heatmaps[0], atol=1e-6)


def test_images_and_texts_in_one_bin(make_widget, pictures):
    encoder = joint()
    widget = make_widget(encoder=encoder, method="cam", corpus=["p1", "text:a dog"], foil=["p2"], explicands=["p0"])
    prepared = cw.Explainer(encoder, "cam").prepare({"p0": pictures["p0"]})
    expected = prepared.explain(corpus=[pictures["p1"], cw.Texts("a dog")], foil={"p2": pictures["p2"]})
    np.testing.assert_allclose(widget.heatmap("p0", 120), expected.heatmaps[0], atol=1e-6)


def test_it_moves_and_undoes_like_an_image(make_widget):
    widget = make_widget(encoder=joint(), corpus=["text:a dog"])
    widget.move("text:a dog", "foil")
    assert (widget.corpus, widget.foil) == ([], ["text:a dog"])
    assert widget._history.undo_label == "Add “a dog” to foil"
    widget.undo()
    assert (widget.corpus, widget.foil) == (["text:a dog"], [])


def test_the_template_counts(make_widget):
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
def test_centring_takes_the_modalities_means(make_widget, pictures, similarity):
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


def test_several_do_not_leave_the_other_bin(make_widget):
    widget = make_widget(encoder=joint(), corpus=["text:tiger"])
    found = widget.add_text(cw.class_names("cifar100"), to="foil")
    assert len(found) == len(widget.foil) == 99
    assert widget.corpus == ["text:tiger"]


def test_one_spelling_of_a_prompt(make_widget):
    widget = make_widget(encoder=joint(), corpus=["text:a dog", "text: a  dog"])
    assert widget.corpus == ["text:a dog"]
    with pytest.raises(traitlets.TraitError, match="empty"):
        widget.corpus = ["text: "]
    assert widget.corpus == ["text:a dog"]


def test_texts_cannot_be_explained(make_widget):
    widget = make_widget(encoder=joint())
    with pytest.raises(traitlets.TraitError, match="heatmaps are of images"):
        widget.explicands = ["text:a dog"]
    with pytest.raises(ValueError, match="cannot be explained"):
        widget.move("text:a dog", "explicands")


def test_an_encoder_without_texts_says_why(make_widget):
    widget = make_widget()
    with pytest.raises(cw.EncoderError, match="no text tower"):
        widget.add_text("a dog")
    with pytest.raises(traitlets.TraitError, match="no text tower"):
        widget.corpus = ["text:a dog"]
    wire = Wire(widget)
    info = wire.reply(wire.ask("hello"))[0]["text"]
    assert not info["available"]
    assert "no text tower" in info["reason"]


def test_an_image_cannot_look_like_a_text(make_widget, pictures):
    with pytest.raises(ValueError, match="'text:p0' has the id of a text"):
        make_widget(images={"text:p0": pictures["p0"]}, encoder=joint())
    with pytest.raises(ValueError, match="'cell:p0' has the id of a cell"):
        make_widget(images={"cell:p0": pictures["p0"]})


@pytest.mark.parametrize(
    "prompt", ["🐶", "כלב בגן", "<img src=x onerror=alert(1)>", "naïve café", "a\tdog\n in  a park", "x" * 10_000]
)
def test_any_words(make_widget, prompt):
    widget = make_widget(encoder=joint(), method="cam", explicands=["p0"])
    (member,) = widget.add_text(prompt)
    assert prompt_of(member) == " ".join(prompt.split())
    assert widget.heatmap("p0", 120).shape == (32, 32)
    assert len(named([member])) < 60


def test_a_prompt_longer_than_the_context_is_reported(make_widget):
    widget = make_widget(encoder=joint())
    with pytest.warns(UserWarning, match="reads 12 tokens"):
        widget.add_text(LONG)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        widget.add_text("short")
        widget.undo()
        widget.redo()


def test_a_long_prompt_is_reported_however_it_comes_into_a_bin(make_widget):
    with pytest.warns(UserWarning, match="reads 12 tokens"):
        widget = make_widget(encoder=joint(), foil=[text_id(LONG)])
    with pytest.warns(UserWarning, match="“very very"):
        widget.corpus = [text_id(f"{LONG} indeed")]
    widget.corpus = [text_id("of twelve words seven are in this prompt")]
    widget.foil = []
    with pytest.warns(UserWarning, match="“of twelve words"):
        widget.template = "this here is a photo of a {}"


def test_a_template_of_the_page_that_cuts_prompts_is_reported_there(make_widget):
    widget = make_widget(encoder=joint(), corpus=[text_id("of twelve words seven are in this prompt")])
    wire = Wire(widget)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        widget.set_state({"template": "this here is a photo of a {}"})
    wire.wait(lambda message: message["kind"] == "error" and "of twelve words" in message["message"])


def test_half_of_a_surrogate_pair_is_replaced(make_widget):
    widget = make_widget(encoder=joint())
    assert widget.add_text("half \ud83d") == ["text:half \ufffd"]
    assert widget.add_text("whole \ud83d\udc31") == ["text:whole 🐱"]


def test_five_thousand_at_once(make_widget):
    widget = make_widget(encoder=joint(), method="cam", corpus=["p1"], explicands=["p0"])
    widget.add_text([f"thing {i}" for i in range(5_000)], to="foil")
    assert len(widget.foil) == 5_000
    assert widget.heatmap("p0", 60).shape == (32, 32)


def test_errors_of_the_tower_are_reported(make_widget):
    class Broken(Words):
        def encode(self, prompts):
            raise RuntimeError("no such word")

    widget = make_widget(encoder=encoder_of(Convolutional(), text=Broken()), method="cam", explicands=["p0"])
    widget.add_text("a dog")
    with pytest.raises(RuntimeError, match="no such word"):
        widget.heatmap("p0", 120)


def test_search_in_code_encodes_the_gallery(make_widget, pictures):
    encoder = joint()
    found = make_widget(encoder=encoder).search("a dog", count=3)
    cosines = F.cosine_similarity(encoder.encode(pictures), encoder.encode_text("a dog"))
    best = cosines.topk(3)
    assert [image for image, _ in found] == [list(pictures)[i] for i in best.indices.tolist()]
    np.testing.assert_allclose([score for _, score in found], best.values, atol=1e-6)
    with pytest.raises(cw.EncoderError, match="no text tower"):
        make_widget().search("a dog")
