"""Images from any source: ids, upright RGB pixels, thumbnails, labels and captions.

This package imports neither torch, pandas, datasets nor torchvision: their objects are recognised by their attributes.
"""

from .demo import demo_images
from .encodable import encodable
from .errors import EmptySource, UnknownImage, UnreadableImage
from .image_set import ImageSet, as_image_set
from .pixel_limits import PixelLimits, limits
from .thumbnails import Thumbnail

__all__ = [
    "EmptySource",
    "ImageSet",
    "PixelLimits",
    "Thumbnail",
    "UnknownImage",
    "UnreadableImage",
    "as_image_set",
    "demo_images",
    "encodable",
    "limits",
]
