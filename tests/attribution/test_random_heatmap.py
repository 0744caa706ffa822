import numpy as np
import pytest

from tests.attribution.methods import explain


def test_random_is_standard_normal_and_of_the_explicand(convolutional, inputs, corpus):
    found = explain(convolutional, "random", inputs, corpus=corpus)
    assert abs(found.mean()) < 0.1
    assert found.std() == pytest.approx(1, abs=0.1)
    assert abs(np.corrcoef(found[0].ravel(), found[1].ravel())[0, 1]) < 0.15
