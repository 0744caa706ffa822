"""The kernel's end of the wire: answer the page's requests, and tell it what the engine finds.

It only validates and enqueues: requests may come on any thread (JupyterLab's kernel subshells), and none may block it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import numpy as np
import torch

from ..encoders import Encoder
from ..evaluation import Curves
from ..images import ImageSet, UnknownImage, UnreadableImage, encodable
from ..insight import ENOUGH, Stability
from ..live import Heatmap, Influences, LiveEngine, Progress, View, end_with_interpreter
from ..texts import class_names
from . import protocol, validation

Send = Callable[[Any, list[bytes]], None]
AddTexts = Callable[[list[str], Literal["corpus", "foil"]], tuple[int, list[tuple[str, str]]]]

HOLD_SECONDS = 1.5
"""How long one `hold` lasts; the page repeats it more often than that."""
LARGEST = 4096
"""Most pixels that the longer side of a thumbnail or a heatmap has."""
PART_IMAGES = 24
PART_SECONDS = 0.1
"""A part of the thumbnails is sent when it has this many, or has been gathered for this long."""


class Page:
    """Speak `protocol` with all views of one widget; listens to its engine.

    Parameters
    ----------
    send : callable
        Takes a message and its buffers, from any thread.
    images : ImageSet
    encoder : Encoder
    catalogue : callable
        Makes the reply to `hello`, but for its id.
    step : callable
        Undoes (−1) or redoes (+1) a change of the bins.
    history : callable
        Returns what undo and redo would do.
    add_texts : callable
        Puts prompts into a bin; returns how many are new, and what was skipped and why.
    cut : callable
        Lists those of some prompts that are longer than the encoder reads.
    """

    def __init__(
        self,
        send: Send,
        images: ImageSet,
        encoder: Encoder,
        catalogue: Callable[[str], protocol.Catalogue],
        step: Callable[[int], None],
        history: Callable[[], tuple[str | None, str | None]],
        add_texts: AddTexts,
        cut: Callable[[list[str]], list[str]],
    ) -> None:
        self._send = send
        self._images, self._encoder = images, encoder
        self._catalogue, self._step, self._history = catalogue, step, history
        self._add_texts, self._cut = add_texts, cut
        self._status: protocol.Status | None = None
        self._engine: LiveEngine | None = None
        self._lock = threading.Lock()
        self._pending: dict[str, bool] = {}  # requests that are not answered yet, and whether they were cancelled
        # Threads exist while a view is there. Thumbnails are made one request after the other; influence takes
        # milliseconds, and need not wait for curves, which take a second.
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._retired: list[ThreadPoolExecutor] = []
        self._closed = False
        end_with_interpreter(self)

    def connect(self, engine: LiveEngine) -> None:
        """Set the engine that answers the views."""
        self._engine = engine

    def close(self) -> None:
        """Answer nothing more; returns at once, and what is being answered ends by itself."""
        with self._lock:
            self._closed = True
            self._retired, self._pools = [*self._pools.values()], {}
        for pool in self._retired:
            pool.shutdown(wait=False, cancel_futures=True)
        self._engine = None

    def join(self) -> None:
        """Wait until the threads of a closed page have ended."""
        for pool in self._retired:
            pool.shutdown()

    def rest(self) -> None:
        """End the threads until a view asks for something again."""
        with self._lock:
            pools, self._pools = [*self._pools.values()], {}
        for pool in pools:
            pool.shutdown(wait=False)
        self._images.close()

    def _answer(self, pool: str, threads: int, answer: Callable[[Any], None], request: protocol.Request) -> None:
        """Answer a request on a thread of a pool, and report what goes wrong as its answer."""

        def run() -> None:
            try:
                if not self._is_cancelled(request["id"]):
                    answer(request)
            except BaseException as error:  # SystemExit of an encoder, too: the executor would keep it to itself
                if not self._closed:
                    self.error(str(error) or type(error).__name__, request["id"])
            finally:
                with self._lock:
                    self._pending.pop(request["id"], None)

        with self._lock:
            if self._closed or request["id"] in self._pending:
                return  # a page sends again what it takes for lost
            if pool not in self._pools:
                self._pools[pool] = ThreadPoolExecutor(threads, thread_name_prefix=f"cocoa-{pool}")
            self._pending[request["id"]] = False
            self._pools[pool].submit(run)

    def _is_cancelled(self, request: str) -> bool:
        with self._lock:
            return self._closed or self._pending.get(request, False)

    def _cancel(self, request: str) -> None:
        with self._lock:
            if request in self._pending:
                self._pending[request] = True

    # ---- requests ------------------------------------------------------------------------------------------------

    def receive(self, message: Any) -> None:
        """Take a message of the page's."""
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
        match request["kind"]:
            case "hello":
                self._answer("answers", 2, self._greet, request)
            case "thumbnails":
                self._answer("thumbnails", 1, self._thumbnails, request)
            case "watch":
                self._watch(request, engine)
            case "hold":
                engine.rest(HOLD_SECONDS)
            case "leave":
                engine.leave(request["view"])
            case "influence":
                self._answer("answers", 2, self._inspect, request)
            case "curves":
                self._answer("answers", 2, self._draw_curves, request)
            case "add_texts":
                self._answer("answers", 2, self._add, request)
            case "search":
                self._answer("answers", 2, self._search, request)
            case "ping":
                self._send({"id": request["id"], "kind": "pong", "known": engine.hear(request["view"])}, [])
            case "cancel":
                self._cancel(request["cancels"])
            case "undo":
                self._step(-1)
            case "redo":
                self._step(1)

    def _watch(self, request: protocol.Watch, engine: LiveEngine) -> None:
        visible = [image for image in request["visible"] if image in self._images]
        sizes = {name: max(0, min(request[name], LARGEST)) for name in ("explicands", "gallery")}
        engine.watch(request["view"], View(visible=tuple(visible), **sizes))
        self._images.check(request["visible"])  # the others are watched; these are reported

    def _greet(self, request: protocol.Hello) -> None:
        self._send(self._catalogue(request["id"]), [])  # which may have to run the encoder, to know what it can do
        if self._status is not None:
            self._send(self._status, [])
        self.tell_history()

    def _thumbnails(self, request: protocol.ThumbnailRequest) -> None:
        items: list[protocol.Thumbnail] = []
        buffers: list[bytes] = []
        for image in [image for image in request["images"] if image not in self._images]:
            items.append(_failed(image, str(UnknownImage([image], self._images.ids))))
            buffers.append(b"")
        known = [image for image in request["images"] if image in self._images]
        begun = time.monotonic()
        for image, found in self._images.thumbnails(known, max(16, min(request["size"], LARGEST))):
            if self._is_cancelled(request["id"]):
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
                        "frame": self._encoder.frame(found.width, found.height),
                        "type": found.media_type,
                    }
                )
                buffers.append(found.data)
            if len(items) >= PART_IMAGES or time.monotonic() - begun > PART_SECONDS:
                self._send({"id": request["id"], "kind": "thumbnails", "items": items, "last": False}, buffers)
                items, buffers, begun = [], [], time.monotonic()
        self._send({"id": request["id"], "kind": "thumbnails", "items": items, "last": True}, buffers)

    def _inspect(self, request: protocol.Ask) -> None:
        self._images.check([request["image"]])
        found = self._live.inspector.influence(request["image"])
        if not self._is_cancelled(request["id"]):
            self._send(_influence(request, found), [])

    def _add(self, request: protocol.AddTexts) -> None:
        self._send(self._texts(request), [])

    @property
    def _live(self) -> LiveEngine:
        if self._engine is None:
            raise RuntimeError("The widget was closed.")
        return self._engine

    def _texts(self, request: protocol.AddTexts) -> protocol.Texts:
        name = request["list"]
        prompts = class_names(name) if name else request["texts"]
        added, skipped = self._add_texts(prompts, request["bin"])
        return {
            "id": request["id"],
            "kind": "texts",
            "added": added,
            "skipped": [{"text": text, "reason": reason} for text, reason in skipped],
            "cut": [] if name else self._cut(prompts),
        }

    def _search(self, request: protocol.Search) -> None:
        found = self._live.search(request["text"])
        if self._is_cancelled(request["id"]):
            return
        reply: protocol.SearchResult = {
            "id": request["id"],
            "kind": "search",
            "images": found.images,
            "scores": found.scores,
            "compared": found.compared,
            "total": len(self._images),
        }
        self._send(reply, [])

    def _draw_curves(self, request: protocol.Ask) -> None:
        image, engine = request["image"], self._live
        self._images.check([image])
        heatmap = engine.heatmap(image)
        if heatmap is None:
            raise ValueError(f"There is nothing to explain in {image}.")

        def goes_on(done: int, total: int) -> bool:
            if self._is_cancelled(request["id"]):
                return False
            self._send(_curves(request, done, total, None), [])
            return True

        found = engine.inspector.curves(image, torch.from_numpy(heatmap.values), goes_on)
        if found is not None:
            self._send(_curves(request, 1, 1, found), [])

    # ---- events (the engine's listener) --------------------------------------------------------------------------

    def heatmaps(self, version: int, heatmaps: list[Heatmap], nothing: str | None) -> None:
        """Send heatmaps, all of an update in one message."""
        message: protocol.Heatmaps = {"kind": "heatmaps", "version": version, "items": []}
        if nothing is not None:
            message["nothing"] = nothing
        buffers = []
        for heatmap in heatmaps:
            item, buffer = _packed(heatmap)
            message["items"].append(item)
            buffers.append(buffer)
        self._send(message, buffers)

    def stability(self, version: int, found: dict[str, Stability | None], smallest: int) -> None:
        """Send how stable the answers are."""
        message: protocol.Reliability = {
            "kind": "reliability",
            "version": version,
            "items": [
                {"image": image, "low": None, "high": None, "agreement": None}
                if each is None
                else {"image": image, "low": each.low, "high": each.high, "agreement": each.agreement}
                for image, each in found.items()
            ],
            "smallest": smallest,
            "few": 0 < smallest < ENOUGH,
        }
        self._send(message, [])

    def progress(self, progress: Progress) -> None:
        """Send the state of the preparation."""
        self._status = {
            "kind": "status",
            "device": str(self._encoder.device),
            "task": None
            if progress.label is None
            else {"label": progress.label, "done": progress.done, "total": progress.total},
            "ready": progress.ready,
            "explicands": progress.explicands,
            "memory": progress.memory,
            "budget": progress.budget,
        }
        self._send(self._status, [])

    def error(self, message: str, request: str | None = None) -> None:
        """Send what went wrong; to everybody, or in answer to a request."""
        reply: protocol.Error = {"kind": "error", "message": message}
        if request is not None:
            reply["id"] = request
        self._send(reply, [])

    def tell_history(self) -> None:
        """Send what undo and redo would do."""
        undo, redo = self._history()
        self._send({"kind": "history", "undo": undo, "redo": redo}, [])


