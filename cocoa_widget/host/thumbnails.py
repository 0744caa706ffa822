"""Thumbnails for the page: small messages, each with what has been made by then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from ..encoders import Encoder
from ..images import ImageSet, UnknownImage, UnreadableImage, encodable
from . import protocol

LARGEST = 4096
"""Most pixels that the longer side of a thumbnail has."""
PART_IMAGES = 24
PART_SECONDS = 0.1
"""A part is complete when it has this many thumbnails, or has been gathered for this long."""


def thumbnails(
    request: protocol.ThumbnailRequest, images: ImageSet, encoder: Encoder, is_cancelled: Callable[[], bool]
) -> Iterator[tuple[protocol.Thumbnails, list[bytes]]]:
    """Make the thumbnails of a request, and yield them in parts; nothing more once it is cancelled."""
    items: list[protocol.Thumbnail] = []
    buffers: list[bytes] = []
    for image in [image for image in request["images"] if image not in images]:
        items.append(_failed(image, str(UnknownImage([image], images.ids))))
        buffers.append(b"")
    known = [image for image in request["images"] if image in images]
    begun = time.monotonic()
    for image, found in images.thumbnails(known, max(16, min(request["size"], LARGEST))):
        if is_cancelled():
            return
        if isinstance(found, UnreadableImage):
            items.append(_failed(image, str(found)))
            buffers.append(b"")
        else:
            items.append(
                {
                    "image": image,
                    "width": found.width,
                    "height": found.height,
                    "frame": encoder.frame(found.width, found.height),
                    "type": found.media_type,
                }
            )
            buffers.append(found.data)
        if len(items) >= PART_IMAGES or time.monotonic() - begun > PART_SECONDS:
            yield {"id": request["id"], "kind": "thumbnails", "items": items, "last": False}, buffers
            items, buffers, begun = [], [], time.monotonic()
    yield {"id": request["id"], "kind": "thumbnails", "items": items, "last": True}, buffers


def _failed(image: str, reason: str) -> protocol.Thumbnail:
    frame = (0.0, 0.0, 1.0, 1.0)
    return {"image": encodable(image), "width": 1, "height": 1, "frame": frame, "type": "", "error": reason}
