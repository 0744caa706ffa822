"""A reading test: can the strongest place, and the sign at marked points, be read off the page without the data?

python benchmarks/reading.py make FOLDER [--look tint] [--method sharp]
python benchmarks/reading.py score FOLDER READINGS

`make` writes `sheet.png`, 12 pictures of the real page at a quarter of its size with five lettered points each, and the
answers to `answers.json`. Each line of READINGS, a text file, has a picture's number, the letter of the point with the
strongest value, and for the points A to E one of + (like the corpus), - (like the foil) and 0 (neither):
``1 C +0-0+``. `score` counts the right ones.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

import cocoa_widget as cw
from cocoa_widget.attribution import METHODS
from tests.e2e.browser import find_browser
from tests.e2e.conftest import CHROMIUM_FLAGS

PAGE = Path(__file__).parents[1] / "js"
WINDOW = {"width": 1280, "height": 720}
SHRUNK = 4
LETTERS = "ABCDE"
STRONG, WEAK = 0.5, 0.05
"""Parts of the shared scale that points with a sign exceed, and that points without one stay below."""
APART = 0.14
"""Least distance of two points, as a part of the side."""
QUESTIONS = (("cat", "coffee"), ("flower", "temple"), ("motorcycle", "astronaut"), ("rocket", "cat"))
"""Corpus and foil, by the labels of the demo images."""
EACH = 3
"""Pictures of each question."""
READY = "[data-cocoa][data-state=ready][data-scale=settled]"


def bundled(*command: str) -> str:
    """Return what esbuild makes of an entry of the page."""
    return subprocess.check_output(["node_modules/.bin/esbuild", *command, "--bundle"], cwd=PAGE, text=True)


def photo(images: cw.ImageSet, encoder: cw.Encoder, image: str) -> dict[str, Any]:
    made = images.thumbnail(image, 512)
    url = f"data:{made.media_type};base64,{base64.b64encode(made.data).decode()}"
    return {
        "url": url,
        "width": made.width,
        "height": made.height,
        "frame": list(encoder.frame(made.width, made.height)),
    }


def points(heatmap: NDArray[np.float32], scale: float, draw: np.random.Generator) -> list[tuple[int, int]] | None:
    """Draw the strongest pixel and four others, strong ones of either sign and weak ones; None if there are no such."""
    size = np.abs(heatmap)
    side = max(heatmap.shape)
    margin = side // 16
    inner = np.zeros(heatmap.shape, bool)
    inner[margin:-margin, margin:-margin] = True
    if (inner * size).max() < STRONG * scale:
        return None
    found = [divmod(int(np.argmax(inner * size)), heatmap.shape[1])]
    for wanted in (heatmap > STRONG * scale, heatmap < -STRONG * scale, size < WEAK * scale, size < WEAK * scale):
        free = wanted & inner & (size < 0.8 * size.max())  # none competes with the strongest
        rows, columns = np.nonzero(free)
        far = np.all([np.hypot(rows - y, columns - x) > APART * side for y, x in found], axis=0)
        if not far.any():  # no place of this kind is far enough away: take a weak one
            rows, columns = np.nonzero((size < WEAK * scale) & inner)
            far = np.all([np.hypot(rows - y, columns - x) > APART * side for y, x in found], axis=0)
            if not far.any():
                return None
        at = draw.choice(np.nonzero(far)[0])
        found.append((int(rows[at]), int(columns[at])))
    draw.shuffle(found)
    return found


def sign(value: float, scale: float) -> str:
    return "0" if abs(value) < WEAK * scale else "+" if value > 0 else "-"


def variety(heatmap: NDArray[np.float32], places: list[tuple[int, int]], scale: float) -> int:
    return len({sign(float(heatmap[place]), scale) for place in places})


def mark(screen: Image.Image, box: dict[str, float], places: list[tuple[float, float]]) -> Image.Image:
    """Return a picture shrunk to a quarter, shown large, with a letter at each place (row and column in 0..1)."""
    left, top, width, height = (round(box[name]) for name in ("x", "y", "width", "height"))
    tile = screen.crop((left, top, left + width, top + height))
    tile = tile.resize((width // SHRUNK, height // SHRUNK), Image.Resampling.BOX).resize((width * 2, height * 2))
    pen, font = ImageDraw.Draw(tile), ImageFont.load_default(15)
    for letter, (row, column) in zip(LETTERS, places, strict=True):
        x, y = column * 2 * width, row * 2 * height
        pen.ellipse((x - 5, y - 5, x + 5, y + 5), outline="black", width=3)
        pen.ellipse((x - 4, y - 4, x + 4, y + 4), outline="white", width=1)
        pen.text((x + 7, y - 9), letter, "white", font, stroke_width=2, stroke_fill="black")
    return tile


def labelled(images: cw.ImageSet, label: str) -> list[str]:
    return [image for image, found in zip(images.ids, images.labels, strict=True) if found == label]


def staged(heatmap: NDArray[np.float32], image: str, method: str, score: float) -> dict[str, Any]:
    """Return a heatmap as the page's stage takes it."""
    values = base64.b64encode(heatmap.astype("<f4").tobytes()).decode()
    shape, pixelwise = list(heatmap.shape), METHODS[method].pixelwise
    return {
        "image": image,
        "method": method,
        "score": score,
        "shape": shape,
        "values": values,
        "pixelwise": pixelwise,
    }


