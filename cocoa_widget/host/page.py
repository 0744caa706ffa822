"""The kernel's end of the wire: receive the page's requests, have them answered, and send what the engine finds.

A request is only checked and put into a queue: it may come on any thread (JupyterLab's kernel subshells), which must
not be blocked.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from functools import partial
from typing import Any

from ..insight import Stability
from ..live import LiveEngine, Products, Progress, Update, View, end_with_interpreter
from . import answers, events, protocol, validation
from .answers import Answer
from .binned import BinnedWidget
from .catalogue import Choices, catalogue
from .prompts import Prompts
from .request_pool import PoolName, RequestPool
from .thumbnails import LARGEST, thumbnails

HOLD_SECONDS = 1.5
"""How long one `hold` lasts; the page repeats it more often than that."""
EVERY_BYTE = bytes(range(256))
"""Buffer by which a view finds out whether buffers reach it unharmed."""


class Page:
    """All views of one widget, as the kernel sees them: speaks `protocol` with them, and is the engine's listener.

    Parameters
    ----------
    widget : BinnedWidget
        Sends the messages, and applies the page's operations to its bins.
    prompts : Prompts
        Puts the page's prompts into the bins.
    choices : Choices
        Methods and baselines that the user has set, for the page's menus.
    """

    def __init__(self, widget: BinnedWidget, prompts: Prompts, choices: Choices) -> None:
        self._widget, self._prompts, self._choices = widget, prompts, choices
        self._images, self._encoder = widget.images, widget.encoder
        self._status: protocol.Status | None = None
        self._engine: LiveEngine | None = None
        self._base64 = False  # whether buffers go as strings, because a view has got none
        self._requests = RequestPool()
        end_with_interpreter(self)

    def connect(self, engine: LiveEngine) -> None:
        """Set the engine that answers the views."""
        self._engine = engine

    def close(self) -> None:
        """Answer nothing more; returns at once, and what is being answered ends by itself."""
        self._requests.close()
        self._engine = None

    def join(self) -> None:
        """Wait until the threads of a closed page have ended."""
        self._requests.join()

    # ---- requests ------------------------------------------------------------------------------------------------

    def receive(self, message: Any) -> None:
        """Take a message of the page."""
        kind = message.get("kind") if isinstance(message, dict) else None
        if not isinstance(kind, str) or kind not in protocol.REQUEST_KINDS:
            return  # not of this protocol: anywidget has messages of its own
        request = None
        try:
            request = validation.checked(message)
            if self._engine is not None:
                self._engine.hear(request["view"])
                self._handle(request, self._engine)
        except validation.BadMessage as error:
            self.error(str(error), error.request)
        except Exception as error:
            self.error(f"{type(error).__name__}: {error}", request and request["id"])

    def _handle(self, request: protocol.Request, engine: LiveEngine) -> None:
        images = self._images
        match request["kind"]:
            case "hello":
                self._answer(request, partial(self._greet, request))
            case "thumbnails":
                cancelled = partial(self._requests.is_cancelled, request["id"])
                self._answer(request, partial(thumbnails, request, images, self._encoder, cancelled), "thumbnails")
            case "watch":
                self._watch(request, engine)
            case "hold":
                engine.rest(HOLD_SECONDS)
            case "leave":
                engine.leave(request["view"])
            case "influence":
                self._answer(request, partial(answers.influence, request, images, engine))
            case "curves":
                self._answer(request, partial(answers.curves, request, images, engine, self._goes_on))
            case "add_texts":
                self._answer(request, partial(answers.texts, request, self._prompts))
            case "search":
                self._answer(request, partial(answers.search, request, images, engine))
            case "ping":
                self._send({"id": request["id"], "kind": "pong", "known": engine.hear(request["view"])})
            case "cancel":
                self._requests.cancel(request["cancels"])
            case "operation":
                self._operate(request)
            case "bins":
                self._widget.send_bins()
            case "base64":
                self._base64 = True

    def _answer(self, request: protocol.Request, answer: Callable[[], Answer], pool: PoolName = "answers") -> None:
        """Answer a request on a thread of a pool, and report what goes wrong as its answer."""

        def send() -> None:
            try:
                for message, buffers in answer():
                    if self._requests.is_cancelled(request["id"]):
                        return
                    self._send(message, buffers)
            except BaseException as error:  # SystemExit of an encoder, too: the executor would keep it to itself
                if not self._requests.closed:
                    self.error(str(error) or type(error).__name__, request["id"])

        self._requests.submit(pool, request["id"], send)

    def _operate(self, request: protocol.OperationRequest) -> None:
        try:
            self._widget.operate(request["view"], request["number"], request["operation"])
        except Exception as error:
            self.error(self._widget.reason(error), request["id"])

    def _watch(self, request: protocol.Watch, engine: LiveEngine) -> None:
        visible = [image for image in request["visible"] if image in self._images]
        sizes = {name: max(0, min(request[name], LARGEST)) for name in ("explicands", "gallery")}
        pointed = request["cells_of"]
        cells_of = pointed if pointed in self._images else None
        view = View(visible=tuple(visible), seen=tuple(request["seen"]), cells_of=cells_of, **sizes)
        engine.watch(request["view"], view, renew=request["renew"])
        # The others are watched; these are reported.
        self._images.check(request["visible"] if pointed is None else [*request["visible"], pointed])

    def _greet(self, request: protocol.Hello) -> Answer:
        found = catalogue(request["id"], str(self._widget.model_id), self._images, self._encoder, self._choices)
        yield found, [EVERY_BYTE]
        if self._status is not None:
            yield self._status, []

    def _goes_on(self, progress: protocol.Curves) -> bool:
        """Send the progress of curves, unless they are not wanted any more."""
        if self._requests.is_cancelled(progress["id"]):
            return False
        self._send(progress)
        return True

    def _send(self, message: protocol.Response, buffers: list[bytes] | None = None) -> None:
        if buffers and self._base64:
            strings = [b64encode(each).decode("ascii") for each in buffers]
            self._widget.send({**message, "base64": strings}, [])
        else:
            self._widget.send(message, buffers or [])

    # ---- events (the engine's listener) --------------------------------------------------------------------------

    def products(self, products: Products) -> None:
        """Send what the page computes heatmaps from."""
        self._send(*events.products(products))

    def heatmaps(self, update: Update) -> None:
        """Send heatmaps, all of an update in one message."""
        self._send(*events.heatmaps(update))

    def stability(self, version: int, found: dict[str, Stability | None], smallest: int) -> None:
        """Send how stable the answers are."""
        self._send(events.stability(version, found, smallest))

    def progress(self, progress: Progress) -> None:
        """Send the progress of the preparation."""
        self._status = events.status(progress, str(self._encoder.device))
        self._send(self._status)

    def error(self, message: str, request: str | None = None) -> None:
        """Send what went wrong, to every view or in answer to a request."""
        reply: protocol.Error = {"kind": "error", "message": message}
        if request is not None:
            reply["id"] = request
        self._send(reply)

    def rest(self) -> None:
        """End the threads until a view asks for something again."""
        self._requests.rest()
        self._images.close()
