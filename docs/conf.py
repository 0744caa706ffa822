"""Settings of the documentation site; `make docs` builds it without a network and treats warnings as errors."""

from __future__ import annotations

import inspect
import shutil
import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS), str(DOCS.parent)]

import cocoa_widget  # noqa: E402

project = "cocoa_widget"
author = "cocoa_widget developers"
version = release = cocoa_widget.__version__

extensions = [
    "sphinx.ext.autodoc",
    "numpydoc",
    "myst_nb",
    "sphinx_copybutton",
    "sphinx_design",
    "mathml",
]
exclude_patterns = ["_build"]
default_role = "py:obj"  # `names` in docstrings become links

# Sphinx reads only what lies in this folder, so the notebooks are copied into it (the copies are ignored by git).
for notebook in sorted((DOCS.parent / "notebooks").glob("*.ipynb")):
    copy = DOCS / "notebooks" / notebook.name
    copy.parent.mkdir(exist_ok=True)
    if not copy.exists() or copy.read_bytes() != notebook.read_bytes():
        shutil.copy(notebook, copy)

# ---- Markdown and notebooks ----------------------------------------------------------------------------------------

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # the outputs are those that `make notebooks` has stored
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]
nb_ipywidgets_js = {}  # these would be loaded from a content delivery network

# ---- the reference -------------------------------------------------------------------------------------------------

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings' "Parameters" give the types, in words
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
add_module_names = False


def signature_of(app: Any, kind: str, name: str, found: Any, *_: Any) -> tuple[str, str] | None:
    """Show the arguments of a class's constructor, which autodoc looks for in ``__new__`` first."""
    if kind != "class" or not inspect.isfunction(found.__init__) or found.__new__ is object.__new__:
        return None
    signature = inspect.signature(found.__init__)
    plain = [p.replace(annotation=p.empty) for p in list(signature.parameters.values())[1:]]
    return str(signature.replace(parameters=plain, return_annotation=signature.empty)), ""


def links_to_copies(app: Any, page: str, text: list[str]) -> None:
    """Lead links to notebooks, which are right in the repository, to the copies within this folder."""
    text[0] = text[0].replace("../notebooks/", "notebooks/")


def setup(app: Any) -> None:
    """Register what this file adds to Sphinx."""
    app.connect("source-read", links_to_copies)
    app.connect("autodoc-process-signature", signature_of)


# ---- the look ------------------------------------------------------------------------------------------------------

html_theme = "pydata_sphinx_theme"
html_title = "cocoa_widget"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {page: [] for page in ("index", "encoders", "methods", "notebooks/quickstart")}
html_theme_options = {
    "logo": {"text": "cocoa_widget"},
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": [],
    "footer_end": [],
    "show_toc_level": 2,
    "pygments_light_style": "tango",
    "pygments_dark_style": "monokai",
}
