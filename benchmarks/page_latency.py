"""The time from pointer-up to repainted heatmaps in JupyterLab, while the kernel is free, busy, or far away.

python benchmarks/page_latency.py [--drops 50] [--method sharp] [--explicands 12]

The page takes the times, from the event to the frame in which all heatmaps of the new bins, or of the place that is
pointed at, are on their canvases, with prepared explicands. Figures are medians, 95th percentiles and maxima.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
from playwright.sync_api import Locator, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.delay_proxy import delaying_proxy
from tests.e2e.browser import find_browser
from tests.e2e.conftest import CHROMIUM_FLAGS, Lab, Notebook

CELL = """
import cocoa_widget as cw
images = cw.demo_images()
widget = cw.CocoaWidget(
    images, cw.load_encoder("demo"), corpus=["cat/1"], foil=["coffee/1"], explicands=images.ids[8:{last}],
    method={method}
)
widget
"""
METHODS = {"rise": "cw.RISE(n_masks=96)", "sharp": "cw.SharpCAM()"}
LONG = {"rise": "cw.RISE(n_masks=4000)", "sharp": "cw.SharpCAM(masks=4000)"}
# The heatmaps of other images in the gallery keep the slow lane busy for far longer than the drops take.
BUSY = "widget.method = {}"
SLEEPING = "import time; time.sleep({})"
COMPUTING = "import time; end = time.monotonic() + {}\nwhile time.monotonic() < end: sum(range(1000))"

# Times drops, entries of a dragged image into a bin, and moves to another place, until all heatmaps show their outcome.
WATCH = """
(root) => {
  const tiles = () => root.querySelectorAll('[data-bin=explicands] [data-image-id]').length;
  const previews = { drop: ':not([data-preview])', hover: '[data-preview=true]', place: '[data-preview=place]' };
  const painted = (kind) => root.querySelectorAll(
    `[data-bin=explicands] canvas[data-heatmap][data-stale=false]${previews[kind]}`
  ).length;
  const times = { drop: [], hover: [], place: [] };
  let waiting = null; // what is timed now: since when, from which repaint on, and whether it is a preview
  let resolve = () => {};
  window.cocoa = {
    times,
    timed: (kind, count) => new Promise((done) => {
      resolve = () => times[kind].length >= count && done();
      resolve();
    }),
  };
  const begin = (kind) => { waiting = { kind, since: performance.now(), from: Number(root.dataset.version) }; };
  addEventListener('pointerup', () => begin('drop'), true);
  let over = null;
  addEventListener('pointermove', (event) => {
    const bin = document.elementFromPoint(event.clientX, event.clientY)?.closest('[data-bin]')?.dataset.bin ?? null;
    const entered = event.buttons && bin !== over && (bin === 'corpus' || bin === 'foil');
    over = bin;
    if (entered && over !== window.cocoaHome) begin('hover');
    if (event.shiftKey && root.dataset.pointing) begin('place');
  }, true);
  new MutationObserver(() => {
    if (!waiting) return;
    const { kind, since, from } = waiting;
    // What a drop would do is not counted as an update.
    if (kind === 'drop' && Number(root.dataset.version) <= from) return;
    if (painted(kind) < tiles()) return;
    waiting = null;
    // The next frame is when the canvases' new pixels reach the screen.
    requestAnimationFrame(() => {
      times[kind].push(performance.now() - since);
      resolve();
    });
  }).observe(root, {
    attributes: true, subtree: true, attributeFilter: ['data-version', 'data-preview', 'data-stale'],
  });
}
"""


@dataclass
class Bench:
    """A notebook with the widget, whose explicands are prepared."""

    notebook: Notebook
    root: Locator
    method: str
    explicands: int
    drops: int = 0

    def drag_once(self) -> None:
        """Drag one image to the other bin and wait until its heatmaps are painted."""
        page, i = self.notebook.page, self.drops
        here = "gallery" if i == 0 else ("foil", "corpus")[i % 2]
        there = ("corpus", "foil")[i % 2]
        page.evaluate("(bin) => { window.cocoaHome = bin; }", here)
        source = self.root.locator(f"[data-bin={here}] [data-image-id='cat/2']")
        drag(page, source, self.root.locator(f"[data-bin={there}]"))
        self.drops += 1
        # A promise, because polling would make the page paint all the time.
        page.evaluate("(count) => window.cocoa.timed('drop', count)", self.drops)

    def times(self, kind: str, since: int = 0) -> list[float]:
        found: list[float] = self.notebook.page.evaluate("(kind) => window.cocoa.times[kind]", kind)
        return found[since:]


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
    images, encoder, corpus=["cat/1"], foil=["coffee/1"], explicands=["mosaic/1"], method={method},
    gallery_heatmaps=True, height=4000
)
first
"""


