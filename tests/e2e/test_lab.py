"""What a user does: open the notebook in JupyterLab, drag, type, change traits, reload."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import RESULTS, ROOT, Notebook, Open
from tests.e2e.widget import (
    READY,
    answered,
    bins,
    choose_theme,
    drag,
    expect_bins,
    heatmap,
    quarters,
    repainted,
    root_of,
    settled,
    tile,
    version,
)


def test_the_quickstart(open_notebook: Open) -> None:
    """The whole notebook runs, the heatmaps mean what they should, and a drag changes them."""
    notebook = open_notebook(path=ROOT / "notebooks/quickstart.ipynb")
    notebook.run_all()
    root = root_of(notebook)
    expect(heatmap(root, "mosaic/1")).to_be_visible()
    notebook.page.wait_for_function(
        """() => {
          const cells = window.jupyterapp.shell.currentWidget.content.widgets.map((w) => w.model);
          return cells.every((cell) => cell.type !== 'code' || cell.executionCount !== null);
        }""",
        timeout=240_000,
    )
    errors = notebook.page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.content.widgets.flatMap(({ model }) =>
          model.type === 'code' ? model.outputs.toJSON().filter((output) => output.output_type === 'error') : [])"""
    )
    assert errors == []
    expect_bins(notebook, ["text:a space shuttle", "rocket/4"], ["text:a cat", "cat/2"])
    notebook.python("widget.wait()")
    settled(root, "mosaic/1")
    cat, coffee, rocket, motorcycle = quarters(heatmap(root, "mosaic/1"))
    assert rocket > max(0, coffee, motorcycle)  # orange: like the corpus
    assert cat < -5  # blue: like the foil
    # In the portrait, the shuttle at the upper right.
    _, shuttle, *rest = quarters(heatmap(root, "astronaut/1"))
    assert shuttle > 5
    assert shuttle > max(map(abs, rest))
    hint = root.locator("[data-action=dismiss-hint]")
    expect(hint).to_be_visible()
    before = version(root)
    drag(notebook.page, tile(root, "corpus", "rocket/4"), root.locator("[data-bin=foil]"))
    repainted(root, before)
    expect_bins(notebook, ["text:a space shuttle"], ["text:a cat", "cat/2", "rocket/4"])
    expect(hint).to_have_count(0)


def test_dragging_turns_the_heatmap_around(notebook: Notebook) -> None:
    root = root_of(notebook)
    settled(root, "mosaic/1")
    cat, coffee, _, _ = quarters(heatmap(root, "mosaic/1"))
    assert cat > 5 > -5 > coffee
    before = version(root)
    root.locator("[data-action=swap]").click()
    repainted(root, before)
    expect_bins(notebook, ["coffee/1"], ["cat/1"])
    answered(notebook, root, "mosaic/1")
    cat, coffee, _, _ = quarters(heatmap(root, "mosaic/1"))
    assert coffee > 5 > -5 > cat
    # Each by mouse, from the gallery, and out of a bin again.
    drag(notebook.page, tile(root, "gallery", "coffee/1"), root.locator("[data-bin=foil]"))
    expect(tile(root, "foil", "coffee/1")).to_be_visible()
    expect_bins(notebook, [], ["cat/1", "coffee/1"])
    drag(notebook.page, tile(root, "foil", "cat/1"), root.locator("[data-bin=gallery]"))
    expect(tile(root, "foil", "cat/1")).to_have_count(0)
    expect_bins(notebook, [], ["coffee/1"])


def test_several_at_once_and_undo(notebook: Notebook) -> None:
    root, page = root_of(notebook), notebook.page
    settled(root, "mosaic/1")
    tile(root, "gallery", "cat/2").click()
    tile(root, "gallery", "motorcycle/left").click(modifiers=["Shift"])
    drag(page, tile(root, "gallery", "cat/3"), root.locator("[data-bin=corpus]"))
    expect(root.locator("[data-bin=corpus] [data-image-id]")).to_have_count(5)
    expect_bins(notebook, ["cat/1", "cat/2", "cat/3", "cat/4", "motorcycle/left"])
    root.locator("[data-action=undo]").click()
    expect(root.locator("[data-bin=corpus] [data-image-id]")).to_have_count(1)
    expect_bins(notebook, ["cat/1"])
    tile(root, "corpus", "cat/1").click()
    page.keyboard.press("Control+Shift+Z")
    expect(root.locator("[data-bin=corpus] [data-image-id]")).to_have_count(5)
    page.keyboard.press("Control+z")
    expect(root.locator("[data-bin=corpus] [data-image-id]")).to_have_count(1)


