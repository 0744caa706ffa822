"""The time that the page takes to compute and paint heatmaps from products, in Chromium and without a kernel.

python benchmarks/page_engine.py [--runs 200]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.e2e.browser import find_browser
from tests.e2e.conftest import CHROMIUM_FLAGS

PAGE = Path(__file__).parents[1] / "js"
EXPLICANDS, MEMBERS = 12, 100
PLAIN = [(cells, size, 300, False) for cells in (10, 14, 28) for size in (112, 224)]
GUIDED = [(28, 112, 300, True), (28, 112, 96, True), (28, 56, 300, True)]
SETTINGS = [*PLAIN, *GUIDED]
"""Cells, pixels of the heatmap, and pixels of a tile, of one side each; and whether there is a guided filter."""


def bundle() -> str:
    """Return the script that times the engine, with all that it imports."""
    build = ["node_modules/.bin/esbuild", "dev/time-engine.ts", "--bundle", "--minify"]
    return subprocess.check_output([*build, "--format=iife", "--global-name=timing"], cwd=PAGE, text=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    runs = parser.parse_args().runs
    print(f"{EXPLICANDS} explicands, {MEMBERS} members in the bins; median (95 %) of {runs} runs, for all explicands")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=CHROMIUM_FLAGS)
        page = browser.new_context(reduced_motion="reduce").new_page()
        page.add_script_tag(content=bundle())
        for cells, size, tile, guided in SETTINGS:
            setting = {"explicands": EXPLICANDS, "members": MEMBERS, "cells": cells, "size": size, "tile": tile}
            times = page.evaluate(
                "(setting) => timing.timeEngine(setting)", {**setting, "guided": guided, "runs": runs}
            )
            words = "; ".join(f"{name} {t['median']:.2f} ({t['most']:.2f}) ms" for name, t in times.items())
            what = f", filtered with a guide of {size} x {size}" if guided else f" for {size} x {size}"
            print(f"{cells**2} cells{what} pixels, tiles of {tile} pixels: {words}")
        browser.close()


if __name__ == "__main__":
    main()
