"""Drops around a cell that runs for long: heatmaps follow at once, before, while and after it runs."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Notebook, Open
from tests.e2e.widget import WIDGET, drag, heatmap, repainted, root_of, settled, tile, version

LONG = """
import pathlib, time
print("started")
while not pathlib.Path("go on").exists():
    time.sleep(0.01)
print("finished")
"""
OUTPUT = "() => JSON.stringify(window.jupyterapp.shell.currentWidget.content.widgets[1].model.outputs.toJSON())"


@pytest.fixture
def busy(open_notebook: Open) -> Notebook:
    notebook = open_notebook(WIDGET, LONG)
    notebook.run_cell(0)
    return notebook


def has_printed(notebook: Notebook, word: str) -> bool:
    return word in notebook.page.evaluate(OUTPUT)


def await_print(notebook: Notebook, word: str) -> None:
    notebook.page.wait_for_function(f"(word) => ({OUTPUT})().includes(word)", arg=word)


def test_drops_before_and_in_a_running_cell_do_not_wait_for_it(busy: Notebook) -> None:
    root, page = root_of(busy), busy.page
    settled(root, "mosaic/1")
    (busy.lab.folder / "go on").unlink(missing_ok=True)
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
