"""The built page, and the error where it is missing."""

from __future__ import annotations

import pytest

from cocoa_widget.host import built_page as module


def test_a_missing_page_says_how_to_build_it(make_widget, monkeypatch, tmp_path):
    monkeypatch.setattr(module, "STATIC", tmp_path)
    module.page_file.cache_clear()
    with pytest.raises(RuntimeError, match=r"npm ci && npm run build"):
        make_widget()
    module.page_file.cache_clear()
