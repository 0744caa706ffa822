"""The kernel goes away: the page says so, keeps what was done, and offers it to the cell that is run again."""

from __future__ import annotations

import os
import signal

from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import RESULTS, Notebook, Open
from tests.e2e.widget import (
    WIDGET,
    choose_theme,
    drag,
    expect_bins,
    heatmap,
    repainted,
    root_of,
    settled,
    tile,
    version,
)

DIALOG = ".jp-Dialog .jp-mod-accept"


def restart(notebook: Notebook) -> None:
    """Restart the kernel by the menu's command, and confirm it."""
    notebook.page.evaluate("void window.jupyterapp.commands.execute('kernelmenu:restart')")
    notebook.page.locator(DIALOG).click()
    notebook.await_kernel()


def await_closed(page: Page) -> Locator:
    """Wait until the page says that its kernel is gone; return its root."""
    root = page.locator("[data-cocoa][data-kernel=closed]")
    expect(root).to_have_count(1)
    alert = root.get_by_role("alert")
    expect(alert).to_contain_text("Run the cell again")
    expect(heatmap(root, "mosaic/1")).to_have_attribute("data-stale", "false")  # the page computes it
    status = root.get_by_role("group", name="Status")
    expect(status).to_contain_text("no kernel")
    expect(status).not_to_contain_text("ready")
    return root


def rerun(notebook: Notebook) -> Locator:
    """Run the widget's cell again; return the root of the new view."""
    notebook.run_cell(0)
    expect(notebook.page.locator("[data-cocoa][data-kernel=closed]")).to_have_count(0)
    root = root_of(notebook)
    settled(root, "mosaic/1")
    return root


def shoot(root: Locator, name: str) -> None:
    RESULTS.mkdir(exist_ok=True)
    root.page.mouse.move(2, 2)
    root.screenshot(path=RESULTS / f"{name}.png")


def test_a_restart_is_said_and_what_was_done_can_be_restored(notebook: Notebook) -> None:
    root, page = root_of(notebook), notebook.page
    settled(root, "mosaic/1")
    before = version(root)
    drag(page, tile(root, "gallery", "cat/2"), root.locator("[data-bin=corpus]"))
    repainted(root, before)
    restart(notebook)
    root = await_closed(page)
    shoot(root, "kernel-gone-light")
    # Nothing throws, and what is done now is kept as well (the fixture `page` fails on errors).
    drag(page, tile(root, "gallery", "cat/3"), root.locator("[data-bin=foil]"))
    expect(tile(root, "foil", "cat/3")).to_be_visible()
    root.locator("[data-action=undo]").focus()
    page.keyboard.press("Enter")
    expect(tile(root, "foil", "cat/3")).to_have_count(0)
    page.keyboard.press("Control+Shift+z")
    expect(tile(root, "foil", "cat/3")).to_be_visible()
    choose_theme(root, "dark")
    shoot(root, "kernel-gone-dark")

    root = rerun(notebook)
    expect_bins(notebook, ["cat/1"], ["coffee/1"], ["mosaic/1"])
    offer = root.get_by_role("group", name="Restore the bins")
    expect(offer).to_contain_text("2 in corpus, 2 in foil, 1 explained")
    shoot(root, "restore-dark")
    choose_theme(root, "light")
    shoot(root, "restore-light")
    before = version(root)
    offer.get_by_role("button", name="Restore").focus()
    page.keyboard.press("Enter")
    repainted(root, before)
    expect(offer).to_have_count(0)
    expect_bins(notebook, ["cat/1", "cat/2"], ["coffee/1", "cat/3"], ["mosaic/1"])
    settled(root, "mosaic/1")
    expect(heatmap(root, "mosaic/1")).to_have_attribute("data-stale", "false")
    # One step to undo.
    root.locator("[data-action=undo]").click()
    expect(tile(root, "corpus", "cat/2")).to_have_count(0)
    expect_bins(notebook, ["cat/1"], ["coffee/1"], ["mosaic/1"])


