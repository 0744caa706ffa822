"""Bytes that the page is sent while 12 explicands are prepared beside 100 gallery images, and then by one drop.

The page computes heatmaps itself, so what counts is the sum over a whole preparation, and that a drop costs next to
nothing afterwards.

python benchmarks/products.py [--method sharp]
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections import defaultdict
from dataclasses import replace

import cocoa_widget as cw
from cocoa_widget.host import events
from cocoa_widget.insight import Stability
from cocoa_widget.live import Heatmap, LiveEngine, Products, Progress, Question, View

METHODS: dict[str, cw.LinearMethod] = {"rise": cw.RISE(n_masks=1024), "sharp": cw.SharpCAM()}
EXPLICANDS, MEMBERS, CORNERS = 12, 100, (0.0, 0.25, 0.5)


class Counter:
    """A listener that counts messages and their bytes, by kind."""

    def __init__(self) -> None:
        self.sizes: dict[str, list[int]] = defaultdict(list)
        self.complete, self.members = set[str](), set[str]()
        self.arrived = threading.Condition()

    def products(self, products: Products) -> None:
        with self.arrived:
            self._count(*events.products(products))
            done = {item.image for item in products.items if item.progress == 1}
            self.complete |= done
            if done:
                self.members.update(products.members)
            self.arrived.notify_all()

    def heatmaps(self, version: int, heatmaps: list[Heatmap], failed: list[str], nothing: str | None) -> None:
        with self.arrived:
            self._count(*events.heatmaps(version, heatmaps, failed, nothing))
            self.arrived.notify_all()

    def _count(self, message: object, buffers: list[bytes]) -> None:
        kind = message["kind"]  # type: ignore[index]
        self.sizes[kind].append(len(json.dumps(message)) + sum(map(len, buffers)))

    def stability(self, version: int, found: dict[str, Stability | None], smallest: int) -> None:
        pass

    def progress(self, progress: Progress) -> None:
        pass

    def error(self, message: str) -> None:
        raise RuntimeError(message)

    def rest(self) -> None:
        pass

    def print(self, label: str) -> None:
        each = (
            f"{len(sizes)} {kind} messages of {sum(sizes) / 1e6:.3f} MB (the largest {max(sizes) / 1e3:.1f} kB)"
            for kind, sizes in self.sizes.items()
        )
        print(f"{label}: {'; '.join(each)}")


def pictures() -> cw.ImageSet:
    """Cut parts out of the demo photographs, until there are enough."""
    found = {}
    for corner in CORNERS:
        for image in cw.demo_images():
            picture = cw.demo_images().load(image)
            width, height = picture.size
            box = corner * width, corner * height, (corner + 0.5) * width, (corner + 0.5) * height
            found[f"{image}/{corner}"] = picture.crop(tuple(map(int, box)))
    return cw.ImageSet(dict(list(found.items())[: EXPLICANDS + MEMBERS]))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--method", choices=METHODS, default="rise")
    method = METHODS[parser.parse_args().method]
    images = pictures()
    ids = images.ids
    explicands, members = ids[:EXPLICANDS], ids[EXPLICANDS:]
    counter = Counter()
    bins = tuple(members[:3]), tuple(members[3:6]), tuple(explicands)
    question = Question(*bins, method, "contrastive_corpus", "cosine", cw.Blur())
    begun = time.perf_counter()
    engine = LiveEngine(images, cw.load_encoder("demo"), question, counter, 1 << 30)
    engine.watch("view", View(explicands=224, visible=tuple(members)))
    engine.wait()
    with counter.arrived:
        counter.arrived.wait_for(lambda: len(counter.complete) == EXPLICANDS and counter.members >= set(members))
    counter.print(f"{EXPLICANDS} explicands, {len(members)} members, prepared in {time.perf_counter() - begun:.0f} s")
    counter.sizes.clear()
    engine.ask(replace(question, corpus=tuple(members[:50]), foil=tuple(members[50:])))
    with counter.arrived:
        counter.arrived.wait_for(lambda: counter.sizes["heatmaps"])
    counter.print("then another question")
    engine.close()
    engine.join()


if __name__ == "__main__":
    main()
