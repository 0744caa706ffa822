"""The images and texts whose means are the centres of their modalities."""

import numpy as np
import pytest
from PIL import Image

import cocoa_widget as cw
from cocoa_widget.live.question import Question
from cocoa_widget.live.references import references
from cocoa_widget.texts import is_text


@pytest.mark.parametrize("count", [3, 64, 65, 127, 200])
def test_reference_images_are_spread_over_the_gallery(count):
    ids = [f"p{i}" for i in range(count)]
    images = cw.ImageSet({i: Image.new("RGB", (8, 8)) for i in ids})
    question = Question((), (), (), cw.CAM(), "corpus", "cosine", cw.Blur(), centred=True)
    found = references(question, images.ids, texts=False)
    assert [i for i in references(question, images.ids, texts=True) if not is_text(i)] == found
    at = [ids.index(i) for i in found]
    assert len(at) == min(count, 64)
    assert max(np.diff([*at, count])) - min(np.diff([*at, count])) <= 1
