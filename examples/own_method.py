"""An attribution method of your own: its masks, and how their scores become a heatmap. The widget updates it live.

python examples/own_method.py
"""

from dataclasses import dataclass

import torch

import cocoa_widget as cw


@dataclass(frozen=True)
class Columns(cw.PerturbationMethod):
    """How far the score falls when one column of the image is hidden."""

    columns: int = 16
    name, label, hint = "columns", "Columns", "Hides one column after the other"

    def masks(self, height: int, width: int) -> torch.Tensor:
        masks = torch.ones(self.columns + 1, height, width)  # the first hides nothing
        for i, mask in enumerate(masks[1:]):
            mask[:, i * width // self.columns : (i + 1) * width // self.columns] = 0
        return masks

    def combine(self, scores: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
        falls = scores[:, :1] - scores[:, 1:]
        return torch.einsum("kn,nhw->khw", falls, 1 - masks[1 : scores.shape[1]])


if __name__ == "__main__":
    images = cw.demo_images()
    explainer = cw.Explainer(cw.load_encoder("demo"), Columns())
    photographs = {name: [images.load(name)] for name in ("mosaic/1", "cat/1", "coffee/1")}
    found = explainer.explain(photographs["mosaic/1"], corpus=photographs["cat/1"], foil=photographs["coffee/1"])
    print(f"gamma {found.scores[0]:+.3f}; columns, left to right:", found.heatmaps[0, 0, ::14].round(3))
