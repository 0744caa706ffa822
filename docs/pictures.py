"""The documentation's pictures of the quickstart in JupyterLab: ``python -m docs.pictures`` writes them into docs/."""

from __future__ import annotations

import io
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Page, expect, sync_playwright

from tests.e2e.browser import find_browser
from tests.e2e.conftest import CHROMIUM_FLAGS, ROOT, Lab, Notebook
from tests.e2e.widget import root_of, settled, tile

SIZE = (1440, 1000)
FRAME_WIDTH = 960
FRAME_MS = 60
HOLD_MS = 900
ARROW = [(0, 0), (0, 17), (4, 13), (7, 20), (10, 19), (7, 12), (13, 12)]
"""The outline of a pointer, which screenshots of a browser do not contain."""


@dataclass
class Film:
    """Frames of the page, with the pointer drawn in."""

    root: Locator
    at: tuple[float, float] = (2, 2)
    frames: list[Image.Image] = field(default_factory=list)
    durations: list[int] = field(default_factory=list)

    def shoot(self, ms: int = FRAME_MS) -> None:
        """Add the page as it looks now, for so many milliseconds."""
        box = self.root.bounding_box()
        assert box
        picture = Image.open(io.BytesIO(self.root.screenshot())).convert("RGB")
        x, y = self.at[0] - box["x"], self.at[1] - box["y"]
        outline = [(x + dx, y + dy) for dx, dy in ARROW]
        ImageDraw.Draw(picture).polygon(outline, fill="black", outline="white")
        height = round(FRAME_WIDTH * picture.height / picture.width)
        self.frames.append(picture.resize((FRAME_WIDTH, height), Image.Resampling.LANCZOS))
        self.durations.append(ms)

    def move(self, target: Locator, steps: int = 10) -> None:
        """Move the pointer onto an element, smoothly."""
        box = target.bounding_box()
        assert box
        (x0, y0), (x1, y1) = self.at, (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        for step in range(1, steps + 1):
            part = (step / steps) ** 2 * (3 - 2 * step / steps)
            self.at = (x0 + part * (x1 - x0), y0 + part * (y1 - y0))
            self.root.page.mouse.move(*self.at)
            self.shoot()

    def save(self, path: Path) -> None:
        """Write the frames as an animated WebP that repeats."""
        first, *rest = self.frames
        first.save(path, save_all=True, append_images=rest, duration=self.durations, loop=0, quality=72, method=4)


def open_quickstart(page: Page, lab: Lab) -> Locator:
    """Run the quickstart's first two cells, and wait until their heatmaps are complete."""
    quickstart = (ROOT / "notebooks/quickstart.ipynb").read_bytes()
    (lab.folder / "quickstart.ipynb").write_bytes(quickstart)
    notebook = Notebook(lab, page, "quickstart.ipynb")
    page.evaluate("window.jupyterapp.shell.collapseLeft()")
    for cell in (1, 3):
        notebook.run_cell(cell)
    root = root_of(notebook)
    notebook.python("widget.wait()")
    for image in ("astronaut/1", "mosaic/1"):
        settled(root, image)
        expect(tile(root, "explicands", image).locator("[data-stability]")).to_be_visible()
    expect(root.locator(".task")).to_have_count(0)  # the gallery is encoded: a drag is answered at once
    page.mouse.move(2, 2)
    return root


def film_a_drag(root: Locator) -> Film:
    """Drag a portrait into the foil: heatmaps show what the drop would do, and then what it does."""
    root.locator("[data-bin=gallery] input").fill("astronaut")
    film = Film(root)
    film.shoot(HOLD_MS)
    film.move(tile(root, "gallery", "astronaut/2"))
    root.page.mouse.down()
    film.move(root.locator("[data-bin=foil]"), steps=16)
    film.shoot(HOLD_MS)
    root.page.mouse.up()
    film.shoot(HOLD_MS)
    film.move(tile(root, "corpus", "rocket/4"))
    root.page.mouse.down()
    film.move(root.locator("[data-bin=foil]"), steps=12)
    film.shoot(HOLD_MS)
    film.move(root.locator("[data-bin=corpus]"), steps=12)
    root.page.mouse.up()
    film.shoot(HOLD_MS)
    return film


def main() -> None:
    """Write docs/widget.png and docs/drag.webp."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        lab = Lab(Path(folder))
        try:
            browser = playwright.chromium.launch(executable_path=find_browser(), args=CHROMIUM_FLAGS)
            page = browser.new_context(viewport={"width": SIZE[0], "height": SIZE[1]}).new_page()
            page.set_default_timeout(180_000)
            root = open_quickstart(page, lab)
            root.screenshot(path=ROOT / "docs/widget.png")
            film_a_drag(root).save(ROOT / "docs/drag.webp")
            browser.close()
        finally:
            lab.stop()


if __name__ == "__main__":
    main()
