"""What is installed: a light import, and a wheel that brings the page along."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_importing_brings_no_optional_library():
    code = (
        "import sys, cocoa_widget;"
        "heavy = {'torchvision', 'timm', 'skimage', 'sklearn', 'matplotlib', 'pandas', 'datasets', 'captum'};"
        "print(*heavy & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == ""


def test_the_wheel_brings_the_page(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "COCOA_WIDGET_SKIP_PAGE": "1"},  # it lies there already: the tests that need it ran `npm`
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        page = archive.read("cocoa_widget/static/widget.js")
    assert {"cocoa_widget/static/widget.css", "cocoa_widget/py.typed", "cocoa_widget/widget.py"} <= names
    assert len(page) > 10_000
    assert not [name for name in names if name.startswith(("js/", "tests/", "notebooks/"))]
    assert page == (ROOT / "cocoa_widget/static/widget.js").read_bytes()
