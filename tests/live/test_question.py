"""A question: which members it uses, and which layers it can show."""

from __future__ import annotations

from dataclasses import replace

import pytest

import cocoa_widget as cw
from cocoa_widget.live.question import missing_layer

from .helpers import question


@pytest.mark.parametrize(
    ("target", "used"),
    [
        ("contrastive_corpus", (("p1", "p2"), ("p3",))),
        ("corpus", (("p1", "p2"), ())),
        ("label_free", ((), ())),
        ("contrastive_label_free", ((), ("p3",))),
    ],
)
def test_members_that_the_target_does_not_use_are_left_out(target, used):
    assert question(target=target).used == used


class Own(cw.Occlusion):
    """A method of the user's that knows its error."""

    estimates_error = True


@pytest.mark.parametrize(
    ("layer", "method", "smallest", "says"),
    [
        ("attribution", cw.Saliency(), 1, None),
        ("error", cw.RISE(), 1, None),
        ("error", Own(), 1, None),
        ("error", cw.RISE(follow_edges=True), 1, "before the guided filter"),
        ("error", cw.Occlusion(), 1, "nothing at random"),
        ("stability", cw.RISE(), 2, None),
        ("stability", cw.RISE(), 0, None),
        ("stability", cw.RISE(), 1, "single image cannot be resampled"),
        ("stability", cw.Saliency(), 2, "encoder passes for every resampled bin"),
    ],
)
def test_a_layer_that_cannot_be_shown_says_why(layer, method, smallest, says):
    reason = missing_layer(replace(question(method=method), layer=layer), smallest)
    assert reason is None if says is None else says in reason
