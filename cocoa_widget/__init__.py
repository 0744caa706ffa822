"""See what an image encoder sees: live contrastive corpus attribution for Jupyter.

Drag images into a corpus and a foil, and heatmaps on the explicands follow at once. The method is COCOA (Lin, Chen, Kim
and Lee, "Contrastive Corpus Attribution for Explaining Representations", ICLR 2023, arXiv 2210.00107).
"""

from .attribution import (
    BASELINES,
    CAM,
    METHODS,
    RISE,
    Blur,
    CaptumMethod,
    Constant,
    DirectMethod,
    GradCAM,
    GradientSHAP,
    InputXGradient,
    IntegratedGradients,
    KernelSHAP,
    MeanColour,
    Method,
    Noise,
    Occlusion,
    OtherImage,
    PatchTokens,
    PerturbationMethod,
    Random,
    Saliency,
    SharpCAM,
    SmoothGrad,
)
from .contrast import SIMILARITIES, TARGETS, NothingToExplain, centre
from .encoders import Encoder, EncoderError, NoFeatureMap, Preprocess, TextTower, list_encoders, load_encoder
from .explainer import Explainer, Explanation, Prepared
from .images import EmptySource, ImageSet, UnknownImage, UnreadableImage, demo_images
from .insight import Influence, Stability
from .sessions import Bins
from .texts import TEMPLATES, Texts, class_names
from .widget import CocoaWidget

__version__ = "0.1.0"

__all__ = [
    "BASELINES",
    "CAM",
    "METHODS",
    "RISE",
    "SIMILARITIES",
    "TARGETS",
    "TEMPLATES",
    "Bins",
    "Blur",
    "CaptumMethod",
    "CocoaWidget",
    "Constant",
    "DirectMethod",
    "EmptySource",
    "Encoder",
    "EncoderError",
    "Explainer",
    "Explanation",
    "GradCAM",
    "GradientSHAP",
    "ImageSet",
    "Influence",
    "InputXGradient",
    "IntegratedGradients",
    "KernelSHAP",
    "MeanColour",
    "Method",
    "NoFeatureMap",
    "Noise",
    "NothingToExplain",
    "Occlusion",
    "OtherImage",
    "PatchTokens",
    "PerturbationMethod",
    "Prepared",
    "Preprocess",
    "Random",
    "Saliency",
    "SharpCAM",
    "SmoothGrad",
    "Stability",
    "TextTower",
    "Texts",
    "UnknownImage",
    "UnreadableImage",
    "centre",
    "class_names",
    "demo_images",
    "list_encoders",
    "load_encoder",
]
