"""Templates around prompts."""

import pytest

from cocoa_widget.texts.templates import fill, sentences


def test_braces_in_a_prompt_stay():
    assert fill("photo", "a {} in {braces}") == ["This is a photo of a a {} in {braces}"]


@pytest.mark.parametrize("template", ["a photo", "{} and {}", ""])
def test_a_template_without_one_place_is_refused(template):
    with pytest.raises(ValueError, match="must have one {}"):
        sentences(template)
