"""Heatmaps that are not finite: their images are set aside, and the others go on."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from PIL import Image

import cocoa_widget as cw
from cocoa_widget.live import View

from .helpers import question


@dataclass(frozen=True)
class Ratio(cw.DirectMethod):
    """The explicand's red, which is not a number where a picture is white."""

    name, label, hint = "ratio", "Ratio", "For tests"

    def explain(self, score, explicand, baseline):
        red = explicand[0]
        return torch.where(red.mean() > 2, torch.nan, red)


@dataclass(frozen=True)
class Quotient(cw.PerturbationMethod):
    """How far the score falls, divided by zero where it does not: a white picture stays white when it is blurred."""

    name, label, hint = "quotient", "Quotient", "For tests"

    def masks(self, height, width):
        masks = torch.ones(2, height, width)
        masks[1, :, : width // 2] = 0
        return masks

    def combine(self, scores, masks):
        falls = scores[:, :1] - scores[:, 1:2]
        return (falls / (falls.abs() > 1e-6))[..., None].expand(-1, *masks.shape[1:])


@pytest.mark.parametrize("method", [Ratio(), Quotient()], ids=lambda method: method.name)
def test_a_heatmap_that_is_not_finite_is_an_error_of_its_image_alone(make, pictures, method):
    images = cw.ImageSet({**pictures, "white": Image.new("RGB", (40, 40), "white")})
    q = question(method=method, explicands=("p0", "white", "p4"))
    engine, recorder, _ = make(first=q, images=images)
    engine.watch("a", View(explicands=32))
    with pytest.raises(ValueError, match="not finite"):
        engine.wait(120)
    assert {i for i, h in recorder.newest().items() if h.progress == 1} == {"p0", "p4"}
    assert all(torch.isfinite(torch.from_numpy(h.values)).all() for _, found, _ in recorder.updates for h in found)
    assert [error.split(" gives")[0] for error in recorder.errors] == [f"white: {method.label}"]
    with pytest.raises(ValueError, match="not finite"):
        engine.heatmap("white", 120)
    assert engine.heatmap("p4", 120).progress == 1
    engine.ask(question(explicands=("p0", "white", "p4")))
    engine.wait(120)
    assert recorder.newest()["white"].progress == 1
