"""Image encoders: wrap your own module in `Encoder`, or take one by name from `load_encoder`."""

from .encoder import LAST_MAP, Attached, Encoded, Encoder, Gradients
from .errors import EncoderError, NoFeatureMap
from .load import list_encoders, load_encoder
from .moment import Moment
from .preprocess import Frame, Preprocess
from .representations import Representations

__all__ = [
    "LAST_MAP",
    "Attached",
    "Encoded",
    "Encoder",
    "EncoderError",
    "Frame",
    "Gradients",
    "Moment",
    "NoFeatureMap",
    "Preprocess",
    "Representations",
    "list_encoders",
    "load_encoder",
]