def first_heatmaps(notebook: Notebook, method: str) -> str:
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
    own = f"[data-bin=explicands] canvas[data-method={method}]"
    page.locator(own).wait_for(timeout=60_000)
    first = time.perf_counter() - begun
    page.locator(f"{own}[data-progress='1']").wait_for(timeout=60_000)
    return (
        f"after the cell runs: CAM heatmaps of all {count} demo images {cam:.1f} s;"
        f" first heatmap of {method} after {first:.1f} s, complete after {time.perf_counter() - begun:.1f} s"
    )


def prepared(notebook: Notebook, method: str, explicands: int) -> Bench:
    """Show the widget, and wait until each explicand has its heatmap."""
    page = notebook.page
    notebook.run_cell(0)
    root = page.locator("[data-cocoa][data-state=ready]")
    root.wait_for(timeout=180_000)
    root.scroll_into_view_if_needed()
    page.wait_for_function(
        "(count) => document.querySelectorAll(\"[data-bin=explicands] canvas[data-progress='1']\").length === count",
        arg=explicands,
        timeout=180_000,
    )
    page.evaluate(WATCH, root.element_handle())
    return Bench(notebook, root, method, explicands)


def busy_slow_lane(bench: Bench, drops: int) -> Iterator[str]:
    notebook = bench.notebook
    notebook.python(BUSY.format(LONG[bench.method]))
    # Each explicand has its first heatmap, and the masks go on for minutes.
    notebook.page.wait_for_function(
        "([canvas, count]) => document.querySelectorAll(`[data-bin=explicands] ${canvas}`).length === count",
        arg=[f"canvas[data-method={bench.method}]", bench.explicands],
        timeout=180_000,
    )
    busy, before = 0, len(bench.times("drop"))
    hovers = len(bench.times("hover"))
    for _ in range(drops):
        bench.drag_once()
        busy += notebook.python("print(widget._page._status['task'] is not None)") == "True"
        time.sleep(0.15)
    yield line(f"slow lane busy at {busy} of them", bench.times("drop", before))
    yield line("hover over a bin → preview, slow lane busy", bench.times("hover", hovers))


def busy_kernel(bench: Bench, code: str, drops: int) -> str:
    """Time drops while a cell runs that does not give way."""
    before = len(bench.times("drop"))
    seconds = 2 + drops  # a drag takes about half a second
    begun = time.monotonic()
    bench.notebook.run_cell(1)
    bench.notebook.page.evaluate(
        """(source) => {
          const cells = window.jupyterapp.shell.currentWidget.content;
          cells.widgets[1].model.sharedModel.setSource(source);
          cells.activeCellIndex = 1;
          window.jupyterapp.commands.execute('notebook:run-cell');
        }""",
        code.format(seconds),
    )
    time.sleep(1)
    for _ in range(drops):
        bench.drag_once()
        time.sleep(0.15)
    late = time.monotonic() - begun > seconds
    times = bench.times("drop", before)
    corpus = bench.notebook.python("print('cat/2' in widget.bins.corpus)")
    shown = bench.root.locator("[data-bin=corpus] [data-image-id='cat/2']").count() == 1
    assert corpus == str(shown), "the kernel's bins differ from the page's"
    what = "sleeps" if code == SLEEPING else "computes in pure Python"
    return line(f"while a cell {what}{', which ended before the last drop' if late else ''}", times)


POINTING = """
widget.method = {}
widget.gallery_heatmaps = True
widget.wait()
if "sent" not in globals():
    sent, send = [], widget.send
    widget.send = lambda content, buffers=None: (sent.append(sum(map(len, buffers or []))), send(content, buffers))[1]
"""


