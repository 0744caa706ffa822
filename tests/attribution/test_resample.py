import torch
import torch.nn.functional as F

from cocoa_widget.attribution.resample import averaging, distributing, enlarge, resampling, shrink, upsampling


def test_resampling_matrices_keep_means_or_sums():
    device = torch.device("cpu")
    assert torch.allclose(upsampling(7, 224, device).sum(1), torch.ones(224))
    assert torch.allclose(distributing(7, 100, device).sum(0), torch.ones(7))
    assert torch.allclose(distributing(7, 224, device) * 32, upsampling(7, 224, device), atol=1e-5)
    assert torch.allclose(averaging(224, 97, device).sum(1), torch.ones(97))
    assert torch.allclose(averaging(224, 97, device).mean(0) * 224, torch.ones(224), atol=1e-4)


def test_resampling_interpolates_to_more_cells_and_averages_to_fewer():
    device = torch.device("cpu")
    assert torch.equal(resampling(7, 28, device), upsampling(7, 28, device))
    assert torch.equal(resampling(28, 7, device), averaging(28, 7, device))
    assert torch.allclose(resampling(7, 7, device), torch.eye(7))


def test_enlarging_is_bilinear_interpolation():
    maps = torch.randn(2, 5, 9, generator=torch.Generator().manual_seed(0))
    expected = F.interpolate(maps[None], (20, 31), mode="bilinear", align_corners=False)[0]
    torch.testing.assert_close(enlarge(maps, (20, 31), None), expected)
    torch.testing.assert_close(enlarge(maps, (20, 31), (7, 50)), shrink(expected, (7, 50)))
