"""The time from pointer-up to repainted heatmaps in JupyterLab: 50 drops, 12 prepared explicands, the slow lane busy.

python benchmarks/page_latency.py [--drops 50]

The page takes the times, from the pointer-up event to the frame in which all heatmaps of the new bins are on their
canvases. The first line is the time from the run of the cell that makes a widget to the heatmaps of all demo images
(CAM), and from there to that of an explicand (RISE).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from playwright.sync_api import Locator, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.e2e.browser import find_browser
from tests.e2e.conftest import CHROMIUM_FLAGS, Lab, Notebook

PREPARED = 12
CELL = """
import cocoa_widget as cw
images = cw.demo_images()
widget = cw.CocoaWidget(
    images, cw.load_encoder("demo"), corpus=["cat/1"], foil=["coffee/1"], explicands=images.ids[8:20],
    method=cw.RISE(n_masks=96)
)
widget
"""
# The heatmaps of other images in the gallery keep the slow lane busy for far longer than the drops take.
BUSY = "widget.method = cw.RISE(n_masks=4000)"

WATCH = """
(root) => {
  const wanted = () => root.querySelectorAll('[data-bin=explicands] [data-image-id]').length;
  window.cocoaTimes = [];
  let timed = () => {};
  window.cocoaTimed = (count) => new Promise((resolve) => {
    timed = () => window.cocoaTimes.length >= count && resolve();
    timed();
  });
  let up = 0;
  let from = 0;
  addEventListener('pointerup', () => {
    up = performance.now();
    from = Number(root.dataset.heatmapVersion);
  }, true);
  new MutationObserver(() => {
    if (!up || Number(root.dataset.heatmapVersion) <= from) return;
    const version = root.dataset.heatmapVersion;
    const fresh = root.querySelectorAll(`[data-bin=explicands] canvas[data-heatmap-version='${version}']`).length;
    if (fresh < wanted()) return;
    const begun = up;
    up = 0;
    // The next frame is when the canvases' new pixels reach the screen.
    requestAnimationFrame(() => {
      window.cocoaTimes.push(performance.now() - begun);
      timed();
    });
  }).observe(root, { attributes: true });
}
"""


def drag(page: Page, source: Locator, target: Locator) -> None:
    """Drag `source` to `target` in a quarter of a second, which is fast for a hand."""
    start, end = source.bounding_box(), target.bounding_box()
    assert start
    assert end
    x, y = start["x"] + start["width"] / 2, start["y"] + start["height"] / 2
    across, down = end["x"] + end["width"] / 2 - x, end["y"] + end["height"] / 2 - y
    page.mouse.move(x, y)
    page.mouse.down()
    for i in range(1, 11):
        page.mouse.move(x + across * i / 10, y + down * i / 10)
        time.sleep(0.025)
    page.mouse.up()


FIRST_SETUP = "import cocoa_widget as cw; encoder = cw.load_encoder('demo'); images = cw.demo_images()"
FIRST = """
first = cw.CocoaWidget(
    images, encoder, corpus=["cat/1"], foil=["coffee/1"], explicands=["mosaic/1"], gallery_heatmaps=True, height=4000
)
first
"""


def first_heatmaps(notebook: Notebook) -> str:
    """Time the first heatmaps of a fresh kernel; the widget is high enough to show the whole gallery."""
    page = notebook.page
    notebook.run_cell(0)
    notebook.python("pass")
    begun = time.perf_counter()
    notebook.run_cell(1)
    count = int(notebook.python("print(len(images))"))
    page.wait_for_function(
        "(count) => document.querySelectorAll('[data-bin=gallery] canvas[data-heatmap]').length === count",
        arg=count,
        timeout=60_000,
    )
    cam = time.perf_counter() - begun
    page.locator("[data-bin=explicands] canvas[data-method=rise]").wait_for(timeout=60_000)
    rise = time.perf_counter() - begun
    return (
        f"after the cell runs: CAM heatmaps of all {count} demo images {cam:.1f} s;"
        f" first RISE heatmap {max(0.0, rise - cam):.1f} s later"
    )


def measure(notebook: Notebook, drops: int) -> tuple[list[float], list[str]]:
    page = notebook.page
    notebook.run_cell(0)
    root = page.locator("[data-cocoa][data-state=ready]")
    root.wait_for(timeout=120_000)
    root.scroll_into_view_if_needed()
    for _ in range(240):
        time.sleep(0.5)
        if page.locator("[data-bin=explicands] canvas[data-progress='1']").count() == PREPARED:
            break
    notebook.python(BUSY)
    # Each explicand has its first heatmap, and the masks go on for minutes.
    page.wait_for_function(
        "() => document.querySelectorAll('[data-bin=explicands] canvas[data-method=rise]').length === 12",
        timeout=120_000,
    )
    page.evaluate(WATCH, root.element_handle())
    busy = []
    for i in range(drops):
        here = "gallery" if i == 0 else ("foil", "corpus")[i % 2]
        there = ("corpus", "foil")[i % 2]
        drag(page, root.locator(f"[data-bin={here}] [data-image-id='cat/2']"), root.locator(f"[data-bin={there}]"))
        # A promise, because polling would make the page paint all the time.
        page.evaluate("(count) => window.cocoaTimed(count)", i + 1)
        busy.append(notebook.python("print(widget._page._status['task'] is not None)"))
        time.sleep(0.15)
    return page.evaluate("window.cocoaTimes"), busy


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--drops", type=int, default=50)
    arguments = parser.parse_args()
    lab = Lab(Path(tempfile.mkdtemp()))
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_browser(), args=CHROMIUM_FLAGS)
            page = browser.new_context(viewport={"width": 1500, "height": 1100}).new_page()
            metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
            for name, cells in (("first", [FIRST_SETUP, FIRST]), ("latency", [CELL])):
                notebook = nbformat.v4.new_notebook(
                    cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata=metadata
                )
                nbformat.write(notebook, lab.folder / f"{name}.ipynb")
            print(first_heatmaps(Notebook(lab, page, "first.ipynb")))
            lab.end_sessions()
            times, busy = measure(Notebook(lab, page, "latency.ipynb"), arguments.drops)
            browser.close()
    finally:
        lab.stop()
    times.sort()
    print(
        f"pointer-up → repainted heatmaps of {PREPARED} explicands, {len(times)} drops, slow lane busy at"
        f" {busy.count('True')} of them: p50 {statistics.median(times):.0f} ms,"
        f" p95 {times[int(0.95 * (len(times) - 1))]:.0f} ms, most {times[-1]:.0f} ms"
    )


if __name__ == "__main__":
    main()
