"""The messages between kernel and page; must be kept in sync with ``js/src/kernel/protocol.ts``.

Every message is a flat JSON object with a ``kind``. The page's requests carry an ``id`` and the ``view`` that asks;
replies repeat the ``id``. Events carry no ``id`` and go to every view, which ignores images that it does not show.

What a saved notebook should keep (ids, bins, settings) is a trait and never a message; pixels are message buffers and
never traits or base64.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

REQUEST_KINDS = (
    "hello",
    "thumbnails",
    "watch",
    "hold",
    "leave",
    "cancel",
    "undo",
    "redo",
    "influence",
    "curves",
    "add_texts",
    "search",
    "ping",
)
"""What the page sends."""

RESPONSE_KINDS = (
    "catalogue",
    "thumbnails",
    "heatmaps",
    "reliability",
    "influence",
    "curves",
    "status",
    "history",
    "error",
    "texts",
    "search",
    "pong",
)
"""What the kernel sends."""


# ---- page → kernel -------------------------------------------------------------------------------------------------


class Hello(TypedDict):
    """The first message of a view; answered by `Catalogue`, `Status` and `History`."""

    id: str
    kind: Literal["hello"]
    view: str


class ThumbnailRequest(TypedDict):
    """Ask for pictures whose longer side is `size` pixels; answered by one or more `Thumbnails`."""

    id: str
    kind: Literal["thumbnails"]
    view: str
    images: list[str]
    size: int


class Watch(TypedDict):
    """What a view shows; sent on every change of it, and answered by `Heatmaps` for what it newly shows.

    `explicands` and `gallery` are the largest side in device pixels at which heatmaps are painted there; 0 for none.
    `visible` lists the gallery images on screen.
    """

    id: str
    kind: Literal["watch"]
    view: str
    explicands: int
    gallery: int
    visible: list[str]


class Simple(TypedDict):
    """Requests without a body.

    `hold`: somebody drags, so preparing should leave the processor to that for a moment; repeated while it goes on.
    `leave`: the view is gone. `undo`, `redo`: one step in the history of the bins. `ping`: asks for a sign of life;
    answered by `Pong`.
    """

    id: str
    kind: Literal["hold", "leave", "undo", "redo", "ping"]
    view: str


class Cancel(TypedDict):
    """The reply to the request `cancels` is not wanted any more."""

    id: str
    kind: Literal["cancel"]
    view: str
    cancels: str


class Ask(TypedDict):
    """Ask about one explicand under the present question; answered by `Influence`, or by one or more `Curves`."""

    id: str
    kind: Literal["influence", "curves"]
    view: str
    image: str


class AddTexts(TypedDict):
    """Put prompts into a bin, those of `texts` or a list by its name; one step to undo. Answered by `Texts`."""

    id: str
    kind: Literal["add_texts"]
    view: str
    bin: Literal["corpus", "foil"]
    texts: list[str]
    list: str | None


class Search(TypedDict):
    """Rank the gallery by similarity to a prompt; answered by `SearchResult`."""

    id: str
    kind: Literal["search"]
    view: str
    text: str


Request = Hello | ThumbnailRequest | Watch | Simple | Cancel | Ask | AddTexts | Search


# ---- kernel → page -------------------------------------------------------------------------------------------------


class Choice(TypedDict):
    """An entry of a menu; `unavailable` says why it cannot be chosen with this encoder."""

    name: str
    label: str
    hint: str
    unavailable: NotRequired[str]


class Skipped(TypedDict):
    """A source image that could not be read."""

    image: str
    reason: str


class EncoderInfo(TypedDict):
    """`input`: height and width in pixels of what the encoder sees."""

    name: str
    device: str
    precision: str
    input: tuple[int, int]


class TextList(TypedDict):
    """A list of class names that can be put into a bin."""

    name: str
    label: str
    count: int


class TextInfo(TypedDict):
    """Whether prompts can be compared with images, or else the `reason` why not.

    `note` says what to know about the text tower, `context` how many tokens of a prompt it reads.
    """

    available: bool
    reason: str | None
    note: str
    context: int | None
    templates: list[Choice]
    lists: list[TextList]


class Catalogue(TypedDict):
    """Everything that does not change while the widget lives.

    `model` is the id of the widget's model: a cell that is run again makes another one under the same `name`.
    """

    id: str
    kind: Literal["catalogue"]
    model: str
    images: list[str]
    labels: list[str | None]
    captions: list[str | None]
    skipped: list[Skipped]
    encoder: EncoderInfo
    methods: list[Choice]
    targets: list[Choice]
    similarities: list[Choice]
    baselines: list[Choice]
    layers: list[Choice]
    text: TextInfo


class Thumbnail(TypedDict):
    """One picture; its encoded bytes are the buffer at the same index (empty where `error` says why).

    `width` and `height` are the original's; `frame` is what the encoder sees of it, as left, top, right, bottom in
    fractions of the picture (values outside 0..1 mean that the encoder sees padding).
    """

    image: str
    width: int
    height: int
    frame: tuple[float, float, float, float]
    type: str
    error: NotRequired[str]


class Thumbnails(TypedDict):
    """Part of the answer to a `ThumbnailRequest`; `last` on the final part."""

    id: str
    kind: Literal["thumbnails"]
    items: list[Thumbnail]
    last: bool


class Heatmap(TypedDict):
    """One heatmap; the buffer at the same index holds ``value / peak`` as little-endian float16, row by row.

    `score` is gamma of the image; `progress` runs to 1 as the map sharpens; `preview` marks a CAM map that stands in
    until `method` has its first picture. `gap` is the completeness gap of path methods. `layer` names what the values
    are: the attribution (signed), or how uncertain it is (0 or more, in the same unit).
    """

    image: str
    method: str
    layer: str
    preview: bool
    shape: tuple[int, int]
    peak: float
    score: float
    progress: float
    gap: NotRequired[float]


class Heatmaps(TypedDict):
    """Heatmaps for one state of the bins.

    `version` grows with every change of bins, target, similarity or method: a page drops what is older than the newest
    version that it has seen. `nothing` says why there is nothing to explain; the page then clears its heatmaps.
    """

    kind: Literal["heatmaps"]
    version: int
    items: list[Heatmap]
    nothing: NotRequired[str]


class Sureness(TypedDict):
    """How much one explicand's answer would change had the bins held other images of the same kind.

    `low` and `high` bound the score's central 95 %; `agreement` is the median correlation of the heatmaps of resampled
    bins with the heatmap. All are ``None`` where a bin has a single member, which tells nothing about others of its
    kind; `agreement` also where the method cannot be resampled without encoder passes.
    """

    image: str
    low: float | None
    high: float | None
    agreement: float | None


class Reliability(TypedDict):
    """Follows `Heatmaps` when the question has rested for a moment.

    `smallest` is the number of images in the smallest bin that the target uses (0 if it uses none), `few` says whether
    that is too few for a stable answer.
    """

    kind: Literal["reliability"]
    version: int
    items: list[Sureness]
    smallest: int
    few: bool


class Member(TypedDict):
    """What one member of a bin does to one explicand.

    `share` is its part of the score: the shares of both bins sum to gamma. `change` is the relative change of the
    heatmap without it (0 is none; ``None`` where the method cannot tell without encoder passes). `outlier` marks a
    member unlike the rest of its bin.
    """

    image: str
    bin: Literal["corpus", "foil"]
    share: float
    change: float | None
    outlier: bool


class Influence(TypedDict):
    """Answer to `influence`: the members of the bins, the largest absolute share first."""

    id: str
    kind: Literal["influence"]
    image: str
    score: float
    members: list[Member]


class Curve(TypedDict):
    """One measure while pixels are inserted or deleted in the heatmap's order; `values` match `Curves.fractions`."""

    measure: str
    label: str
    insertion: list[float]
    deletion: list[float]
    insertion_auc: float
    deletion_auc: float


