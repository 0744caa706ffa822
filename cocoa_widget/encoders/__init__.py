"""Image encoders: wrap your own module in `Encoder`, or take one by name from `load_encoder`."""

from .encoder import Encoded, Encoder
from .errors import EncoderError, NoFeatureMap
from .load import load_encoder
from .preprocess import Frame, Preprocess
from .representations import Representations

__all__ = [
    "Encoded",
    "Encoder",
    "EncoderError",
    "Frame",
    "NoFeatureMap",
    "Preprocess",
    "Representations",
    "load_encoder",
]
