"""The messages between kernel and page, the same as in the page's ``protocol.ts``.

Every message is a flat JSON object with a ``kind``. The page's requests carry an ``id`` and the ``view`` that asks;
replies repeat the ``id``. Events carry no ``id`` and go to every view, which ignores images that it does not show.

Some hosts lose the buffers of messages. So `Catalogue` comes with a buffer of the bytes 0 … 255; a view that does not
find it sends `base64`, and from then on every message has its buffers as strings in a field ``base64`` instead.

What a saved notebook should keep (ids, bins, settings) is a trait and never a message; pixels are message buffers and
never traits or base64. The page changes the bins by `OperationRequest`. Their traits come back in one message with two
that only the kernel sets: ``_applied``, the number of the last operation of each view that they contain, and
``_steps``, the `Steps` of their history.
"""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

from .requests import (
    AddTexts,
    Ask,
    BaseRequest,
    Cancel,
    Hello,
    OperationRequest,
    Request,
    Search,
    Simple,
    ThumbnailRequest,
    Watch,
)
from .responses import (
    BaseReply,
    Catalogue,
    Choice,
    Curve,
    Curves,
    EncoderInfo,
    Error,
    Filter,
    Heatmap,
    Heatmaps,
    ImageStability,
    Influence,
    Member,
    Pong,
    Product,
    Products,
    Response,
    SearchResult,
    SeparableTerm,
    Settings,
    Skipped,
    SkippedText,
    SparseTerm,
    Spread,
    StabilityReport,
    Status,
    Task,
    TextInfo,
    TextList,
    Texts,
    Thumbnail,
    Thumbnails,
)

__all__ = [
    "REQUEST_KINDS",
    "RESPONSE_KINDS",
    "AddTexts",
    "Ask",
    "BaseReply",
    "BaseRequest",
    "Cancel",
    "Catalogue",
    "Choice",
    "Curve",
    "Curves",
    "EncoderInfo",
    "Error",
    "Filter",
    "Heatmap",
    "Heatmaps",
    "Hello",
    "ImageStability",
    "Influence",
    "Member",
    "OperationRequest",
    "Pong",
    "Product",
    "Products",
    "Request",
    "Response",
    "Search",
    "SearchResult",
    "SeparableTerm",
    "Settings",
    "Simple",
    "Skipped",
    "SkippedText",
    "SparseTerm",
    "Spread",
    "StabilityReport",
    "Status",
    "Task",
    "TextInfo",
    "TextList",
    "Texts",
    "Thumbnail",
    "ThumbnailRequest",
    "Thumbnails",
    "Watch",
]


def _kinds(messages: Any) -> tuple[str, ...]:
    return tuple(kind for message in get_args(messages) for kind in get_args(get_type_hints(message)["kind"]))


REQUEST_KINDS = _kinds(Request)
"""What the page sends."""
RESPONSE_KINDS = _kinds(Response)
"""What the kernel sends."""
