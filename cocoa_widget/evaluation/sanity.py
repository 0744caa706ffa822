"""Sanity checks: whether heatmaps depend on what the network has learned (Adebayo et al., NeurIPS 2018)."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..encoders import Encoder
from ..optional import require
from .heatmaps import as_heatmaps, check_count


def randomised(encoder: Encoder, seed: int = 0, images: Any = None) -> Encoder:
    """Return a copy of an encoder whose parameters are random.

    As in Lin et al. (ICLR 2023), each parameter tensor is drawn from a truncated normal distribution with the
    tensor's own mean, standard deviation, minimum and maximum; a tensor of one value stays what it is.

    As in the authors' code, buffers stay what they are; but with `images`, the running statistics of batch
    normalisation are measured again. Those of the trained network do not fit random parameters: with them the demo
    encoder hardly tells photographs of different things apart (a mean cosine of 0.997, against 0.53 with new statistics
    and 0.15 before), and its heatmaps fail for a reason that has nothing to do with the method.

    Parameters
    ----------
    encoder : Encoder
        It is not changed.
    seed : int
        Same seed, same parameters.
    images : Tensor, or anything that `ImageSet` takes, optional
        At least 2 images, on which the running statistics of batch normalisation are measured again.

    Returns
    -------
    Encoder
        An encoder with another module and name; the rest, which includes the classifier, is unchanged.
    """
    generator = torch.Generator().manual_seed(seed)
    module = copy.deepcopy(encoder.module)
    for parameter in module.parameters():
        _redraw(parameter, generator)
    result = _with_module(encoder, module, f"{encoder.name} (randomised)")
    if images is not None:
        _measure_statistics(result, encoder.inputs(images))
    return result


def cascade(encoder: Encoder, seed: int = 0) -> Iterator[Encoder]:
    """Randomise parameters layer by layer from the top: cascading randomisation (Adebayo et al., NeurIPS 2018).

    Layers are the submodules with parameters of their own. The top is the end of ``module.named_modules()``: the order
    in which layers were made, which is nearly always the order in which they run.

    Parameters
    ----------
    encoder : Encoder
        It is not changed.
    seed : int
        Same seed, same parameters.

    Yields
    ------
    Encoder
        One for each layer, with the parameters of that layer and of all above it drawn as in `randomised`.
    """
    generator = torch.Generator().manual_seed(seed)
    module = encoder.module
    layers = [name for name, each in module.named_modules() if any(True for _ in each.parameters(recurse=False))]
    for layer in reversed(layers):
        module = copy.deepcopy(module)
        for parameter in module.get_submodule(layer).parameters(recurse=False):
            _redraw(parameter, generator)
        yield _with_module(encoder, module, f"{encoder.name} (randomised from {layer or 'the module'} up)")


def rank_correlation(heatmaps: Any, others: Any) -> NDArray[np.float64]:
    """Compute Spearman's rank correlation of each pair of heatmaps; equal values share their mean rank.

    Parameters
    ----------
    heatmaps, others : ndarray or Tensor
        (n, H, W) or (H, W). Adebayo et al. compare heatmaps and their absolute values.

    Returns
    -------
    ndarray
        (n,), −1..1; NaN where a heatmap is constant.
    """
    pairs = zip(*_pairs(heatmaps, others), strict=True)
    found = []
    for pair in pairs:
        a, b = (ranks - ranks.mean() for ranks in map(_mean_ranks, pair))
        scale = float(a.norm() * b.norm())
        found.append(float(a @ b) / scale if scale > 0 else np.nan)
    return np.array(found)


def structural_similarity(heatmaps: Any, others: Any) -> NDArray[np.float64]:
    """Compute the structural similarity (SSIM, Wang et al. 2004) of each pair of heatmaps.

    Parameters
    ----------
    heatmaps, others : ndarray or Tensor
        (n, H, W) or (H, W), of at least 7 × 7 pixels. Each is divided by its largest absolute value first, because
        the scores of two networks have different scales.

    Returns
    -------
    ndarray
        (n,), at most 1.

    Raises
    ------
    ImportError
        scikit-image is not installed.
    """
    ssim = require("skimage.metrics", "demo", "The similarity of heatmaps").structural_similarity
    scaled = ((m / m.abs().amax((1, 2), keepdim=True).clamp(min=1e-300)).numpy() for m in _pairs(heatmaps, others))
    return np.array([float(ssim(a, b, data_range=2.0)) for a, b in zip(*scaled, strict=True)])


def _redraw(parameter: Tensor, generator: torch.Generator) -> None:
    values = parameter.detach().float().cpu()
    low, high = float(values.min()) if values.numel() else 0.0, float(values.max()) if values.numel() else 0.0
    if low == high:
        return
    # Drawn on the CPU, so that every device gets the same values.
    fresh = torch.empty_like(values)
    nn.init.trunc_normal_(fresh, float(values.mean()), float(values.std()), low, high, generator=generator)
    with torch.no_grad():
        parameter.copy_(fresh)


def _with_module(encoder: Encoder, module: nn.Module, name: str) -> Encoder:
    return Encoder(
        module,
        preprocess=encoder.preprocess,
        output=encoder.output,
        device=encoder.device,
        precision=encoder.precision,
        batch_size=encoder.batch_size,
        classifier=encoder.classifier,
        name=name,
    )


def _measure_statistics(encoder: Encoder, inputs: Tensor) -> None:
    layers = [m for m in encoder.module.modules() if isinstance(m, _BatchNorm) and m.track_running_stats]
    modes = {m: m.training for m in encoder.module.modules()}
    momenta = [m.momentum for m in layers]
    encoder.module.eval()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the mean over all batches
        layer.train()
    weights = next((p.dtype for p in encoder.module.parameters()), torch.float32)
    with torch.no_grad():
        # Parts of equal length: batch normalisation fails on a last part of one image.
        for batch in inputs.tensor_split(-(-len(inputs) // encoder.batch_size)):
            encoder.module(batch.to(weights))
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    for each, training in modes.items():
        each.training = training


def _pairs(heatmaps: Any, others: Any) -> tuple[Tensor, Tensor]:
    a, b = as_heatmaps(heatmaps), as_heatmaps(others, "others")
    check_count(len(a), len(b), "others")
    if a.shape != b.shape:
        raise ValueError(f"Heatmaps {tuple(a.shape)} and others {tuple(b.shape)} differ in shape.")
    return a, b


def _mean_ranks(heatmap: Tensor) -> Tensor:
    _, where, counts = torch.unique(heatmap.flatten(), return_inverse=True, return_counts=True)
    ranks: Tensor = (counts.cumsum(0) - (counts - 1) / 2)[where]
    return ranks