def pointing(bench: Bench, method: str, moves: int) -> Iterator[str]:
    """Point at the places of an explicand, to and fro."""
    notebook, page = bench.notebook, bench.notebook.page
    notebook.python(POINTING.format(method))
    time.sleep(3)  # until the gallery's heatmaps were sent, too
    notebook.python("sent.clear()")
    box = bench.root.locator("[data-bin=explicands] .probe").first.bounding_box()
    assert box
    page.keyboard.down("Shift")
    begun = time.perf_counter()
    page.mouse.move(box["x"] + 1, box["y"] + 1)
    page.wait_for_function(
        """() => {
          const count = (selector) => document.querySelectorAll(`[data-bin=explicands] ${selector}`).length;
          return count('canvas[data-preview=place]') === count('[data-image-id]');
        }"""
    )
    yield f"pointing with {method}: all explicands follow after {1000 * (time.perf_counter() - begun):.0f} ms"
    before = len(bench.times("place"))
    for i in range(moves):
        x, y = (0.3, 0.55, 0.8, 0.05)[i % 4], (0.1, 0.35, 0.6, 0.9)[i // 4 % 4]
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        page.evaluate("(count) => window.cocoa.timed('place', count)", before + i + 1)
        time.sleep(0.1)
    page.keyboard.up("Shift")
    yield line("another place → repainted heatmaps", bench.times("place", before))
    images, sizes = notebook.python("print(len(widget._engine._state.visible()), sum(sent), max(sent))").split(
        maxsplit=1
    )
    total, largest = map(int, sizes.split())
    sent = f"{total / 1e6:.2f} MB, a message {largest / 1e3:.0f} kB at most"
    yield f"bytes for {bench.explicands} explicands and {images} gallery images: {sent}"


def line(what: str, times: list[float]) -> str:
    times = sorted(times)
    if not times:
        return f"{what}: none"
    return (
        f"{what}: {len(times)} times, p50 {statistics.median(times):.0f} ms,"
        f" p95 {times[int(0.95 * (len(times) - 1))]:.0f} ms, most {times[-1]:.0f} ms"
    )


@contextmanager
def lab_at(folder: Path) -> Iterator[Lab]:
    lab = Lab(folder)
    try:
        yield lab
    finally:
        lab.stop()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--drops", type=int, default=50)
    parser.add_argument("--method", choices=METHODS, default="rise")
    parser.add_argument("--explicands", type=int, default=12)
    arguments = parser.parse_args()
    drops, method, explicands = arguments.drops, arguments.method, arguments.explicands
    cell = CELL.format(last=8 + explicands, method=METHODS[method])
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    with lab_at(Path(tempfile.mkdtemp())) as lab, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=CHROMIUM_FLAGS)
        page = browser.new_context(viewport={"width": 1500, "height": 1100}).new_page()
        first = FIRST.format(method=METHODS[method])
        for name, cells in (("first", [FIRST_SETUP, first]), ("latency", [cell, "pass"])):
            notebook = nbformat.v4.new_notebook(
                cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata=metadata
            )
            nbformat.write(notebook, lab.folder / f"{name}.ipynb")
        print(first_heatmaps(Notebook(lab, page, "first.ipynb"), method), flush=True)
        lab.end_sessions()
        print(f"pointer-up → repainted heatmaps of {explicands} explicands, {method}:")
        bench = prepared(Notebook(lab, page, "latency.ipynb"), method, explicands)
        print(busy_kernel(bench, SLEEPING, drops), flush=True)
        print(busy_kernel(bench, COMPUTING, drops), flush=True)
        for found in busy_slow_lane(bench, drops):
            print(found, flush=True)
        for pointed in ('"cam"', '"sharp"'):
            for found in pointing(bench, pointed, drops):
                print(found, flush=True)
        lab.end_sessions()
        with delaying_proxy(lab.port, 0.1) as port:
            direct, lab.url = lab.url, f"http://127.0.0.1:{port}"
            bench = prepared(Notebook(lab, page, "latency.ipynb"), method, explicands)
            for _ in range(drops):
                bench.drag_once()
                time.sleep(0.15)
            print(line("through a proxy with 100 ms each way", bench.times("drop")), flush=True)
            lab.url = direct
        browser.close()


if __name__ == "__main__":
    main()
