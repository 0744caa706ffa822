"""What the page sends to the kernel."""

from __future__ import annotations

from typing import Literal, TypedDict

from ...sessions import Operation


class BaseRequest(TypedDict):
    """What every request carries: its id, and the view that sends it."""

    id: str
    view: str


class Hello(BaseRequest):
    """The first message of a view; answered by `Catalogue` and `Status`."""

    kind: Literal["hello"]


class ThumbnailRequest(BaseRequest):
    """Request for pictures whose longer side is `size` pixels; answered by one or more `Thumbnails`."""

    kind: Literal["thumbnails"]
    images: list[str]
    size: int


class Watch(BaseRequest):
    """What a view shows; sent on every change, and answered by `Heatmaps` for what it newly shows.

    `explicands` and `gallery` are the longer sides, in device pixels, at which heatmaps are painted there; 0 where none
    are. `visible` lists the gallery images on screen, `seen` the explicands on screen. `cells_of` is the image at whose
    places the user points, or ``None``: `Products` then come with its cells as members, too, until it changes. `renew`
    asks for all `Products` again: the view has none, or may have lost some while it had no connection.
    """

    kind: Literal["watch"]
    explicands: int
    gallery: int
    visible: list[str]
    seen: list[str]
    cells_of: str | None
    renew: bool


class Simple(BaseRequest):
    """A request without a body.

    `hold`: the user drags, so the preparation leaves the processor to the page for a moment; repeated during the drag.
    `leave`: the view is gone. `bins`: the view may have lost changes of the bins, which are sent again. `ping`: checks
    that the kernel answers; answered by `Pong`. `base64`: buffers do not survive on their way to this view (see
    `protocol`).
    """

    kind: Literal["hold", "leave", "bins", "ping", "base64"]


class OperationRequest(BaseRequest):
    """An operation on the bins; acknowledged by the traits of the bins, also when it is refused with an `Error`.

    `number` counts the operations of the view up from 1. The view sends those again that are not acknowledged.
    """

    kind: Literal["operation"]
    number: int
    operation: Operation


class Cancel(BaseRequest):
    """Withdrawal of the request whose id is `cancels`: its reply is no longer wanted."""

    kind: Literal["cancel"]
    cancels: str


class Ask(BaseRequest):
    """Question about one explicand and its heatmap; answered by `Influence`, or by one or more `Curves`."""

    kind: Literal["influence", "curves"]
    image: str


class AddTexts(BaseRequest):
    """Prompts to put into a bin: `texts`, or the class names of the list `list`; answered by `Texts`."""

    kind: Literal["add_texts"]
    bin: Literal["corpus", "foil"]
    texts: list[str]
    list: str | None


class Search(BaseRequest):
    """Prompt by whose similarity to rank the gallery; answered by `SearchResult`."""

    kind: Literal["search"]
    text: str


Request = Hello | ThumbnailRequest | Watch | Simple | OperationRequest | Cancel | Ask | AddTexts | Search
