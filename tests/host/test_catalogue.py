"""What the page is sent about images, methods and the encoder."""

from __future__ import annotations

import torch

import cocoa_widget as cw
from tests.conftest import Linear, encoder_of
from tests.wire import BINS, Wire


def test_hello(make_widget):
    widget = make_widget(**BINS)
    wire = Wire(widget)
    catalogue, _ = wire.reply(wire.ask("hello"))
    assert catalogue["images"] == widget.images.ids
    assert catalogue["encoder"] == {
        "name": "Convolutional",
        "device": "cpu",
        "precision": "float32",
        "input": [32, 32],
    }
    assert [m["name"] for m in catalogue["methods"]] == list(cw.METHODS)
    assert [t["name"] for t in catalogue["targets"]] == list(cw.TARGETS)


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


def test_the_catalogue_names_the_model(make_widget):
    widget = make_widget(**BINS)
    wire = Wire(widget)
    catalogue, _ = wire.reply(wire.ask("hello"))
    assert catalogue["model"] == widget.model_id
