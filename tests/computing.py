"""What the page computes from products, in numpy."""

from __future__ import annotations

import numpy as np
import torch

from cocoa_widget.attribution import GuidedFilter
from cocoa_widget.contrast import TARGETS


class Computing:
    """Keeps the products of `products` messages as the page does, and adds them up for any bins."""

    def __init__(self):
        self.space, self.settings, self.images, self.messages = 0, None, {}, []

    def take(self, message, buffers):
        """Keep the products of a message, checked for its form."""
        assert message["space"] >= self.space
        assert sum(map(len, buffers)) <= 1_000_000
        self.enter(message["space"])
        self.settings = message["settings"]
        for image in message["dropped"]:
            del self.images[image]
        self.messages.append((message, buffers))
        items, sent = message["items"], message["spread"]
        buffers = iter(buffers)
        terms = [_term(term, sent["size"], buffers) for term in sent["terms"]] if sent else None
        values = [np.frombuffer(next(buffers), "<f4") for _ in items]
        guides = [next(buffers) for _ in items] if sent and sent["filter"] else [None] * len(items)
        assert list(buffers) == []
        for item, numbers, guide in zip(items, values, guides, strict=True):
            earlier = self.images.get(item["image"])
            spread = (sent["size"], terms, _filter(sent, guide)) if sent else earlier["spread"]
            k = sum(k for k, _ in spread[1])
            own, *others = numbers.reshape(1 + len(message["members"]), k + 1).astype(np.float64)
            members = {} if item["replaces"] else earlier["members"]
            members = members | dict(zip(message["members"], others, strict=True))
            self.images[item["image"]] = item | {"own": own, "members": members, "spread": spread}

    def enter(self, space):
        """Drop the products of an earlier space."""
        if space > self.space:
            self.space, self.images = space, {}

    def has(self, image, members):
        """Return whether the heatmap of an image can be computed for these members."""
        return image in self.images and self.images[image]["members"].keys() >= {*members}

    def heatmap(self, image, target, corpus, foil, absent=()):
        """Return an image's heatmap and score; None where a product is missing or nothing is explained."""
        compared = TARGETS[target]
        bins = [[m for m in each or () if m not in absent] for each in compared.used(corpus, foil)]
        if not self.has(image, bins[0] + bins[1]) or not (compared.own or any(bins)):
            return None
        known = self.images[image]
        product = known["own"] * compared.own
        for sign, members in zip((1, -1), bins, strict=True):
            if members:
                product = product + sign * np.mean([known["members"][m] for m in members], 0)
        return self._pixels(known, product), float(product[-1])

    def deviation(self, image, target, corpus, foil):
        """Return the deviation of an image's heatmap over draws of the bins."""
        known, variance = self.images[image], 0
        for members in TARGETS[target].used(corpus, foil):
            each = np.array([self._pixels(known, known["members"][m]) for m in members or ()])
            if len(each):
                variance = variance + each.var(0, ddof=1) / len(each)
        return np.sqrt(variance)

    def _pixels(self, known, product):
        size, terms, guided = known["spread"]
        pixels, begin = np.zeros(size), 0
        for k, spread in terms:
            pixels += spread(product[begin : begin + k]).reshape(size)
            begin += k
        if guided is not None:
            pixels = guided.apply(torch.from_numpy(pixels).float()).numpy()
        return np.asarray(pixels, np.float32)


def _term(term, size, buffers):
    """Return how many numbers a term of a spread takes, and the function from them to pixels."""
    if term["kind"] == "sparse":
        starts, cells, weights = (np.frombuffer(next(buffers), kind) for kind in ("<u4", "<u2", "<f4"))
        assert len(cells) == len(weights) == starts[-1] == term["entries"]
        pixels = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        return term["k"], lambda numbers: np.bincount(pixels, weights * numbers[cells], size[0] * size[1])
    rows, columns = (
        np.frombuffer(next(buffers), "<f4").reshape(length, cells)
        for length, cells in zip(size, term["cells"], strict=True)
    )
    return rows.shape[1] * columns.shape[1], lambda numbers: rows @ numbers.reshape(term["cells"]) @ columns.T


def _filter(spread, guide):
    if guide is None:
        return None
    pixels = torch.from_numpy(np.frombuffer(guide, np.uint8).reshape(*spread["size"], 3).copy())
    return GuidedFilter(pixels.permute(2, 0, 1) / 255, **spread["filter"])
