"""Members of the bins as users write them."""

from __future__ import annotations

import pytest

from cocoa_widget.sessions import as_members, spelt


def test_prompts_become_members_and_empty_ones_are_refused():
    ids, refused = as_members(["a dog", " ", "a  cat\n"])
    assert ids == ["text:a dog", "text:a cat"]
    ((prompt, reason),) = refused
    assert prompt == " "
    assert "empty" in reason


def test_each_prompt_has_one_spelling():
    assert spelt(["p0", "text: a  dog", "text:a dog"]) == ["p0", "text:a dog", "text:a dog"]
    with pytest.raises(ValueError, match="empty"):
        spelt(["text: "])
