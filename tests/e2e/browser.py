"""Find a Chromium, or bring one: ``python tests/e2e/browser.py [--install]`` prints its path."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find_browser() -> str | None:
    """Return the path of a Chromium: of `CHROMIUM`, of the system, or of Playwright; None if all are missing."""
    if os.environ.get("CHROMIUM"):
        return os.environ["CHROMIUM"]
    for name in NAMES:
        if path := shutil.which(name):
            return path
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def install() -> None:
    """Install a Chromium: Playwright's own, else the distribution's."""
    if subprocess.run([sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"]).returncode == 0:
        return
    if shutil.which("apt-get"):
        root = [] if os.geteuid() == 0 else ["sudo"]
        subprocess.run([*root, "apt-get", "update", "-qq"], check=True)
        subprocess.run(
            [*root, "apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"],
            check=True,
        )


if __name__ == "__main__":
    if find_browser() is None and "--install" in sys.argv:
        install()
    found = find_browser()
    if found is None:
        sys.exit("No Chromium was found: install Chromium or Chrome, or set CHROMIUM to its path.")
    if "--install" not in sys.argv:
        print(found)  # noqa: T201