def make(folder: Path, look: str, method: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    images, encoder = cw.demo_images(), cw.load_encoder("demo")
    explicands = [*labelled(images, "mosaic"), *(i for i in images.ids if i.endswith("/1") and i != "mosaic/1")]
    prepared = cw.Explainer(encoder, method=method).prepare(images.select(explicands), progress=False)
    photos = {i: photo(images, encoder, i) for i in images.ids}
    options = ("--format=iife", "--global-name=stage", "--jsx=automatic", "--jsx-import-source=preact")
    script, style = bundled("dev/stage.ts", *options), bundled("src/index.css")
    draw, answers, pictures = np.random.default_rng(0), {}, []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=CHROMIUM_FLAGS)
        for corpus, foil in QUESTIONS:
            bins = {"corpus": labelled(images, corpus), "foil": labelled(images, foil)}
            found = prepared.explain(**{name: images.select(ids) for name, ids in bins.items()}, progress=False)
            scale = max(float(np.quantile(np.abs(each), 0.98)) for each in found.heatmaps)
            drawn = {i: points(heatmap, scale, draw) for i, heatmap in enumerate(found.heatmaps)}
            asked = {i: places for i, places in drawn.items() if places}
            # The widest choice of signs first.
            asked = dict(
                sorted(asked.items(), key=lambda each: -variety(found.heatmaps[each[0]], each[1], scale))[:EACH]
            )
            page = browser.new_context(viewport=WINDOW, reduced_motion="reduce").new_page()
            page.set_content(f"<!doctype html><style>body {{ margin: 0 }} {style}</style><div id=page></div>")
            page.add_script_tag(content=script)
            traits = {**bins, "explicands": [explicands[i] for i in asked], "look": look, "height": WINDOW["height"]}
            heatmaps = [staged(found.heatmaps[i], explicands[i], method, float(found.scores[i])) for i in asked]
            stage = {"photos": photos, "labels": list(images.labels), "heatmaps": heatmaps, "traits": traits}
            page.evaluate("(given) => stage.stage(document.getElementById('page'), given)", stage)
            page.wait_for_selector(READY)
            screen = Image.open(io.BytesIO(page.screenshot()))
            for i, places in asked.items():
                heatmap = found.heatmaps[i]
                box = page.locator(f"[data-bin=explicands] [data-image-id='{explicands[i]}'] .heat").bounding_box()
                assert box
                parts = [((y + 0.5) / heatmap.shape[0], (x + 0.5) / heatmap.shape[1]) for y, x in places]
                pictures.append(mark(screen, dict(box), parts))
                values = [float(heatmap[place]) for place in places]
                answers[len(pictures)] = {
                    "strongest": LETTERS[int(np.argmax(np.abs(values)))],
                    "signs": "".join(sign(value, scale) for value in values),
                }
        browser.close()
    (folder / "answers.json").write_text(json.dumps(answers, indent=1))
    side = max(max(picture.size) for picture in pictures)
    sheet = Image.new("RGB", (4 * (side + 8), -(-len(pictures) // 4) * (side + 28)), "white")
    for i, picture in enumerate(pictures):
        at = (i % 4) * (side + 8), (i // 4) * (side + 28)
        ImageDraw.Draw(sheet).text(at, str(i + 1), "black", ImageFont.load_default(18))
        sheet.paste(picture, (at[0], at[1] + 22))
    sheet.save(folder / "sheet.png")
    print(f"{len(pictures)} pictures: {folder / 'sheet.png'}")


def score(folder: Path, readings: Path) -> None:
    answers = json.loads((folder / "answers.json").read_text())
    strongest, signs = 0, 0
    for line in readings.read_text().splitlines():
        number, letter, read = line.split()
        strongest += answers[number]["strongest"] == letter
        signs += sum(a == b for a, b in zip(answers[number]["signs"], read, strict=True))
    total = len(LETTERS) * len(answers)
    print(f"strongest place: {strongest} of {len(answers)}; signs: {signs} of {total}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("make")
    making.add_argument("folder", type=Path)
    making.add_argument("--look", default="tint")
    making.add_argument("--method", default="sharp")
    scoring = commands.add_parser("score")
    scoring.add_argument("folder", type=Path)
    scoring.add_argument("readings", type=Path)
    given = parser.parse_args()
    if given.command == "make":
        make(given.folder, given.look, given.method)
    else:
        score(given.folder, given.readings)


if __name__ == "__main__":
    main()
