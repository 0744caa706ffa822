"""See what an image encoder sees: live contrastive corpus attribution for Jupyter.

Drag images into a corpus and a foil, and heatmaps on the explicands follow at once. The method is COCOA (Lin, Chen, Kim
and Lee, "Contrastive Corpus Attribution for Explaining Representations", ICLR 2023, arXiv 2210.00107).
"""

from .attribution import CAM, METHODS, RISE, Blur, IntegratedGradients, Method
from .direction import SIMILARITIES, TARGETS, NothingToExplain
from .encoders import Encoder, EncoderError, NoFeatureMap, Preprocess, load_encoder
from .explainer import Explainer, Explanation, Prepared
from .images import EmptySource, ImageSet, UnknownImage, UnreadableImage, demo_images
from .widget import CocoaWidget

__version__ = "0.1.0"

__all__ = [
    "CAM",
    "METHODS",
    "RISE",
    "SIMILARITIES",
    "TARGETS",
    "Blur",
    "CocoaWidget",
    "EmptySource",
    "Encoder",
    "EncoderError",
    "Explainer",
    "Explanation",
    "ImageSet",
    "IntegratedGradients",
    "Method",
    "NoFeatureMap",
    "NothingToExplain",
    "Prepared",
    "Preprocess",
    "UnknownImage",
    "UnreadableImage",
    "demo_images",
    "load_encoder",
]
