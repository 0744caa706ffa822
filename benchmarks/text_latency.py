"""The time from Enter in a bin's field to repainted heatmaps in JupyterLab, for prompts that are not encoded yet.

python benchmarks/text_latency.py [--prompts 30]

Six prepared explicands, the demo text tower; the page takes the times, as in `page_latency.py`.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.e2e.browser import find_browser
from tests.e2e.conftest import CHROMIUM_FLAGS, Lab, Notebook

EXPLICANDS = 6
CELL = f"""
import cocoa_widget as cw
images = cw.demo_images()
widget = cw.CocoaWidget(
    images, cw.load_encoder("demo"), foil=["text:a cup of coffee"], explicands=images.ids[8:{8 + EXPLICANDS}],
    corpus=["text:a dog"], method=cw.RISE(n_masks=96)
)
widget
"""

WATCH = """
(root) => {
  let pressed = 0;
  let from = 0;
  let timed = () => {};
  window.cocoaTimes = [];
  window.cocoaTimed = (count) => new Promise((resolve) => {
    timed = () => window.cocoaTimes.length >= count && resolve();
    timed();
  });
  addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    pressed = performance.now();
    from = Number(root.dataset.heatmapVersion);
  }, true);
  new MutationObserver(() => {
    const version = root.dataset.heatmapVersion;
    if (!pressed || Number(version) <= from || root.dataset.waiting !== '0') return;
    const tiles = root.querySelectorAll('[data-bin=explicands] [data-image-id]').length;
    const fresh = `[data-bin=explicands] canvas[data-heatmap-version='${version}'][data-stale=false]`;
    if (root.querySelectorAll(fresh).length < tiles) return;
    const begun = pressed;
    pressed = 0;
    requestAnimationFrame(() => {
      window.cocoaTimes.push(performance.now() - begun);
      timed();
    });
  }).observe(root, {
    attributes: true, subtree: true,
    attributeFilter: ['data-heatmap-version', 'data-stale', 'data-waiting'],
  });
}
"""


def measure(notebook: Notebook, prompts: int) -> list[float]:
    page = notebook.page
    notebook.run_cell(0)
    root = page.locator("[data-cocoa][data-state=ready]")
    root.wait_for(timeout=120_000)
    root.scroll_into_view_if_needed()
    page.wait_for_function(
        "(count) => document.querySelectorAll(\"[data-bin=explicands] canvas[data-progress='1']\").length === count",
        arg=EXPLICANDS,
        timeout=120_000,
    )
    while notebook.python("print(widget._page._status['task'] is None)") != "True":
        time.sleep(0.5)  # the text tower is loaded when nothing else is left to do
    page.evaluate(WATCH, root.element_handle())
    fields = [root.locator(f"[data-add-text={name}]") for name in ("corpus", "foil")]
    for i in range(prompts):
        field = fields[i % 2]
        field.fill(f"a photo of {('two', 'many', 'small', 'old', 'red')[i % 5]} things, number {i}")
        field.press("Enter")
        page.evaluate("(count) => window.cocoaTimed(count)", i + 1)
        time.sleep(0.6)
    return page.evaluate("window.cocoaTimes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prompts", type=int, default=30)
    options = parser.parse_args()
    lab = Lab(Path(tempfile.mkdtemp()))
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_browser(), args=CHROMIUM_FLAGS)
            page = browser.new_context(viewport={"width": 1500, "height": 1100}).new_page()
            notebook = nbformat.v4.new_notebook(
                cells=[nbformat.v4.new_code_cell(CELL)],
                metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
            )
            nbformat.write(notebook, lab.folder / "texts.ipynb")
            times = sorted(measure(Notebook(lab, page, "texts.ipynb"), options.prompts))
            browser.close()
    finally:
        lab.stop()
    p95 = times[int(0.95 * (len(times) - 1))]
    print(
        f"Enter → repainted heatmaps of {EXPLICANDS} explicands, {len(times)} new prompts:"
        f" p50 {statistics.median(times):.0f} ms, p95 {p95:.0f} ms, most {times[-1]:.0f} ms"
    )


if __name__ == "__main__":
    main()
