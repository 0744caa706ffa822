"""SigLIP by Hugging Face's transformers: the parts of a photograph that match a prompt better than other prompts.

python examples/load_transformers.py [NAME or FOLDER] [WEIGHTS]
"""

import sys

import torch

import cocoa_widget as cw

PROMPTS = ["a photo of a cat", "a photo of a cup of coffee", "a photo of a rocket"]


def main(name: str = "google/siglip-base-patch16-224", weights: str = "DEFAULT") -> None:
    images = cw.demo_images()
    encoder = cw.load_encoder(f"transformers/{name}", weights=weights)
    pictures = torch.nn.functional.normalize(encoder.represent(images, ["cat/1", "coffee/1", "rocket/1"]), dim=1)
    texts = torch.nn.functional.normalize(encoder.encode_text(PROMPTS), dim=1)
    print(f"{encoder}: cosines of three photographs with three prompts")
    for row, prompt in zip((texts @ pictures.T).tolist(), PROMPTS, strict=True):
        print("  ".join(f"{value:+.3f}" for value in row), prompt)
    direction = (texts[0] - texts[1:].mean(0)).cpu()
    if encoder.tokens:
        tokens = encoder.forward(encoder.inputs([images.load("mosaic/1")]), features="tokens").features[0].cpu()
        print("patches of a mosaic that match the first prompt better than the others:")
        scores = torch.nn.functional.normalize(tokens, dim=0).permute(1, 2, 0) @ direction
        for row in (scores / scores.abs().max()).tolist():
            print("".join("-" if score < 0 else " .:+*#"[round(5 * score)] for score in row))


if __name__ == "__main__":
    main(*sys.argv[1:])
