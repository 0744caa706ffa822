import pytest
import torch

from cocoa_widget.attribution.masks import MaskBank, draw_grids, draw_shifts
from cocoa_widget.attribution.resample import shrink


def bank_of(n, balanced, size, p=0.5):
    generator = torch.Generator().manual_seed(0)
    return MaskBank(draw_grids(n, 7, p, balanced, generator), draw_shifts(n, 7, *size, generator), *size)


@pytest.mark.parametrize("size", [(224, 224), (32, 32), (50, 31)])
@pytest.mark.parametrize("balanced", [True, False])
def test_combining_equals_summing_the_masks(size, balanced):
    bank = bank_of(150, balanced, size)
    weights = torch.randn(3, 150, generator=torch.Generator().manual_seed(0))
    expected = torch.einsum("kn,nhw->khw", weights, bank.masks(0, 150)[:, 0])
    torch.testing.assert_close(bank.combine(weights, size), expected, atol=2e-4, rtol=1e-4)
    small = (size[0] // 3, size[1] // 2)
    torch.testing.assert_close(bank.combine(weights, small), shrink(expected, small), atol=2e-4, rtol=1e-4)
    torch.testing.assert_close(bank.small(small), shrink(bank.masks(0, 150)[:, 0], small), atol=1e-5, rtol=1e-4)


def test_balanced_grids_keep_exactly_their_share():
    for p in (0.5, 0.3):
        grids = bank_of(100, True, (32, 32), p).grids
        kept = grids.sum((1, 2))
        assert set(kept.tolist()) <= {float(int(49 * p)), float(int(49 * p) + 1)}
        assert kept.sum().item() == pytest.approx(100 * 49 * p, abs=1)
