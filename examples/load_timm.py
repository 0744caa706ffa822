"""A vision transformer of timm: DINOv2, explained by its patch tokens.

python examples/load_timm.py [NAME] [WEIGHTS]
"""

import sys

import cocoa_widget as cw


def main(name: str = "vit_small_patch14_dinov2.lvd142m", weights: str = "DEFAULT") -> None:
    images = cw.demo_images()
    encoder = cw.load_encoder(f"timm/{name}", weights=weights, image_size=224)
    method = cw.PatchTokens() if encoder.tokens else cw.GradCAM()
    found = cw.Explainer(encoder, method).explain(
        [images.load("mosaic/1")],
        corpus=[images.load("cat/1")],
        foil=[images.load("coffee/1"), images.load("rocket/1")],
    )
    row, column = divmod(int(found.heatmaps[0].argmax()), found.heatmaps.shape[2])
    print(f"{encoder}: gamma {found.scores[0]:+.3f}; most like the cat at row {row}, column {column}")
    print("others like it:", *cw.encoders.list_encoders("timm", "dino")[:5])


if __name__ == "__main__":
    main(*sys.argv[1:])
