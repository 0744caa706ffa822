"""A checkpoint of SimCLR, SimSiam, MoCo or BYOL, as a ResNet without the head that it was trained with.

python examples/load_simclr.py METHOD/ARCHITECTURE WEIGHTS

The weights are the file that the authors or a PyTorch port have published: resnet50-1x.pth for simclr/resnet50,
checkpoint_0099.pth.tar for simsiam/resnet50, moco_v2_800ep_pretrain.pth.tar for moco/resnet50.
"""

import sys
from pathlib import Path

import cocoa_widget as cw


def main(name: str = "simclr/resnet50", weights: str = "resnet50-1x.pth") -> None:
    if not Path(weights).is_file():
        print(f"Download the checkpoint of {name} first: {weights} is not a file. Known names:")
        print(
            *(known for method in ("simclr", "simsiam", "moco", "byol") for known in cw.encoders.list_encoders(method))
        )
        return
    images = cw.demo_images()
    encoder = cw.load_encoder(name, weights=weights)
    foil = [images.load("coffee/1"), images.load("rocket/1")]
    for method in (cw.CAM(), cw.GradCAM()):
        found = cw.Explainer(encoder, method).explain(
            [images.load("mosaic/1")], corpus=[images.load("cat/1")], foil=foil
        )
        row, column = divmod(int(found.heatmaps[0].argmax()), found.heatmaps.shape[2])
        print(
            f"{encoder}, {method.name}: gamma {found.scores[0]:+.3f}; most like the cat at row {row}, column {column}"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
