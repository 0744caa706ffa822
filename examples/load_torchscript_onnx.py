"""An encoder that is a saved program: TorchScript, or ONNX with onnxruntime.

python examples/load_torchscript_onnx.py [torchscript/PATH or onnx/PATH]

Without a path, the demo encoder is saved as TorchScript, loaded again, and compared with the original.
"""

import sys
import tempfile
from pathlib import Path

import torch

import cocoa_widget as cw


def main(name: str = "") -> None:
    images = cw.demo_images()
    with tempfile.TemporaryDirectory() as folder:
        options = {}
        if not name:
            demo = cw.load_encoder("demo", device="cpu", precision="float32")
            path = Path(folder, "demo.pt")
            example = demo.inputs([images.load("cat/1")])
            with torch.inference_mode(False), torch.no_grad():
                torch.jit.trace(demo.module.eval(), example).save(path)
            name, options = f"torchscript/{path}", {"preprocess": demo.preprocess}
        encoder = cw.load_encoder(name, device="cpu", precision="float32", **options)
        if options:
            difference = (encoder.encode(example) - demo.encode(example)).abs().max()
            print(f"largest difference from the encoder that was saved: {difference:.1e}")
        foil = [images.load("coffee/1"), images.load("rocket/1")]
        explainer = cw.Explainer(encoder, cw.RISE(n_masks=128))
        found = explainer.explain([images.load("mosaic/1")], corpus=[images.load("cat/1")], foil=foil)
        row, column = divmod(int(found.heatmaps[0].argmax()), found.heatmaps.shape[2])
        print(f"{encoder}: gamma {found.scores[0]:+.3f}; most like the cat at row {row}, column {column}")


if __name__ == "__main__":
    main(*sys.argv[1:])
