"""The documentation names what exists: links, public names, tests, rooms, the version."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import cocoa_widget as cw
from cocoa_widget import attribution, evaluation

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [
    page
    for page in sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
    if not page.relative_to(ROOT).as_posix().startswith("docs/_build")
]


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files(page):
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    files = [link.partition("#")[0] for link in links if not re.match(r"https?://|#", link)]
    assert not [file for file in files if not (page.parent / file).exists()]


def test_the_reference_lists_all_public_names_and_no_others():
    pages = "\n".join(page.read_text(encoding="utf-8") for page in (DOCS / "reference").glob("*.md"))
    entries = re.findall(r"^\.\. auto\w+:: ([\w.]+)$", pages, re.M)
    entries += [f"cocoa_widget.{name}" for name in re.findall(r"^\.\. py:data:: (\w+)$", pages, re.M)]
    public = [f"{module.__name__}.{name}" for module in (cw, evaluation) for name in module.__all__]
    # What a prepared explicand hands out, and a user has no reason to make, is documented where it is.
    names = ("Operator", "ScoreSpread", "SeparableSpread", "SuperpixelSpread")
    handed_out = [f"{attribution.__name__}.{name}" for name in names]
    assert sorted(entries) == sorted(public + handed_out)


@pytest.mark.parametrize("named", [cw.METHODS, cw.TARGETS, cw.SIMILARITIES, cw.BASELINES])
def test_the_page_on_methods_lists_all_choices(named):
    page = text_of("docs/methods.md")
    assert not [name for name in named if f'`"{name}"`' not in page]


def named_tests(page: str) -> list[tuple[str, str]]:
    """Return the file and the test of each entry in a page; an entry without a file is of the last file."""
    found, file = [], ""
    for path, test in re.findall(r"`((?:[\w/.-]+\.(?:py|ts))?)(?:::(test_\w+))?`", page):
        file = path or file
        if path or test:
            found.append((file, test))
    return found


def test_the_tests_that_the_page_on_security_names_exist():
    for file, test in named_tests(text_of("docs/security.md").partition("\n## ")[2]):
        path = ROOT / file if file.startswith("js/") else ROOT / "tests" / file
        assert path.exists(), f"{file} is not there: name the file in which its tests are now"
        if test:
            assert f"def {test}(" in path.read_text(encoding="utf-8"), f"{file} has no {test}"


def test_the_rooms_are_those_of_the_import_contract():
    """Both have the same order, the page from the ground up and the contract from the roof down."""
    page = text_of("docs/architecture.md").partition("## The rooms")[2].partition("js/src/")[0]
    rooms = re.findall(r"`(\w+)(?:/|\.py)`", "\n".join(re.findall(r"^\| (`[^|]*) \|", page, re.M)))
    (contract,) = tomllib.loads(text_of("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    assert rooms == [room for layer in reversed(contract["layers"]) for room in re.findall(r"\w+", layer)]


def test_versions_agree():
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    assert project["version"] == cw.__version__
    assert f"\nversion: {cw.__version__}\n" in text_of("CITATION.cff")
    assert cw.__version__ in text_of("CHANGELOG.md")