def test_keyboard_only_and_notebook_keys_stay_away(notebook: Notebook) -> None:
    root, page = root_of(notebook), notebook.page
    settled(root, "mosaic/1")
    cells = notebook.cells()
    tile(root, "gallery", "cat/1").focus()
    before = version(root)
    for key in ("ArrowRight", "Shift+ArrowRight", "c"):
        page.keyboard.press(key)
    repainted(root, before)
    expect_bins(notebook, ["cat/1", "cat/2", "cat/3"])
    page.keyboard.press("Escape")
    for key in ("End", "e"):
        page.keyboard.press(key)
    expect(tile(root, "explicands", "mosaic/4")).to_be_visible()
    for key in ("Home", "f"):
        page.keyboard.press(key)
    expect(tile(root, "foil", "cat/1")).to_be_visible()
    expect_bins(notebook, ["cat/2", "cat/3"], ["coffee/1", "cat/1"], ["mosaic/1", "mosaic/4"])
    tile(root, "corpus", "cat/2").focus()
    page.keyboard.press("Delete")
    expect(tile(root, "corpus", "cat/2")).to_have_count(0)
    # Keys that in command mode cut, delete, insert and run cells.
    tile(root, "gallery", "cat/1").click()
    for key in ("x", "d", "d", "a", "b", "m", "y", "z", "v", "Shift+Enter", "Escape", "0", "0"):
        page.keyboard.press(key)
    expect(root).to_be_visible()
    assert notebook.cells() == cells
    page.keyboard.press("?")
    expect(root.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(root.get_by_role("dialog")).to_have_count(0)


def test_traits_from_a_cell_move_the_tiles(notebook: Notebook) -> None:
    root = root_of(notebook)
    settled(root, "mosaic/1")
    before = version(root)
    notebook.python("widget.corpus = ['rocket/1', 'rocket/2']")
    repainted(root, before)
    answered(notebook, root, "mosaic/1")
    expect(tile(root, "corpus", "rocket/2")).to_be_visible()
    expect(tile(root, "corpus", "cat/1")).to_have_count(0)
    expect(heatmap(root, "mosaic/1")).to_have_attribute("data-stale", "false")
    _, _, rocket, _ = quarters(heatmap(root, "mosaic/1"))
    assert rocket > 3
    assert "cannot be in both" in notebook.python("widget.foil = ['rocket/1']")
    notebook.python("widget.observe(lambda change: print('saw', change['new']), 'foil')")
    drag(notebook.page, tile(root, "gallery", "cat/2"), root.locator("[data-bin=foil]"))
    expect(tile(root, "foil", "cat/2")).to_be_visible()
    assert bins(notebook)[1] == ["coffee/1", "cat/2"]


def test_menus_reach_the_kernel(notebook: Notebook) -> None:
    root = root_of(notebook)
    settled(root, "mosaic/1")
    notebook.python("widget.method = 'cam'; widget.target = 'label_free'; widget.gallery_heatmaps = True")
    expect(root.locator("[data-bin=explicands] canvas[data-method=cam][data-progress='1']")).to_be_visible()
    expect(root.locator("[data-bin=gallery] canvas[data-heatmap='cat/1']")).to_be_visible()
    # Of unit length, so that its similarity to itself is 1.
    expect(tile(root, "explicands", "mosaic/1")).to_contain_text("+1.00")


def test_two_views_and_a_page_reload(notebook: Notebook) -> None:
    page = notebook.page
    root = root_of(notebook)
    settled(root, "mosaic/1")
    notebook.run_cell(1)
    expect(page.locator(READY)).to_have_count(2)
    first, second = page.locator(READY).nth(0), page.locator(READY).nth(1)
    second.scroll_into_view_if_needed()
    settled(second, "mosaic/1")
    before = version(second)
    drag(page, tile(second, "gallery", "motorcycle/left"), second.locator("[data-bin=foil]"))
    repainted(second, before)
    for view in (first, second):
        expect(tile(view, "foil", "motorcycle/left")).to_have_count(1)
    answered(notebook, second, "mosaic/1")
    painted = quarters(heatmap(second, "mosaic/1"))
    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    page.reload()
    notebook.await_kernel()
    expect(page.locator(READY)).to_have_count(2)
    view = page.locator(READY).nth(1)
    view.scroll_into_view_if_needed()
    expect(tile(view, "foil", "motorcycle/left")).to_be_visible()
    settled(view, "mosaic/1")
    assert quarters(heatmap(view, "mosaic/1")) == pytest.approx(painted, abs=1.5)
    # The widget's cell once more: the same bins, and heatmaps at once.
    notebook.run_cell(1)
    settled(page.locator(READY).nth(1), "mosaic/1")
    expect(tile(page.locator(READY).nth(1), "foil", "motorcycle/left")).to_have_count(1)


def test_an_error_is_shown_and_the_widget_lives_on(open_notebook: Open) -> None:
    notebook = open_notebook(
        """
import torch, cocoa_widget as cw
class Moody(torch.nn.Module):
    def forward(self, images):
        if images.mean() > 0.5: raise RuntimeError("too bright for me")
        return images.mean((2, 3))
encoder = cw.Encoder(Moody(), image_size=32, name="Moody")
images = cw.demo_images()
widget = cw.CocoaWidget(images, encoder, corpus=["cat/2"], explicands=["cat/1"], method=cw.RISE(n_masks=64))
widget
"""
    )
    notebook.run_all()
    root = root_of(notebook)
    settled(root, "cat/1")
    notebook.python(
        """
from PIL import Image
bright = cw.CocoaWidget({"white": Image.new("RGB", (32, 32), "white"), "black": Image.new("RGB", (32, 32))}, encoder,
                        corpus=["black"], explicands=["white"])
"""
    )
    assert "too bright for me" in notebook.python("bright.wait()")
    assert "'Moody' raised RuntimeError" in notebook.python("bright.wait()")
    notebook.python("widget._page.error('Something <b>went</b> wrong')")
    expect(root.get_by_text("Something <b>went</b> wrong")).to_be_visible()
    notebook.python("widget.corpus = ['cat/3']")
    expect(tile(root, "corpus", "cat/3")).to_be_visible()


def test_dark_and_narrow(notebook: Notebook) -> None:
    root, page = root_of(notebook), notebook.page
    settled(root, "mosaic/1")
    light = root.evaluate("(root) => getComputedStyle(root).backgroundColor")
    choose_theme(root, "dark")
    page.wait_for_function(
        "([root, light]) => getComputedStyle(root).backgroundColor !== light", arg=[root.element_handle(), light]
    )
    root.screenshot(path=RESULTS / "dark.png")
    page.set_viewport_size({"width": 960, "height": 1000})
    page.evaluate("window.jupyterapp.shell.collapseLeft()")
    expect(root).to_have_attribute("data-layout", "narrow")
    width = root.bounding_box()["width"]
    for name in ("gallery", "explicands", "corpus", "foil"):
        box = root.locator(f"[data-bin={name}]").bounding_box()
        assert 100 < box["width"] <= width
    root.screenshot(path=RESULTS / "narrow.png")


def test_sources_load_nothing_from_outside() -> None:
    """The built page names no address but XML's namespaces (the fixture `page` watches the real requests)."""
    import re

    text = (Path(ROOT) / "cocoa_widget/static/widget.js").read_text(encoding="utf-8")
    assert set(re.findall(r"https?://[\w./-]+", text)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1998/Math/MathML",
        "http://www.w3.org/1999/xhtml",
        "http://www.w3.org/1999/xlink",
    }
