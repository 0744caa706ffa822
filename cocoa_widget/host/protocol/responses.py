"""What the kernel sends to the page: replies to requests, and events."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict


class BaseReply(TypedDict):
    """What every answer to a request carries: the id of the request."""

    id: str


class Choice(TypedDict):
    """An entry of a menu; `unavailable` is the reason why it cannot be chosen with this encoder."""

    name: str
    label: str
    hint: str
    unavailable: NotRequired[str]


class Skipped(TypedDict):
    """A source image that could not be read."""

    image: str
    reason: str


class EncoderInfo(TypedDict):
    """The encoder; `input` is the height and width of its input in pixels."""

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
    """Whether prompts can be compared with images, and the `reason` if not.

    `note` is a remark on the text tower; `context` is the number of tokens that it reads of a prompt.
    """

    available: bool
    reason: str | None
    note: str
    context: int | None
    templates: list[Choice]
    lists: list[TextList]


class Catalogue(BaseReply):
    """Answer to `hello`: everything that does not change while the widget exists.

    `model` is the id of the widget's model: a cell that is run again makes another model under the same `name`.
    """

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
    """One picture; its encoded bytes are the buffer at the same index, which is empty where there is an `error`.

    `width` and `height` are those of the original in pixels. `frame` is the part that the encoder sees, as left, top,
    right and bottom in fractions of the picture; beyond 0 and 1 the encoder sees padding.
    """

    image: str
    width: int
    height: int
    frame: tuple[float, float, float, float]
    type: str
    error: NotRequired[str]


class Thumbnails(BaseReply):
    """Part of the answer to a `ThumbnailRequest`; `last` on the final part."""

    kind: Literal["thumbnails"]
    items: list[Thumbnail]
    last: bool


class Heatmap(TypedDict):
    """One heatmap; the buffer at the same index holds ``value / peak`` as little-endian float16, row by row.

    `score` is gamma of the image. `progress` rises to 1 as the heatmap sharpens. `preview` marks a CAM heatmap, which
    is shown until `method` has its first one. `gap` is the completeness gap of integrated gradients. `layer` names what
    the values are: the attribution (signed), or its uncertainty (0 or more, in the same unit). `pixelwise` says that
    values may differ from each pixel to the next, so that the page smooths them for display.
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
    pixelwise: NotRequired[bool]


class Heatmaps(TypedDict):
    """Heatmaps for one state of the bins, without those that the page can compute from the products that it was sent.

    `version` grows with every change of bins, target, similarity or method; a page ignores versions older than the
    newest that it has seen. `space` is the newest one of `Products`: those of an earlier one no longer hold, nor do the
    heatmaps that were computed from them. `failed` lists the members of the bins that could not be encoded, `waiting`
    those that are not encoded yet: heatmaps and scores do without both. `nothing` is the reason why there is nothing to
    explain; the page then clears its heatmaps.
    """

    kind: Literal["heatmaps"]
    version: int
    space: int
    items: list[Heatmap]
    failed: list[str]
    waiting: list[str]
    nothing: NotRequired[str]


class Settings(TypedDict):
    """The settings that products depend on, as the traits of the same names have them."""

    method: str
    baseline: str
    similarity: str
    template: str
    centred: bool


class Product(TypedDict):
    """The products of one image's operator with representations; the values are a buffer, see `Products`.

    `method`, `preview` and `progress` are as in `Heatmap`. `replaces` says that all earlier products of the image no
    longer hold: the operator has become sharper, or is another one.
    """

    image: str
    method: str
    preview: bool
    progress: float
    replaces: bool


class SeparableTerm(TypedDict):
    """``rows · cells · columnsᵀ`` for cells row by row; the buffers hold `rows` (height × cells[0]), then `columns`."""

    kind: Literal["separable"]
    cells: tuple[int, int]


class SparseTerm(TypedDict):
    """A sparse matrix (height · width × k) times k numbers.

    The buffers hold where the entries of each of its rows begin and their number at the end (uint32), the column of
    each entry (uint16), and the value of each.
    """

    kind: Literal["sparse"]
    k: int
    entries: int


class Filter(TypedDict):
    """A guided filter: half the side of its window in pixels, and the variance of colours that makes an edge."""

    radius: int
    epsilon: float


class Spread(TypedDict):
    """The map from k numbers to a heatmap of `size`, height and width.

    It is a sum of terms, each of which takes the numbers after those of the terms before it, and at the end the guided
    filter of each image, if there is one.
    """

    size: tuple[int, int]
    terms: list[SeparableTerm | SparseTerm]
    filter: Filter | None


