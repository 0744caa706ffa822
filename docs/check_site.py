"""Check the built site: it loads nothing from other hosts, and documents every public name.

python docs/check_site.py [docs/_build/html]
"""

from __future__ import annotations

import re
import sys
import zlib
from html.parser import HTMLParser
from pathlib import Path

import cocoa_widget
from cocoa_widget import evaluation

LOADING = {"src", "srcset", "poster", "data", "background"}
"""Attributes whose address a browser loads by itself; links (``href`` of ``a``) are only followed by the reader."""
FOREIGN = re.compile(r"^\s*(?:https?:)?//", re.IGNORECASE)
IN_STYLES = re.compile(r"""(?:@import\s+|url\()\s*["']?\s*((?:https?:)?//[^"')\s]+)""", re.IGNORECASE)
IN_SCRIPTS = re.compile(r"""(?:import\s*\(?|from|fetch\(|importScripts\()\s*["'`]((?:https?:)?//[^"'`]+)""")


class Loads(HTMLParser):
    """The addresses on other hosts that a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the addresses of a tag."""
        self._inside = tag
        for name, value in attrs:
            loads = name in LOADING or (name == "href" and tag in ("link", "use", "image", "base"))
            if loads and value and any(FOREIGN.match(part) for part in value.split(",")):
                self.found.append(value)
            if name == "style" and value:
                self.found += IN_STYLES.findall(value)

    def handle_endtag(self, tag: str) -> None:
        """Leave a tag."""
        self._inside = ""

    def handle_data(self, data: str) -> None:
        """Collect the addresses in a style sheet or a script within the page."""
        if self._inside == "style":
            self.found += IN_STYLES.findall(data)
        elif self._inside == "script":
            self.found += IN_SCRIPTS.findall(data)


def loaded_from_elsewhere(path: Path) -> list[str]:
    """List the addresses on other hosts that a file of the site loads."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".css":
        return IN_STYLES.findall(text)
    if path.suffix == ".js":
        return IN_SCRIPTS.findall(text)
    page = Loads()
    page.feed(text)
    return page.found


def undocumented(site: Path) -> list[str]:
    """List the public names that the reference lacks."""
    *_, packed = (site / "objects.inv").read_bytes().split(b"\n", 4)  # four lines of header
    documented = {line.split(" ")[0] for line in zlib.decompress(packed).decode().splitlines()}
    public = [f"{module.__name__}.{name}" for module in (cocoa_widget, evaluation) for name in module.__all__]
    return [name for name in public if name not in documented]


def main(site: Path) -> int:
    """Print what is wrong, and return the exit status."""
    files = [path for path in sorted(site.rglob("*")) if path.suffix in (".html", ".css", ".js")]
    wrong = [f"{path.relative_to(site)} loads {url}" for path in files for url in loaded_from_elsewhere(path)]
    wrong += [f"{name} is not in the reference" for name in undocumented(site)]
    for each in wrong:
        print(each)
    print(f"{len(files)} files checked, {len(wrong)} problems")
    return bool(wrong) or not files


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/_build/html")))
