import numpy as np
import pytest
import torch

import cocoa_widget as cw


class Quarters(cw.PerturbationMethod):
    """The example of `PerturbationMethod`: the score of each quarter alone."""

    name, label, hint = "quarters", "Quarters", "Each quarter alone"

    def masks(self, height, width):
        masks = torch.zeros(4, height, width)
        for i, mask in enumerate(masks):
            top, left = i // 2 * height // 2, i % 2 * width // 2
            mask[top : top + height // 2, left : left + width // 2] = 1
        return masks

    def combine(self, scores, masks):
        return torch.einsum("kn,nhw->khw", scores, masks)


def test_a_method_of_your_own(linear, inputs, corpus, foil):
    found = cw.Explainer(linear, Quarters()).explain(inputs, corpus=corpus, foil=foil, similarity="dot").heatmaps
    w = linear.encode(corpus).mean(0) - linear.encode(foil).mean(0)
    blurred = cw.Blur()(inputs)
    for i in range(4):
        rows, columns = slice(i // 2 * 16, i // 2 * 16 + 16), slice(i % 2 * 16, i % 2 * 16 + 16)
        shown = blurred.clone()
        shown[:, :, rows, columns] = inputs[:, :, rows, columns]
        expected = (linear.encode(shown) @ w).numpy()
        assert found[:, rows, columns] == pytest.approx(np.broadcast_to(expected[:, None, None], (3, 16, 16)), rel=1e-3)
