"""Drops around a cell that runs for long: heatmaps follow at once, before, while and after it runs."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Notebook, Open
from tests.e2e.widget import WIDGET, drag, heatmap, repainted, root_of, settled, tile, version

LONG = """
import pathlib, time
pathlib.Path("started").touch()
while not pathlib.Path("go on").exists():
    time.sleep(0.01)
print("through")
"""


@pytest.fixture
def busy(open_notebook: Open) -> Notebook:
    notebook = open_notebook(WIDGET, LONG)
    notebook.run_cell(0)
    return notebook


def finished(notebook: Notebook) -> bool:
    return "through" in str(
        notebook.page.evaluate(
            "() => JSON.stringify(window.jupyterapp.shell.currentWidget.content.widgets[1].model.outputs.toJSON())"
        )
    )


def await_start(notebook: Notebook) -> None:
    started = notebook.lab.folder / "started"
    for _ in range(3000):
        if started.exists():
            return
        notebook.page.wait_for_timeout(10)
    raise AssertionError("The cell did not start.")


def test_drops_before_and_in_a_running_cell_do_not_wait_for_it(busy: Notebook) -> None:
    root, page = root_of(busy), busy.page
    settled(root, "mosaic/1")
    for name in ("started", "go on"):
        (busy.lab.folder / name).unlink(missing_ok=True)
    before = version(root)
    drag(page, tile(root, "gallery", "cat/2"), root.locator("[data-bin=corpus]"))
    busy.run_cell(1)  # while the drop is being answered
    await_start(busy)
    repainted(root, before)
    for image in ("cat/3", "cat/4"):
        before = version(root)
        drag(page, tile(root, "gallery", image), root.locator("[data-bin=corpus]"))
        expect(tile(root, "corpus", image)).to_be_visible()
        repainted(root, before)
        expect(heatmap(root, "mosaic/1")).to_have_attribute("data-stale", "false")
        assert not finished(busy)
    (busy.lab.folder / "go on").touch()
    page.wait_for_function(
        "() => JSON.stringify(window.jupyterapp.shell.currentWidget.content.widgets[1].model.outputs.toJSON())"
        ".includes('through')"
    )
    assert busy.python("print(widget.bins.corpus)") == "('cat/1', 'cat/2', 'cat/3', 'cat/4')"