class Curves(TypedDict):
    """Answer to `curves`: first how far it is (`done` of `total` passes, no `curves`), at last the curves."""

    id: str
    kind: Literal["curves"]
    image: str
    done: int
    total: int
    fractions: list[float]
    curves: list[Curve]


class Task(TypedDict):
    """What the kernel prepares now, `done` of `total` encoder passes."""

    label: str
    done: int
    total: int


class Status(TypedDict):
    """How far the kernel is; `task` is ``None`` when it is idle."""

    kind: Literal["status"]
    device: str
    task: Task | None
    ready: int
    explicands: int
    memory: int
    budget: int


class History(TypedDict):
    """What undo and redo would do, in words; ``None`` where there is nothing to do."""

    kind: Literal["history"]
    undo: str | None
    redo: str | None


class SkippedText(TypedDict):
    """A prompt that was not put into the bin."""

    text: str
    reason: str


class Texts(TypedDict):
    """Answer to `add_texts`: how many are new in the bin; `cut` lists those whose end the encoder does not read."""

    id: str
    kind: Literal["texts"]
    added: int
    skipped: list[SkippedText]
    cut: list[str]


class SearchResult(TypedDict):
    """Answer to `search`: the images nearest to the prompt, the nearest first.

    `compared` of the gallery's `total` were encoded by then.
    """

    id: str
    kind: Literal["search"]
    images: list[str]
    scores: list[float]
    compared: int
    total: int


class Pong(TypedDict):
    """Answer to `ping`, at once; `known` says whether the view is among those that watch: if not, it watches again."""

    id: str
    kind: Literal["pong"]
    known: bool


class Error(TypedDict):
    """Something went wrong; with `id` it answers that request, without it concerns everybody."""

    kind: Literal["error"]
    message: str
    id: NotRequired[str]
