"""From ids to representations and scores: what is known, from one table, and without a pass."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

import cocoa_widget as cw
from cocoa_widget.contrast import centre
from cocoa_widget.live.members import MemberIndex
from cocoa_widget.texts import prompt_of
from tests.conftest import Convolutional, encoder_of
from tests.joint import joint

from .helpers import direct, question


@pytest.fixture
def images(pictures):
    return cw.ImageSet(pictures)


@pytest.fixture
def encoder(images):
    encoder = encoder_of(Convolutional())
    encoder.represent(images, [f"p{i}" for i in range(6)])
    return encoder


@pytest.fixture
def known(images, encoder):
    def find(ids=("p0",), failed=(), **changes):
        index = MemberIndex(images, encoder)
        return index.known(question(**changes), list(ids), failed, encoder.representations)

    return find


def test_keys_are_those_of_members_in_the_table(images, encoder):
    index, table = MemberIndex(images, encoder), encoder.representations
    assert index.missing(["p1", "p9", "p0"], "none", table) == ["p9"]
    assert index.found(["p1", "p9"], "none", table) == {"p1": images.key("p1")}
    assert index.keys(["p1", "p0"], "none", table) == [images.key("p1"), images.key("p0")]
    assert index.keys(["p1", "p9"], "none", table) is None
    assert index.keys([], "none", table) == []


@pytest.mark.parametrize("similarity", ["cosine", "dot", "gaussian"])
@pytest.mark.parametrize("target", list(cw.TARGETS))
def test_scores_are_those_of_the_explainer(known, encoder, pictures, target, similarity):
    found = known(target=target, similarity=similarity, corpus=("p1", "p2"), foil=("p3", "p4"))
    expected = direct(
        encoder, pictures, question(target=target, similarity=similarity, foil=("p3", "p4"), method=cw.CAM()), "p0"
    )
    assert float(found.scores[0](found.vectors)[0, 0]) == pytest.approx(float(expected.scores[0]), abs=1e-5)


def test_images_that_are_not_encoded_yet_are_left_out(known):
    assert known(["p8", "p0", "p9"]).images == ["p0"]
    assert known(["p8"]) is None


def test_an_unknown_member_makes_the_answer_unknown_unless_its_bin_is_not_used(known):
    assert known(corpus=("p1", "p9")) is None
    assert known(foil=("p9",)) is None
    found = known(foil=("p9",), target="corpus")
    assert (found.corpus, found.foil) == (["p1", "p2"], [])
    assert found.members.foil is None


def test_bins_do_without_what_has_failed(known, images, encoder):
    found = known(corpus=("p1", "p9", "p4"), failed={"p9"})
    assert found.corpus == ["p1", "p4"]
    torch.testing.assert_close(found.members.corpus, encoder.represent(images, ["p1", "p4"]))
    assert found.smallest == 1
    assert known(corpus=("p9",), foil=("p8",), failed={"p8", "p9"}) is None, "nothing is left to explain by"
    assert known(corpus=("p9",), failed={"p9"}).corpus == []


def test_members_are_gathered_when_they_are_asked_for(known, encoder, monkeypatch):
    gathered = []
    get = type(encoder.representations).get
    monkeypatch.setattr(
        type(encoder.representations), "get", lambda self, keys: gathered.append(len(keys)) or get(self, keys)
    )
    found = known(corpus=("p1", "p2", "p4", "p5"))
    assert gathered == [1], "a direction needs the bins' means alone"
    assert len(found.members.corpus) == 4
    assert found.members is found.members
    assert gathered == [1, 4, 1]


def test_centred_members_wait_for_what_centres_them(images):
    encoder = joint()
    encoder.represent(images, ["p0", "p1", "p3"])
    index, centred = MemberIndex(images, encoder), question(corpus=("p1",), centred=True)
    needed = index.references(centred)
    assert [each for each in needed if each in images] == images.ids
    assert index.references(question()) == []
    table = encoder.representations
    assert index.known(question(corpus=("p1",)), ["p0"], (), table) is not None
    assert index.known(centred, ["p0"], (), table) is None
    encoder.encode_text([prompt_of(each) for each in needed if each not in images])
    encoder.represent(images)
    found = index.known(centred, ["p0"], (), table)
    expected = centre(encoder.represent(images, ["p1"]), encoder.represent(images))
    np.testing.assert_allclose(found.members.corpus, expected, atol=1e-6)


@pytest.mark.parametrize("similarity", ["cosine", "dot", "gaussian"])
def test_images_are_centred_without_a_text_tower(images, encoder, similarity):
    encoder.represent(images)
    index, table = MemberIndex(images, encoder), encoder.representations
    q = question(corpus=("p1", "p2"), foil=(), centred=True, similarity=similarity)
    assert index.references(q) == images.ids
    found = index.known(q, ["p0"], (), table)
    members, gallery = encoder.represent(images, ["p1", "p2"]), encoder.represent(images)
    expected = {"cosine": centre(members, gallery), "dot": members - gallery.mean(0), "gaussian": members}
    torch.testing.assert_close(found.members.corpus, expected[similarity], rtol=1e-5, atol=1e-6)


def test_likeness_is_the_mean_cosine_of_all_pairs_of_different_pictures(pictures):
    noise = np.random.default_rng(0).integers(0, 255, (24, 40, 48, 3), dtype=np.uint8)
    images = cw.ImageSet({f"n{i}": Image.fromarray(each) for i, each in enumerate(noise)} | {"again": pictures["p0"]})
    encoder = encoder_of(Convolutional())
    index = MemberIndex(images, encoder)
    encoder.represent(images, images.ids[:19])
    assert index.likeness(encoder.representations) is None
    encoder.represent(images)
    unit = F.normalize(encoder.represent(images), dim=1)
    cosines = unit @ unit.T
    expected = float(cosines[~torch.eye(25, dtype=torch.bool)].mean())
    assert index.likeness(encoder.representations) == pytest.approx(expected, abs=1e-5)
    twice = cw.ImageSet({**{i: images.load(i) for i in images.ids[:19]}, "twin": images.load(images.ids[0])})
    index = MemberIndex(twice, encoder)
    encoder.represent(twice)
    assert index.likeness(encoder.representations) is None, "a copy tells nothing"
