"""A classification network of torchvision, explained by the representations before its classifier.

python examples/load_torchvision.py [NAME] [WEIGHTS]
"""

import sys

import cocoa_widget as cw


def main(name: str = "resnet50", weights: str = "DEFAULT") -> None:
    images = cw.demo_images()
    encoder = cw.load_encoder(f"torchvision/{name}", weights=weights)
    explainer = cw.Explainer(encoder, cw.CAM() if encoder.pooling is not None else cw.RISE(n_masks=256))
    found = explainer.explain(
        [images.load("mosaic/1")],
        corpus=[images.load("cat/1")],
        foil=[images.load("coffee/1"), images.load("rocket/1")],
    )
    print(f"{encoder}: gamma {found.scores[0]:+.3f}; where the cat is, in a 4 × 4 grid:")
    heatmap = found.heatmaps[0]
    for rows in heatmap.reshape(4, heatmap.shape[0] // 4, 4, heatmap.shape[1] // 4).sum((1, 3)):
        print("  ".join(f"{value:+.3f}" for value in rows))


if __name__ == "__main__":
    main(*sys.argv[1:])
