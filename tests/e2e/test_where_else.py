"""Pointing at a place of an explicand: the other explicands and the gallery show where the encoder sees the same."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from tests.e2e.conftest import RESULTS, Notebook, Open
from tests.e2e.widget import heatmap, quarters, root_of, settled, tile

EXPLICANDS = ["mosaic/1", "mosaic/2", "mosaic/3", "mosaic/4", "cat/4", "coffee/3"]
CELL = f"""
import cocoa_widget as cw
widget = cw.CocoaWidget(
    cw.demo_images(), cw.load_encoder("demo"), corpus=["motorcycle/front"], foil=["coffee/1"], method=METHOD,
    explicands={EXPLICANDS}, gallery_heatmaps=True,
)
widget
"""


def open_with(open_notebook: Open, method: str) -> tuple[Notebook, Locator]:
    notebook = open_notebook(CELL.replace("METHOD", method))
    notebook.page.set_viewport_size({"width": 1440, "height": 1000})
    notebook.page.evaluate("window.jupyterapp.shell.collapseLeft()")
    notebook.run_cell(0)
    root = root_of(notebook)
    for image in EXPLICANDS:
        settled(root, image)
    # The gallery's heatmaps have a part in the scale.
    expect(root.locator("[data-bin=gallery] canvas[data-heatmap]:not([data-progress='1'])")).to_have_count(0)
    expect(root).to_have_attribute("data-scale", "settled")
    return notebook, root


def point(root: Locator, image: str, x: float, y: float) -> None:
    """Move the pointer to a place of an explicand, in fractions of what the encoder sees."""
    box = tile(root, "explicands", image).locator(".probe").bounding_box()
    assert box
    root.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])


def painted(root: Locator) -> dict[str, list[float]]:
    return {image: quarters(heatmap(root, image)) for image in EXPLICANDS}


def expect_previews(root: Locator, count: int) -> None:
    expect(root.locator("[data-bin=explicands] canvas[data-preview=place]")).to_have_count(count)


def test_a_key_held_over_an_explicand_shows_where_else(open_notebook: Open) -> None:
    notebook, root = open_with(open_notebook, '"cam"')
    before = painted(root)
    notebook.page.keyboard.down("Shift")
    point(root, "mosaic/1", 0.2, 0.2)  # the cat
    expect_previews(root, len(EXPLICANDS))
    expect(root.locator("[data-bin=gallery] canvas[data-preview=place][data-heatmap='cat/1']")).to_be_visible()
    expect(root.locator(".cell-mark[data-cell='1,1']")).to_be_visible()
    expect(tile(root, "explicands", "mosaic/2")).to_contain_text("Where else?")
    expect(tile(root, "explicands", "cat/4")).to_contain_text("cos .")
    cats = {"mosaic/1": 0, "mosaic/2": 1, "mosaic/4": 2}  # the quarter with a cat
    now = painted(root)
    for image, quarter in cats.items():
        assert max(range(4), key=now[image].__getitem__) == quarter
        assert now[image][quarter] > 3 * sorted(now[image])[-2]
    assert min(now["cat/4"]) > max(now["coffee/3"])
    RESULTS.mkdir(exist_ok=True)
    root.screenshot(path=RESULTS / "where-else-cat.png")
    point(root, "mosaic/1", 0.7, 0.75)  # the motorcycle
    expect(root.locator(".cell-mark[data-cell='5,4']")).to_be_visible()
    motorcycle = painted(root)["mosaic/3"]
    assert max(range(4), key=motorcycle.__getitem__) == 0
    root.screenshot(path=RESULTS / "where-else-motorcycle.png")
    notebook.page.keyboard.up("Shift")
    expect_previews(root, 0)
    expect(root.locator(".cell-mark")).to_have_count(0)
    assert painted(root) == before


def test_the_button_and_the_keyboard_also_while_the_kernel_is_busy(open_notebook: Open) -> None:
    notebook, root = open_with(open_notebook, "cw.SharpCAM()")
    before = painted(root)
    chosen = tile(root, "explicands", "mosaic/1")
    chosen.hover(position={"x": 5, "y": 5})
    root.locator("[data-tools-of='mosaic/1'] [data-action=where-else]").click()
    mark = root.locator(".cell-mark")
    expect(mark).to_have_attribute("data-cell", "4,4")  # 9 rows and columns; the middle
    expect_previews(root, len(EXPLICANDS))
    notebook.page.evaluate(
        """() => {
          const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
          window.done = kernel.requestExecute({ code: 'while True: pass' }).done;
        }"""
    )
    chosen.focus()
    for key in ("ArrowUp",) * 2 + ("ArrowLeft",) * 2:
        notebook.page.keyboard.press(key)
    expect(mark).to_have_attribute("data-cell", "2,2")
    now = painted(root)
    for image, quarter in {"mosaic/1": 0, "mosaic/2": 1, "mosaic/4": 2}.items():
        assert max(range(4), key=now[image].__getitem__) == quarter
    expect(root.locator(".announcer")).to_contain_text("Place row 3 of 9, column 3 of 9. Most alike: cat/")
    root.screenshot(path=RESULTS / "where-else-sharp.png")
    notebook.page.keyboard.press("Escape")
    expect_previews(root, 0)
    expect(root).to_have_attribute("data-scale", "settled")
    assert painted(root) == before
    notebook.page.evaluate(
        "async () => { await window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.interrupt(); }"
    )