def _failed(image: str, reason: str) -> protocol.Thumbnail:
    frame = (0.0, 0.0, 1.0, 1.0)
    return {"image": encodable(image), "width": 1, "height": 1, "frame": frame, "type": "", "error": reason}


def _influence(request: protocol.Ask, found: Influences) -> protocol.Influence:
    members: list[protocol.Member] = []
    for name, (ids, part) in (("corpus", found.corpus), ("foil", found.foil)):
        for i, image in enumerate(ids if part is not None else []):
            assert part is not None
            members.append(
                {
                    "image": image,
                    "bin": name,  # type: ignore[typeddict-item]
                    "share": float(part.shares[i]),
                    "change": None if part.changes is None else float(part.changes[i]),
                    "outlier": bool(part.outliers[i]),
                }
            )
    members.sort(key=lambda member: -abs(member["share"]))
    return {
        "id": request["id"],
        "kind": "influence",
        "image": request["image"],
        "score": found.score,
        "members": members,
    }


def _curves(request: protocol.Ask, done: int, total: int, found: Curves | None) -> protocol.Curves:
    message: protocol.Curves = {
        "id": request["id"],
        "kind": "curves",
        "image": request["image"],
        "done": done,
        "total": total,
        "fractions": [],
        "curves": [],
    }
    if found is not None:
        message["fractions"] = found.fractions.tolist()
        message["curves"] = [
            {
                "measure": measure,
                "label": found.labels[i],
                "insertion": found.insertion[i, 0].tolist(),
                "deletion": found.deletion[i, 0].tolist(),
                "insertion_auc": float(found.insertion_auc[i, 0]),
                "deletion_auc": float(found.deletion_auc[i, 0]),
            }
            for i, measure in enumerate(found.measures)
        ]
    return message


def _packed(heatmap: Heatmap) -> tuple[protocol.Heatmap, bytes]:
    # Relative to the peak, since float16 has few digits left for values as small as a pixel's share of a score.
    peak = float(np.abs(heatmap.values).max(initial=0.0))
    relative = heatmap.values / peak if peak > 0 else np.zeros_like(heatmap.values)
    item: protocol.Heatmap = {
        "image": heatmap.image,
        "method": heatmap.method,
        "layer": heatmap.layer,
        "preview": heatmap.preview,
        "shape": (heatmap.values.shape[0], heatmap.values.shape[1]),
        "peak": peak,
        "score": heatmap.score,
        "progress": heatmap.progress,
    }
    if heatmap.gap is not None:
        item["gap"] = heatmap.gap
    return item, relative.astype("<f2").tobytes()
