"""Images from any source: ids, upright RGB pixels, thumbnails, labels and captions.

This package imports neither torch, pandas, datasets nor torchvision: their objects are recognised by their attributes.
"""

from cocoa_widget.images.demo import demo_images
from cocoa_widget.images.encodable import encodable
from cocoa_widget.images.errors import EmptySource, UnknownImage, UnreadableImage
from cocoa_widget.images.image_set import ImageSet, as_image_set
from cocoa_widget.images.pixel_limits import PixelLimits, limits
from cocoa_widget.images.thumbnails import Thumbnail

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
