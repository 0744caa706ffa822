import numpy as np
import pytest

from cocoa_widget.evaluation.draw import draw

LABELS = ["a"] * 12 + ["b"] * 10 + ["c"] * 14


def test_draws_share_no_image():
    drawn = draw(LABELS, explicands=2, corpus=4, foil=9, seed=0)
    used = np.concatenate([*drawn.explicands.values(), *drawn.corpora.values(), drawn.foil])
    assert len(used) == len(set(used.tolist())) == 3 * 6 + 9
    for kind in "abc":
        assert {LABELS[i] for i in drawn.explicands[kind]} == {LABELS[i] for i in drawn.corpora[kind]} == {kind}
    assert sorted(drawn.others) == sorted(drawn.others.values()) == ["a", "b", "c"]
    assert all(kind != other for kind, other in drawn.others.items())
    again, other = (draw(LABELS, explicands=2, corpus=4, foil=9, seed=seed) for seed in (0, 1))
    assert np.array_equal(drawn.foil, again.foil)
    assert not np.array_equal(drawn.foil, other.foil)


def test_too_few_images_are_named():
    with pytest.raises(ValueError, match="'b' has 10 images, too few for 7 explicands and a corpus of 4"):
        draw(LABELS, explicands=7, corpus=4, foil=1, seed=0)
    with pytest.raises(ValueError, match="18 images are left, too few for a foil of 19"):
        draw(LABELS, explicands=2, corpus=4, foil=19, seed=0)
    with pytest.raises(ValueError, match="all of its 5 labels are the same"):
        draw(["a"] * 5, explicands=1, corpus=1, foil=1, seed=0)
    with pytest.raises(ValueError, match="corpus must be at least 1"):
        draw(LABELS, explicands=1, corpus=0, foil=1, seed=0)
