"""How sure, which images, how faithful, and other layers: what the page asks of a widget, and what code may."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import traitlets

import cocoa_widget as cw
from tests.conftest import Convolutional, Linear, encoder_of
from tests.wire import BINS, Wire


@pytest.fixture
def shown(make_widget):
    """A widget whose explicand is on screen and complete, and the wire to it."""

    def start(**options):
        widget = make_widget(**{**BINS, "foil": ["p3", "p4"], **options})
        wire = Wire(widget)
        wire.ask("watch", explicands=32, gallery=0, visible=[])
        widget.wait(120)
        return widget, wire

    return start


def headless(widget):
    explainer = cw.Explainer(widget.encoder, widget.method, widget.baseline)
    load = widget.images.load
    prepared = explainer.prepare([load(i) for i in widget.explicands])
    return prepared, {"corpus": [load(i) for i in widget.corpus], "foil": [load(i) for i in widget.foil]}


# ---- how sure --------------------------------------------------------------------------------------------------------


def test_sureness_follows_the_heatmaps(shown):
    widget, wire = shown()
    message, _ = wire.wait(
        lambda m: m["kind"] == "reliability" and m["items"] and m["items"][0]["agreement"] is not None
    )
    (item,) = message["items"]
    prepared, bins = headless(widget)
    expected = prepared.stability(**bins)[0]
    assert item["image"] == "p0"
    assert item["low"] == pytest.approx(expected.low, abs=1e-5)
    assert item["high"] == pytest.approx(expected.high, abs=1e-5)
    assert -1 <= item["agreement"] <= 1
    assert message["smallest"] == 2
    assert message["few"]


def test_a_bin_of_one_is_unknown(shown):
    _, wire = shown(foil=["p3"])
    message, _ = wire.wait(lambda m: m["kind"] == "reliability" and m["items"])
    assert message["items"] == [{"image": "p0", "low": None, "high": None, "agreement": None}]
    assert message["smallest"] == 1


def test_sureness_is_told_again_of_every_question(shown):
    widget, wire = shown()
    first, _ = wire.wait(lambda m: m["kind"] == "reliability")
    widget.move("p5", "corpus")
    second, _ = wire.wait(lambda m: m["kind"] == "reliability" and m["version"] > first["version"])
    assert second["items"][0]["low"] != first["items"][0]["low"]


# ---- layers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", ["error", "stability"])
def test_layers(shown, layer):
    widget, wire = shown()
    version = max(m["version"] for m, _ in wire.messages if m["kind"] == "heatmaps")
    widget.layer = layer
    message, (buffer,) = wire.wait(lambda m: m["kind"] == "heatmaps" and m["items"] and m["items"][0]["layer"] == layer)
    assert message["version"] == version, "another look is no other question"
    values = np.frombuffer(buffer, "<f2")
    assert values.min() >= 0
    assert values.max() == 1
    found = widget.heatmap("p0", layer=layer)
    assert found.shape == (32, 32)
    assert found.min() >= 0
    assert widget.heatmap("p0").min() < 0, "without a layer it is the attribution, whatever the page shows"


def test_the_spread_is_the_bootstraps(shown):
    widget, _ = shown()
    prepared, bins = headless(widget)
    expected = prepared.stability(**bins)[0].deviation
    np.testing.assert_allclose(widget.heatmap("p0", layer="stability"), expected, atol=1e-5 * expected.max())


@pytest.mark.parametrize(
    ("options", "layer", "says"),
    [
        ({"method": cw.IntegratedGradients(steps=4)}, "stability", "encoder passes for every resampled bin"),
        ({"method": "occlusion"}, "error", "nothing at random"),
        ({"foil": ["p3"]}, "stability", "single image"),
    ],
)
def test_a_layer_that_cannot_be_says_why(shown, options, layer, says):
    widget, wire = shown(**options)
    widget.layer = layer
    wire.wait(lambda m: m["kind"] == "heatmaps" and says in m.get("nothing", ""))
    with pytest.raises(ValueError, match=says):
        widget.heatmap("p0", 20, layer=layer)


def test_unknown_layers_are_refused(shown):
    widget, _ = shown()
    with pytest.raises(traitlets.TraitError):
        widget.layer = "best"
    with pytest.raises(ValueError, match="attribution, error, stability"):
        widget.heatmap("p0", layer="best")


# ---- which images ----------------------------------------------------------------------------------------------------


def test_influence(shown):
    widget, wire = shown()
    reply, _ = wire.reply(wire.ask("influence", image="p0"))
    prepared, bins = headless(widget)
    corpus, foil = prepared.influence(**bins)[0]
    shares = dict(zip([*widget.corpus, *widget.foil], [*corpus.shares, *foil.shares], strict=True))
    assert {m["image"]: m["bin"] for m in reply["members"]} == {
        "p1": "corpus",
        "p2": "corpus",
        "p3": "foil",
        "p4": "foil",
    }
    for member in reply["members"]:
        assert member["share"] == pytest.approx(shares[member["image"]], rel=1e-4, abs=1e-6)
        assert member["change"] > 0
        assert member["outlier"] is False
    assert sum(m["share"] for m in reply["members"]) == pytest.approx(reply["score"], rel=1e-4, abs=1e-6)
    sizes = [abs(m["share"]) for m in reply["members"]]
    assert sizes == sorted(sizes, reverse=True)


def test_influence_without_an_operator(shown):
    _, wire = shown(method=cw.IntegratedGradients(steps=4))
    reply, _ = wire.reply(wire.ask("influence", image="p0"))
    assert all(member["change"] is None for member in reply["members"])


@pytest.mark.parametrize(("similarity", "says"), [("gaussian", "choose the cosine")])
def test_influence_that_cannot_be_is_said(shown, similarity, says):
    _, wire = shown(similarity=similarity)
    reply, _ = wire.reply(wire.ask("influence", image="p0"))
    assert reply["kind"] == "error"
    assert says in reply["message"]


# ---- insertion and deletion ------------------------------------------------------------------------------------------


def last(wire, request):
    return wire.wait(lambda m: m.get("id") == request and (m["kind"] == "error" or m["curves"]))[0]


def test_curves(shown):
    widget, wire = shown()
    widget.encoder.classifier = torch.nn.Linear(16, 4)
    request = wire.ask("curves", image="p0")
    reply = last(wire, request)
    assert [c["measure"] for c in reply["curves"]] == [
        "contrastive_corpus_similarity",
        "corpus_similarity",
        "corpus_majority_probability",
        "explicand_similarity",
    ]
    assert len(reply["fractions"]) == 51
    for curve in reply["curves"]:
        assert len(curve["insertion"]) == len(curve["deletion"]) == 51
        assert curve["insertion"][0] == pytest.approx(curve["deletion"][-1], abs=1e-5)
        assert curve["insertion"][-1] == pytest.approx(curve["deletion"][0], abs=1e-5)
    before = [m for m, _ in wire.messages if m.get("id") == request and not m["curves"]]
    assert before
    assert {m["total"] for m in before} == {100}
    assert [m["done"] for m in before] == sorted(m["done"] for m in before)
    prepared, bins = headless(widget)
    gamma = prepared.explain(**bins).scores[0]
    assert reply["curves"][0]["insertion"][-1] == pytest.approx(gamma, abs=1e-4)


def test_curves_can_be_cancelled(shown):
    _, wire = shown()
    request = wire.ask("curves", image="p0")
    wire.ask("cancel", cancels=request)
    again = wire.ask("curves", image="p0")
    last(wire, again)
    assert not any(m.get("id") == request and m.get("curves") for m, _ in wire.messages)


def test_curves_of_nothing_are_refused(shown):
    _, wire = shown(corpus=[], foil=[], explicands=[])
    reply = last(wire, wire.ask("curves", image="p0"))
    assert reply["kind"] == "error"
    assert "p0" in reply["message"]


# ---- methods and baselines in the menus ------------------------------------------------------------------------------


def catalogue(widget):
    wire = Wire(widget)
    return wire.reply(wire.ask("hello"))[0]


def test_the_menus_say_what_the_encoder_cannot(make_widget):
    methods = {m["name"]: m for m in catalogue(make_widget(encoder=encoder_of(Linear())))["methods"]}
    assert list(methods) == list(cw.METHODS)
    assert "global average pooling" in methods["cam"]["unavailable"]
    assert "patch tokens" in methods["patch_tokens"]["unavailable"]
    assert "unavailable" not in methods["rise"]
    assert "unavailable" not in methods["saliency"]
    remote = cw.Encoder.from_function(lambda images: images.mean((2, 3)), image_size=32, name="remote")
    methods = {m["name"]: m for m in catalogue(make_widget(encoder=remote))["methods"]}
    assert [name for name, m in methods.items() if "unavailable" not in m] == [
        "rise",
        "occlusion",
        "kernel_shap",
        "random",
    ]


def test_a_method_and_a_baseline_of_ones_own_are_in_the_menus(make_widget):
    class Mine(cw.PerturbationMethod):
        name, label, hint = "mine", "Mine", "My own"

        def masks(self, height, width):
            return torch.rand(8, height, width, generator=torch.Generator().manual_seed(0))

        def combine(self, scores, masks):
            return torch.einsum("kn,nhw->khw", scores, masks)

    def sky(explicands):
        return torch.zeros_like(explicands)

    widget = make_widget(method=Mine(), baseline=sky, **BINS)
    known = catalogue(widget)
    assert {"name": "mine", "label": "Mine", "hint": "My own"} in known["methods"]
    assert [b["name"] for b in known["baselines"]] == ["blur", "mean_colour", "constant", "noise", "sky"]
    widget.method = "rise"
    widget.method = "mine"
    widget.baseline = "blur"
    widget.baseline = "sky"
    assert widget.heatmap("p0", 120).shape == (32, 32)


@pytest.mark.parametrize("name", list(cw.BASELINES))
def test_another_baseline_is_another_picture(make_widget, pictures, name):
    widget = make_widget(**BINS)
    widget.baseline = name
    found = widget.heatmap("p0", 120)
    prepared, bins = headless(widget)
    np.testing.assert_allclose(found, prepared.explain(**bins).heatmaps[0], atol=1e-5 * abs(found).max())
    with pytest.raises(traitlets.TraitError, match="Unknown baseline 'none'"):
        widget.baseline = "none"


@pytest.mark.parametrize("name", [name for name in cw.METHODS if name != "patch_tokens"])
def test_every_method_in_the_widget(make_widget, name):
    widget = make_widget(method=name, **BINS)
    found = widget.heatmap("p0", 60)
    prepared, bins = headless(widget)
    np.testing.assert_allclose(found, prepared.explain(**bins).heatmaps[0], atol=1e-4 * abs(found).max())


def test_a_method_that_cannot_be_is_said_in_the_cell(make_widget):
    widget = make_widget(encoder=encoder_of(Linear()), method="cam", **BINS)
    with pytest.raises(cw.NoFeatureMap, match="global average pooling"):
        widget.wait(120)


def test_gaussian_similarity_in_the_widget(make_widget):
    widget = make_widget(encoder=encoder_of(Convolutional()), similarity="gaussian", **BINS)
    found = widget.heatmap("p0", 120)
    prepared, bins = headless(widget)
    np.testing.assert_allclose(found, prepared.explain(**bins, similarity="gaussian").heatmaps[0], atol=1e-6)


def test_a_method_that_cannot_be_a_key_is_refused(make_widget):
    from dataclasses import dataclass

    @dataclass
    class Loose(cw.DirectMethod):
        settings: list
        name, label, hint = "loose", "Loose", "Not frozen"

        def explain(self, score, explicand, baseline):
            return explicand.sum(0)

    with pytest.raises(traitlets.TraitError, match="frozen dataclass"):
        make_widget(method=Loose([1]))


def test_a_baseline_that_cannot_be_a_key_is_wrapped(make_widget):
    class Dark:
        __hash__ = None

        def __call__(self, explicands):
            return torch.zeros_like(explicands)

    widget = make_widget(baseline=Dark(), **BINS)
    assert widget.heatmap("p0", 120).shape == (32, 32)
