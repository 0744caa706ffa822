"""The kernel's end of the wire: answer the page's requests, and tell it what the engine finds.

It only validates and enqueues: requests may come on any thread (JupyterLab's kernel subshells), and none may block it.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch

from . import protocol
from .encoders import Encoder
from .encoders.class_names import class_names
from .evaluation import Curves
from .images import ImageSet, UnreadableImage
from .live import LiveEngine, Picture, Progress, Sureness, View
from .live.inspector import Influences
from .reliability import ENOUGH

Send = Callable[[Any, list[bytes]], None]
AddTexts = Callable[[list[str], str], tuple[int, list[tuple[str, str]]]]

HOLD_SECONDS = 1.5
"""How long one `hold` lasts; the page repeats it more often than that."""
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
        self._cancelled: set[str] = set()
        self._requests: queue.SimpleQueue[protocol.ThumbnailRequest | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve_thumbnails, name="cocoa-thumbnails", daemon=True)
        self._thread.start()
        # Influence takes milliseconds, and need not wait for curves, which take a second.
        self._answers = ThreadPoolExecutor(2, thread_name_prefix="cocoa-answers")
        self._closed = False

    def connect(self, engine: LiveEngine) -> None:
        """Say whom the views watch."""
        self._engine = engine

    def close(self) -> None:
        """Stop serving."""
        self._closed = True
        self._requests.put(None)
        self._answers.shutdown(wait=False, cancel_futures=True)
        if self._thread is not threading.current_thread():
            self._thread.join()
        self._engine = None

    # ---- requests ------------------------------------------------------------------------------------------------

    def receive(self, message: Any) -> None:
        """Take a message of the page's."""
        if not isinstance(message, dict) or message.get("kind") not in protocol.REQUEST_KINDS:
            return  # somebody else's: anywidget has messages of its own
        try:
            self._handle(message)
        except Exception as error:
            self.error(f"{type(error).__name__}: {error}", message.get("id"))

    def _handle(self, message: dict[str, Any]) -> None:
        view = message.get("view", "")
        match message["kind"]:
            case "hello":
                self._answers.submit(self._greet, message["id"])
            case "thumbnails":
                self._images.check(message["images"])
                self._requests.put(message)  # type: ignore[arg-type]
            case "watch" if self._engine is not None:
                self._images.check(message["visible"])
                sizes = {name: max(0, min(int(message[name]), 4096)) for name in ("explicands", "gallery")}
                self._engine.watch(view, View(visible=tuple(message["visible"]), **sizes))
            case "hold" if self._engine is not None:
                self._engine.rest(HOLD_SECONDS)
            case "leave" if self._engine is not None:
                self._engine.leave(view)
            case "ping":
                known = self._engine is not None and self._engine.is_watched_by(view)
                self._send({"id": message["id"], "kind": "pong", "known": known}, [])
            case "influence" | "curves" if self._engine is not None:
                self._images.check([message["image"]])
                self._answers.submit(self._inspect, message, self._engine)  # type: ignore[arg-type]
            case "add_texts" | "search":
                self._answers.submit(self._answer_texts, message)
            case "cancel":
                self._cancelled.add(message["cancels"])
            case "undo":
                self._step(-1)
            case "redo":
                self._step(1)

    def _greet(self, request: str) -> None:
        try:
            self._send(self._catalogue(request), [])  # which may have to run the encoder, to know what it can do
            if self._status is not None:
                self._send(self._status, [])
            self.tell_history()
        except Exception as error:
            if not self._closed:
                self.error(f"{type(error).__name__}: {error}", request)

    def _serve_thumbnails(self) -> None:
        while (request := self._requests.get()) is not None:
            try:
                self._thumbnails(request)
            except Exception as error:
                self.error(f"{type(error).__name__}: {error}", request["id"])
            finally:
                self._cancelled.discard(request["id"])

    def _thumbnails(self, request: protocol.ThumbnailRequest) -> None:
        items: list[protocol.Thumbnail] = []
        buffers: list[bytes] = []
        begun = time.monotonic()
        for image, found in self._images.thumbnails(request["images"], max(16, min(int(request["size"]), 4096))):
            if request["id"] in self._cancelled:
                return
            if isinstance(found, UnreadableImage):
                items.append(
                    {
                        "image": image,
                        "width": 1,
                        "height": 1,
                        "frame": (0.0, 0.0, 1.0, 1.0),
                        "type": "",
                        "error": str(found),
                    }
                )
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

    def _inspect(self, request: protocol.Ask, engine: LiveEngine) -> None:
        try:
            if request["kind"] == "influence":
                found = engine.inspector.influence(request["image"])
                if request["id"] not in self._cancelled:
                    self._send(_influence(request, found), [])
            else:
                self._curves(request, engine)
        except Exception as error:
            if not self._closed:
                self.error(str(error), request["id"])
        finally:
            self._cancelled.discard(request["id"])

    def _answer_texts(self, request: Any) -> None:
        try:
            if request["kind"] == "add_texts":
                self._send(self._texts(request), [])
            elif self._engine is not None:
                reply = self._search(request, self._engine)
                if request["id"] not in self._cancelled:
                    self._send(reply, [])
        except Exception as error:
            if not self._closed:
                self.error(str(error), request["id"])
        finally:
            self._cancelled.discard(request["id"])

    def _texts(self, request: protocol.AddTexts) -> protocol.Texts:
        name = request.get("list")
        prompts = class_names(name) if name else list(map(str, request["texts"]))
        added, skipped = self._add_texts(prompts, request["bin"])
        return {
            "id": request["id"],
            "kind": "texts",
            "added": added,
            "skipped": [{"text": text, "reason": reason} for text, reason in skipped],
            "cut": [] if name else self._cut(prompts),
        }

    def _search(self, request: protocol.Search, engine: LiveEngine) -> protocol.SearchResult:
        found = engine.search(request["text"])
        return {
            "id": request["id"],
            "kind": "search",
            "images": found.images,
            "scores": found.scores,
            "compared": found.compared,
            "total": len(self._images),
        }

    def _curves(self, request: protocol.Ask, engine: LiveEngine) -> None:
        image = request["image"]
        picture = engine.picture(image)
        if picture is None:
            raise ValueError(f"There is nothing to explain in {image}.")

        def goes_on(done: int, total: int) -> bool:
            if self._closed or request["id"] in self._cancelled:
                return False
            self._send(_curves(request, done, total, None), [])
            return True

        found = engine.inspector.curves(image, torch.from_numpy(picture.values), goes_on)
        if found is not None:
            self._send(_curves(request, 1, 1, found), [])

    # ---- events (the engine's listener) --------------------------------------------------------------------------

    def heatmaps(self, version: int, pictures: list[Picture], nothing: str | None) -> None:
        """Send heatmaps, all of an update in one message."""
        message: protocol.Heatmaps = {"kind": "heatmaps", "version": version, "items": []}
        if nothing is not None:
            message["nothing"] = nothing
        buffers = []
        for picture in pictures:
            item, buffer = _packed(picture)
            message["items"].append(item)
            buffers.append(buffer)
        self._send(message, buffers)

    def reliability(self, version: int, items: list[Sureness], smallest: int) -> None:
        """Send how sure the answers are."""
        message: protocol.Reliability = {
            "kind": "reliability",
            "version": version,
            "items": [
                {"image": item.image, "low": item.low, "high": item.high, "agreement": item.agreement} for item in items
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


def _packed(picture: Picture) -> tuple[protocol.Heatmap, bytes]:
    # Relative to the peak, since float16 has few digits left for values as small as a pixel's share of a score.
    peak = float(np.abs(picture.values).max(initial=0.0))
    relative = picture.values / peak if peak > 0 else np.zeros_like(picture.values)
    item: protocol.Heatmap = {
        "image": picture.image,
        "method": picture.method,
        "layer": picture.layer,
        "preview": picture.preview,
        "shape": (picture.values.shape[0], picture.values.shape[1]),
        "peak": peak,
        "score": picture.score,
        "progress": picture.progress,
    }
    if picture.gap is not None:
        item["gap"] = picture.gap
    return item, relative.astype("<f2").tobytes()