def test_a_crash_is_said_and_an_offer_can_be_dismissed(open_notebook: Open) -> None:
    notebook = open_notebook(WIDGET, "import os\nos._exit(1)")
    notebook.run_cell(0)
    root, page = root_of(notebook), notebook.page
    settled(root, "mosaic/1")
    before = version(root)
    drag(page, tile(root, "gallery", "cat/2"), root.locator("[data-bin=corpus]"))
    repainted(root, before)
    notebook.run_cell(1)
    page.locator(DIALOG).click()  # JupyterLab says that the kernel has died
    await_closed(page)
    notebook.await_kernel()
    root = rerun(notebook)
    offer = root.get_by_role("group", name="Restore the bins")
    expect(offer).to_contain_text("2 in corpus, 1 in foil")
    offer.get_by_role("button", name="Dismiss").click()
    expect(offer).to_have_count(0)
    expect_bins(notebook, ["cat/1"], ["coffee/1"], ["mosaic/1"])
    # It works, and is not offered again.
    before = version(root)
    root.locator("[data-action=swap]").click()
    repainted(root, before)
    expect_bins(notebook, ["coffee/1"], ["cat/1"])


def test_a_busy_kernel_is_not_taken_for_a_dead_one(notebook: Notebook) -> None:
    """One that is stopped looks like one that runs a cell which lets nothing else in."""
    root, page = root_of(notebook), notebook.page
    settled(root, "mosaic/1")
    kernel = int(notebook.python("import os; print(os.getpid())"))
    os.kill(kernel, signal.SIGSTOP)
    try:
        drag(page, tile(root, "gallery", "cat/2"), root.locator("[data-bin=corpus]"))
        expect(root).to_have_attribute("data-kernel", "silent")
        expect(root.get_by_role("group", name="Status")).to_contain_text("busy with a cell, or gone")
        expect(root.get_by_role("alert")).to_have_count(0)
        expect(heatmap(root, "mosaic/1")).to_have_attribute("data-stale", "false")  # the page has computed it
        shoot(root, "kernel-silent")
        # The bins go on, and undo too.
        drag(page, tile(root, "gallery", "cat/3"), root.locator("[data-bin=foil]"))
        expect(tile(root, "foil", "cat/3")).to_be_visible()
        page.keyboard.press("Control+z")
        expect(tile(root, "foil", "cat/3")).to_have_count(0)
        drag(page, tile(root, "gallery", "cat/1"), root.locator("[data-bin=foil]"))
        expect(tile(root, "corpus", "cat/1")).to_have_count(0)
    finally:
        os.kill(kernel, signal.SIGCONT)
    expect(root).to_have_attribute("data-kernel", "live")
    settled(root, "mosaic/1")
    expect(heatmap(root, "mosaic/1")).to_have_attribute("data-stale", "false")
    expect_bins(notebook, ["cat/2"], ["coffee/1", "cat/1"])


def test_a_cell_that_asks_for_it_takes_over_the_bins_of_a_kernel_that_is_gone(open_notebook: Open) -> None:
    notebook = open_notebook(WIDGET.replace('corpus=["cat/1"]', 'restore=True, corpus=["cat/1"]'))
    notebook.run_cell(0)
    root, page = root_of(notebook), notebook.page
    settled(root, "mosaic/1")
    restart(notebook)
    root = await_closed(page)
    drag(page, tile(root, "gallery", "cat/3"), root.locator("[data-bin=foil]"))
    expect(tile(root, "foil", "cat/3")).to_be_visible()
    root = rerun(notebook)
    expect(tile(root, "foil", "cat/3")).to_be_visible()
    expect_bins(notebook, ["cat/1"], ["coffee/1", "cat/3"], ["mosaic/1"])
    root.locator("[data-action=undo]").click()
    expect_bins(notebook, ["cat/1"], ["coffee/1"], ["mosaic/1"])
