"""What the engine finds, as messages of the protocol."""

from __future__ import annotations

import numpy as np
import pytest

from cocoa_widget.host import events
from cocoa_widget.live import Heatmap, Update


@pytest.mark.filterwarnings("error")
def test_pixels_that_are_no_numbers_do_not_take_the_others_along():
    values = np.array([[0.5, -2.0, np.nan], [np.inf, -np.inf, 0.0]], np.float32)
    message, (buffer,) = events.heatmaps(Update(3, 1, [Heatmap("p0", "saliency", False, values, 0.1, 1.0)], [], []))
    (item,) = message["items"]
    assert item["peak"] == 2
    sent = np.frombuffer(buffer, "<f2").reshape(item["shape"])
    np.testing.assert_array_equal(sent, [[0.25, -1, np.nan], [np.inf, -np.inf, 0]])


@pytest.mark.parametrize("values", [np.full((2, 2), np.nan), np.zeros((2, 2)), np.zeros((0, 0))])
def test_a_heatmap_without_any_number_is_sent_as_zero(values):
    heatmap = Heatmap("p0", "rise", False, values.astype(np.float32), 0.0, 1.0)
    message, (buffer,) = events.heatmaps(Update(0, 1, [heatmap], [], []))
    assert message["items"][0]["peak"] == 0
    assert not np.frombuffer(buffer, "<f2").any()
