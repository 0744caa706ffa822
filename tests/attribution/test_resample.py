import torch

from cocoa_widget.attribution.resample import averaging, distributing, upsampling


def test_resampling_matrices_keep_means_or_sums():
    device = torch.device("cpu")
    assert torch.allclose(upsampling(7, 224, device).sum(1), torch.ones(224))
    assert torch.allclose(distributing(7, 100, device).sum(0), torch.ones(7))
    assert torch.allclose(distributing(7, 224, device) * 32, upsampling(7, 224, device), atol=1e-5)
    assert torch.allclose(averaging(224, 97, device).sum(1), torch.ones(97))
    assert torch.allclose(averaging(224, 97, device).mean(0) * 224, torch.ones(224), atol=1e-4)
