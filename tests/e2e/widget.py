"""The widget on a page, as tests see and handle it."""

from __future__ import annotations

import json
import time

from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import PATIENCE, Notebook

READY = "[data-cocoa][data-state=ready]"

WIDGET = """
import cocoa_widget as cw
encoder = cw.load_encoder("demo")
images = cw.demo_images()
widget = cw.CocoaWidget(
    images, encoder, corpus=["cat/1"], foil=["coffee/1"], explicands=["mosaic/1"], method=cw.RISE(n_masks=96)
)
widget
"""


def root_of(notebook: Notebook) -> Locator:
    root = notebook.page.locator(READY).first
    root.wait_for()
    root.scroll_into_view_if_needed()
    return root


def tile(root: Locator, bin_name: str, image: str) -> Locator:
    return root.locator(f"[data-bin={bin_name}] [data-image-id='{image}']")


def bins(notebook: Notebook) -> list[list[str]]:
    """Return corpus, foil and explicands of one moment."""
    return json.loads(
        notebook.python("import json; b = widget.bins; print(json.dumps([b.corpus, b.foil, b.explicands]))")
    )


def expect_bins(notebook: Notebook, *expected: list[str]) -> None:
    """Wait until the kernel's corpus, foil and explicands, or the first of them, are these.

    The page shows a drop at once, and its message and a cell's code may reach the kernel by different threads.
    """
    end = time.monotonic() + PATIENCE / 1000
    while (found := bins(notebook)[: len(expected)]) != [*expected] and time.monotonic() < end:
        pass
    assert found == [*expected]


def heatmap(root: Locator, image: str) -> Locator:
    return root.locator(f"[data-bin=explicands] canvas[data-heatmap='{image}']")


def settled(root: Locator, image: str) -> None:
    """Wait until the heatmap of an image is complete."""
    expect(root.locator(f"[data-bin=explicands] canvas[data-heatmap='{image}'][data-progress='1']")).to_be_visible()


def answered(notebook: Notebook, root: Locator, image: str) -> None:
    """Wait until the heatmap of an image is complete and answers the kernel's present question."""
    version = notebook.python("print(widget._live.version)")
    expect(heatmap(root, image)).to_have_attribute("data-heatmap-version", version)
    expect(root).to_have_attribute("data-waiting", "0")  # no member of the bins is left out
    settled(root, image)


def choose_theme(root: Locator, theme: str) -> None:
    """Change JupyterLab's theme to "light" or "dark", and wait until the page has followed."""
    root.page.evaluate(
        "(theme) => window.jupyterapp.commands.execute('apputils:change-theme', { theme })",
        f"JupyterLab {theme.title()}",
    )
    expect(root).to_have_attribute("data-theme", theme)
    expect(root.page.locator("#jupyterlab-splash")).to_have_count(0)


def quarters(canvas: Locator) -> dict[str, list[float]]:
    """Mean opacity-weighted red less blue of the canvas's quarters: above zero where it is orange."""
    return canvas.evaluate(
        """(canvas) => {
          const { width, height } = canvas;
          const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
          const sums = [0, 0, 0, 0];
          for (let y = 0; y < height; y++)
            for (let x = 0; x < width; x++) {
              const at = 4 * (y * width + x);
              sums[2 * (y >= height / 2) + (x >= width / 2)] += (data[at] - data[at + 2]) * data[at + 3] / 255;
            }
          return sums.map((sum) => (4 * sum) / (width * height));
        }"""
    )


def version(root: Locator) -> int:
    return int(root.get_attribute("data-version") or 0)


def repainted(root: Locator, before: int) -> None:
    root.page.wait_for_function(
        "([root, before]) => Number(root.dataset.version) > before", arg=[root.element_handle(), before]
    )


def drag(page: Page, source: Locator, target: Locator) -> None:
    source.scroll_into_view_if_needed()
    start, end = source.bounding_box(), target.bounding_box()
    assert start
    assert end
    page.mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] / 2, steps=8)
    page.mouse.up()
