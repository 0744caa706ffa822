"""How sure, which images, how faithful: looked at in JupyterLab."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.conftest import RESULTS, Notebook
from tests.e2e.widget import expect_bins, heatmap, repainted, root_of, settled, tile, version


def widen(notebook: Notebook) -> None:
    """Make room for the whole toolbar."""
    notebook.page.set_viewport_size({"width": 1440, "height": 1000})
    notebook.page.evaluate("window.jupyterapp.shell.collapseLeft()")


def choose(root: Locator, setting: str, value: str) -> None:
    root.locator(f"[data-setting={setting}]").click()
    root.locator(f"[role=menuitemradio][data-value={value}]").click()


@pytest.fixture
def enlarged(notebook: Notebook) -> Locator:
    """The widget with two members in each bin and its explicand enlarged, insight panel open."""
    widen(notebook)
    root = root_of(notebook)
    notebook.python("widget.corpus = ['cat/1', 'cat/2', 'rocket/1']; widget.foil = ['coffee/1', 'coffee/2']")
    settled(root, "mosaic/1")
    tile(root, "explicands", "mosaic/1").dblclick()
    expect(root.locator("[data-insight=panel]")).to_be_visible()
    return root


def test_influence_of_the_members(notebook: Notebook, enlarged: Locator) -> None:
    root = enlarged
    influence = root.locator("[data-insight=influence]")
    expect(influence).to_have_attribute("data-phase", "ready")
    rows = influence.locator("[data-member]")
    expect(rows).to_have_count(5)
    shares = notebook.python(
        """
load = lambda names: [images.load(name) for name in names]
prepared = cw.Explainer(encoder, "cam").prepare(load(["mosaic/1"]), progress=False)
corpus, foil = prepared.influence(corpus=load(widget.corpus), foil=load(widget.foil))[0]
print(*map(float, [*corpus.shares, *foil.shares]))
"""
    )
    by_share = np.argsort([-abs(float(s)) for s in shares.split()])
    names = ["cat/1", "cat/2", "rocket/1", "coffee/1", "coffee/2"]
    expect(rows.first).to_have_attribute("data-member", names[by_share[0]])
    expect(root.locator("[data-insight=stability]")).to_contain_text("95 %")
    root.screenshot(path=RESULTS / "insight.png")
    # A member goes out of its bin from here, and comes back.
    influence.locator("[data-member='rocket/1'] .member-main").click()
    before = version(root)
    influence.locator("[data-action=remove-member]").click()
    repainted(root, before)
    expect_bins(notebook, ["cat/1", "cat/2"])
    expect(rows).to_have_count(4)
    notebook.page.keyboard.press("Control+z")
    expect(rows).to_have_count(5)


def test_insertion_and_deletion(notebook: Notebook, enlarged: Locator) -> None:
    root = enlarged
    root.locator("[data-action=compute-curves]").click()
    curves = root.locator("[data-insight=curves]")
    expect(curves).to_have_attribute("data-phase", "ready")
    expect(curves.locator(".chart").first).to_be_visible()
    expect(curves).to_contain_text("Contrastive corpus similarity")
    root.screenshot(path=RESULTS / "curves.png")
    notebook.python("widget.corpus = ['rocket/1']")
    expect(curves).to_have_attribute("data-phase", "stale")


def test_layers_and_the_badge(notebook: Notebook) -> None:
    root = root_of(notebook)
    settled(root, "mosaic/1")
    badge = root.locator("[data-bin=explicands] .stability")
    expect(badge).to_have_attribute("data-stability", "unknown")  # bins of one
    notebook.python("widget.corpus = ['cat/1', 'cat/2', 'cat/3']; widget.foil = ['coffee/1', 'coffee/2']")
    expect(badge).to_have_attribute("data-stability", "doubtful")
    expect(badge).to_contain_text("±")
    for layer in ("error", "stability"):
        choose(root, "layer", layer)
        expect(root.locator(f"[data-bin=explicands] canvas[data-layer={layer}]")).to_be_visible()
        expect(root.locator(f".legend[data-layer={layer}]").first).to_be_visible()
    root.screenshot(path=RESULTS / "stability.png")
    choose(root, "layer", "attribution")
    expect(heatmap(root, "mosaic/1")).to_have_attribute("data-layer", "attribution")


def test_methods_and_baselines_from_the_menus(notebook: Notebook) -> None:
    widen(notebook)
    root = root_of(notebook)
    settled(root, "mosaic/1")
    root.locator("[data-setting=method]").click()
    unavailable = root.locator("[role=menuitemradio][data-value=patch_tokens]")
    expect(unavailable).to_have_attribute("aria-disabled", "true")
    expect(unavailable).to_contain_text("no patch tokens")
    root.screenshot(path=RESULTS / "methods.png")
    root.locator("[role=menuitemradio][data-value=grad_cam]").click()
    expect(root.locator("[data-bin=explicands] canvas[data-method=grad_cam][data-progress='1']")).to_be_visible()
    choose(root, "method", "occlusion")
    root.locator("[data-action=settings]").click()
    choose(root, "baseline", "mean_colour")
    expect(root.locator("[data-bin=explicands] canvas[data-method=occlusion][data-progress='1']")).to_be_visible()
    assert notebook.python("print(widget.method.name, widget.baseline.name)").split() == ["occlusion", "mean_colour"]
