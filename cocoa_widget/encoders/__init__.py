"""Image encoders: wrap your own module in `Encoder`, or take one by name from `load_encoder`."""

from .decoding import Decoder
from .device import out_of_memory
from .encoder import Encoder
from .errors import EncoderError, NoFeatureMap
from .gradients import LAST_MAP, Attached, Gradients
from .load import as_encoder, list_encoders, load_encoder
from .moment import Moment
from .passes import Encoded, FeatureKind
from .preprocess import Frame, Preprocess
from .representations import Representations
from .text_tower import TextTower

__all__ = [
    "LAST_MAP",
    "Attached",
    "Decoder",
    "Encoded",
    "Encoder",
    "EncoderError",
    "FeatureKind",
    "Frame",
    "Gradients",
    "Moment",
    "NoFeatureMap",
    "Preprocess",
    "Representations",
    "TextTower",
    "as_encoder",
    "list_encoders",
    "load_encoder",
    "out_of_memory",
]
