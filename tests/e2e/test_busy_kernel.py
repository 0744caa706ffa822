"""Drops around a cell that runs for long: heatmaps follow at once, before, while and after it runs."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Notebook, Open
from tests.e2e.widget import WIDGET, drag, expect_bins, heatmap, repainted, root_of, settled, tile, version

LONG = """
import pathlib, time
print("started")
while not pathlib.Path("go on").exists():
    {}
print("finished")
"""
SLEEPS, COMPUTES = LONG.format("time.sleep(0.01)"), LONG.format("sum(i * i for i in range(100_000))")
AT_ONCE = 2_000
"""Milliseconds for what does not wait for the kernel, on a busy machine."""
OUTPUT = "() => JSON.stringify(window.jupyterapp.shell.currentWidget.content.widgets[1].model.outputs.toJSON())"


def start(open_notebook: Open, long: str) -> Notebook:
    """Open the widget, with a second cell that runs until a file exists."""
    notebook = open_notebook(WIDGET, long)
    (notebook.lab.folder / "go on").unlink(missing_ok=True)
    notebook.run_cell(0)
    return notebook


@pytest.fixture
def busy(open_notebook: Open) -> Notebook:
    return start(open_notebook, SLEEPS)


def has_printed(notebook: Notebook, word: str) -> bool:
    return word in notebook.page.evaluate(OUTPUT)


def await_print(notebook: Notebook, word: str) -> None:
    notebook.page.wait_for_function(f"(word) => ({OUTPUT})().includes(word)", arg=word)


def test_drops_before_and_in_a_running_cell_do_not_wait_for_it(busy: Notebook) -> None:
    root, page = root_of(busy), busy.page
    settled(root, "mosaic/1")
    before = version(root)
    drag(page, tile(root, "gallery", "cat/2"), root.locator("[data-bin=corpus]"))
    busy.run_cell(1)  # while the drop is being answered
    await_print(busy, "started")
    repainted(root, before)
    for image in ("cat/3", "cat/4"):
        before = version(root)
        drag(page, tile(root, "gallery", image), root.locator("[data-bin=corpus]"))
        expect(tile(root, "corpus", image)).to_be_visible()
        repainted(root, before)
        expect(heatmap(root, "mosaic/1")).to_have_attribute("data-stale", "false")
        assert not has_printed(busy, "finished")
    (busy.lab.folder / "go on").touch()
    await_print(busy, "finished")
    assert busy.python("print(widget.bins.corpus)") == "('cat/1', 'cat/2', 'cat/3', 'cat/4')"


@pytest.mark.parametrize("long", [SLEEPS, COMPUTES], ids=["sleeps", "computes"])
def test_bins_change_at_once_in_a_running_cell_and_are_the_kernels_afterwards(open_notebook: Open, long: str) -> None:
    notebook = start(open_notebook, long)
    root, page = root_of(notebook), notebook.page
    settled(root, "mosaic/1")
    notebook.run_cell(1)
    await_print(notebook, "started")
    for image, bin_name in (("cat/2", "corpus"), ("cat/4", "foil"), ("cat/3", "corpus"), ("cat/1", "foil")):
        drag(page, tile(root, "gallery", image), root.locator(f"[data-bin={bin_name}]"))
        expect(tile(root, bin_name, image)).to_be_visible(timeout=AT_ONCE)
    page.keyboard.press("Control+z")
    expect(tile(root, "foil", "cat/1")).to_have_count(0, timeout=AT_ONCE)
    assert not has_printed(notebook, "finished")
    (notebook.lab.folder / "go on").touch()
    await_print(notebook, "finished")
    shown = [
        [each.get_attribute("data-image-id") for each in root.locator(f"[data-bin={name}] [data-image-id]").all()]
        for name in ("corpus", "foil")
    ]
    assert shown == [["cat/1", "cat/2", "cat/3"], ["coffee/1", "cat/4"]]
    expect_bins(notebook, *shown)
