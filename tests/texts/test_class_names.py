"""Lists of class names."""

from __future__ import annotations

import pytest

import cocoa_widget as cw


class TestClassNames:
    @pytest.mark.parametrize(("name", "count"), [("imagenet", 1000), ("cifar100", 100), ("coco", 80), ("cifar10", 10)])
    def test_lists(self, name, count):
        names = cw.class_names(name)
        assert len(names) == len(set(names)) == count
        assert all(each == each.strip() and each for each in names)

    def test_a_misspelt_list_gets_a_suggestion(self):
        with pytest.raises(ValueError, match="Did you mean cifar100"):
            cw.class_names("CIFAR-100")
