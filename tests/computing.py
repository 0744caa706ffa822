"""What the page computes from products, in numpy."""

from __future__ import annotations

import numpy as np

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
        (height, width), (down, across) = message["size"], message["cells"]
        rows = np.frombuffer(buffers[0], "<f4").reshape(height, down)
        columns = np.frombuffer(buffers[1], "<f4").reshape(width, across)
        assert len(buffers) == 2 + len(message["items"])
        for item, buffer in zip(message["items"], buffers[2:], strict=True):
            values = np.frombuffer(buffer, "<f4").reshape(1 + len(message["members"]), 1 + down * across)
            own, *others = values.astype(np.float64)
            earlier = {} if item["replaces"] else self.images[item["image"]]["members"]
            members = earlier | dict(zip(message["members"], others, strict=True))
            spread = rows, columns, (down, across)
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
        rows, columns, cells = known["spread"]
        return (rows @ product[:-1].reshape(cells) @ columns.T).astype(np.float32), float(product[-1])