class Products(TypedDict):
    """Products from which the page computes heatmaps and scores itself, for any bins of the members that it has.

    With the representations v as `settings` compare them, a score has the direction
    ``w = own · v(x) + mean_c v(c) − mean_v v(v)``, of which a target uses some terms. Its heatmap is the `spread` of
    M w, and its score is u(x) · w. Both are sums over members of ``[M v, u(x) · v]``, which has k + 1 numbers and is
    called a product.

    The first buffers are those of the spread's terms. Then comes one for each item: the product with the image's own
    v(x), and those with `members` in their order. Where the spread has a filter, one more for each item is its guide:
    red, green and blue of each pixel, in bytes. All other numbers are little-endian, and float32 unless said otherwise.

    Spreads are sent once: without a `spread`, each image keeps the one that it has, with its guide.

    `dropped` lists images whose products the page forgets to make room for these: they were seen least recently.

    `space` grows when representations or operators change their meaning, such as with another similarity or with other
    weights: products of an earlier space are worthless. A page ignores spaces older than the newest that it has seen.
    """

    kind: Literal["products"]
    space: int
    settings: Settings
    members: list[str]
    spread: Spread | None
    items: list[Product]
    dropped: list[str]


class ImageStability(TypedDict):
    """How much one explicand's answer depends on which images of their kind the bins hold.

    `low` and `high` bound the central 95 % of the score over resampled bins; `correlation` is the median correlation of
    their heatmaps with the heatmap. All are ``None`` where a bin has a single member, which cannot be resampled;
    `correlation` also where the method would need encoder passes.
    """

    image: str
    low: float | None
    high: float | None
    correlation: float | None


class StabilityReport(TypedDict):
    """How stable the answers are; follows `Heatmaps` once the question has not changed for a moment.

    `smallest` is the number of members of the smallest bin that the target uses (0 if it uses none); `few` is whether
    these are too few for a stable answer.
    """

    kind: Literal["stability"]
    version: int
    items: list[ImageStability]
    smallest: int
    few: bool


class Member(TypedDict):
    """Contribution of one member of a bin to the answer for one explicand.

    `share` is its part of the score: the shares of both bins sum to gamma. `change` is the relative change of the
    heatmap without the member, 0 or more; ``None`` where the method would need encoder passes. `outlier` marks a member
    unlike the rest of its bin.
    """

    image: str
    bin: Literal["corpus", "foil"]
    share: float
    change: float | None
    outlier: bool


class Influence(BaseReply):
    """Answer to `influence`: the members of the bins, the largest absolute share first."""

    kind: Literal["influence"]
    image: str
    score: float
    members: list[Member]


class Curve(TypedDict):
    """One measure while pixels are inserted or deleted in the heatmap's order, at each of `Curves.fractions`."""

    measure: str
    label: str
    insertion: list[float]
    deletion: list[float]
    insertion_auc: float
    deletion_auc: float


class Curves(BaseReply):
    """Answer to `curves`: first the progress (`done` of `total` passes, no `curves`), at the end the curves."""

    kind: Literal["curves"]
    image: str
    done: int
    total: int
    fractions: list[float]
    curves: list[Curve]


class Task(TypedDict):
    """What the kernel is preparing: `done` of `total` encoder passes."""

    label: str
    done: int
    total: int


class Status(TypedDict):
    """Progress of the preparation; `task` is ``None`` when it is idle. `memory` and `budget` are in bytes.

    `alike` is the mean cosine of pairs of the gallery's images where that is so high that scores hardly differ.
    """

    kind: Literal["status"]
    device: str
    task: Task | None
    ready: int
    explicands: int
    memory: int
    budget: int
    alike: float | None


class SkippedText(TypedDict):
    """A prompt that was not put into the bin."""

    text: str
    reason: str


class Texts(BaseReply):
    """Answer to `add_texts`: how many prompts are new; `cut` lists those that are longer than the encoder reads."""

    kind: Literal["texts"]
    added: int
    skipped: list[SkippedText]
    cut: list[str]


class SearchResult(BaseReply):
    """Answer to `search`: the images nearest to the prompt, the nearest first.

    `compared` is the number of images that were encoded by then, `total` that of the gallery.
    """

    kind: Literal["search"]
    images: list[str]
    scores: list[float]
    compared: int
    total: int


class Pong(BaseReply):
    """Answer to `ping`, sent at once; `known` is whether the view is among those that watch, else it watches again."""

    kind: Literal["pong"]
    known: bool


class Error(TypedDict):
    """What went wrong; the answer to the request `id`, or for every view where there is no `id`."""

    kind: Literal["error"]
    message: str
    id: NotRequired[str]


Response = (
    Catalogue
    | Thumbnails
    | Heatmaps
    | Products
    | StabilityReport
    | Influence
    | Curves
    | Status
    | Texts
    | SearchResult
    | Pong
    | Error
)
