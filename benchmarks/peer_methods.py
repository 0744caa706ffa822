"""Methods of other packages, Captum's and pytorch-grad-cam's, with the score as their target.

Captum's Occlusion and KernelSHAP are left out: ours give the same heatmaps (`peers.py`), and for all questions at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import captum.attr
import torch
from torch import Tensor, nn

import cocoa_widget as cw

try:
    import pytorch_grad_cam
except ImportError:  # it brings OpenCV, which needs system libraries that not every machine has
    pytorch_grad_cam = None


def last_map(network: Any) -> nn.Module:
    """Return the layer of an EfficientNet-Lite that gives the final feature map."""
    layer: nn.Module = network.network.bn2
    return layer


class PackagedCAM(cw.DirectMethod):
    """A method of pytorch-grad-cam: it keeps the positive part, and scales it to 0..1.

    Parameters
    ----------
    name : str
        Of its class.
    """

    label: ClassVar[str] = "pytorch-grad-cam"
    hint: ClassVar[str] = "A method of pytorch-grad-cam"

    def __init__(self, name: str) -> None:
        self.name = name  # type: ignore[misc]

    def explain(self, score: Callable[[Tensor], Tensor], explicand: Tensor, baseline: Tensor) -> Tensor:
        with getattr(pytorch_grad_cam, self.name)(model=score, target_layers=[last_map(score.encoder)]) as method:
            found = method(input_tensor=explicand[None].requires_grad_(), targets=[lambda output: output])
        return torch.from_numpy(found[0])


PEERS: dict[str, cw.Method] = {
    "Captum LayerGradCam": cw.CaptumMethod(lambda score: captum.attr.LayerGradCam(score, last_map(score.encoder))),
    "Captum DeepLift": cw.CaptumMethod(captum.attr.DeepLift),
    "Captum IG": cw.CaptumMethod(captum.attr.IntegratedGradients, internal_batch_size=16),
}
"""By name. pytorch-grad-cam's are there if it is installed; its ScoreCAM takes 1,280 passes for each question."""
if pytorch_grad_cam is not None:
    for name in ("GradCAM", "GradCAMPlusPlus", "XGradCAM", "LayerCAM", "EigenCAM", "ScoreCAM"):
        PEERS[f"grad-cam {name}"] = PackagedCAM(name)
