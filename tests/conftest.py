"""Encoders whose heatmaps are known in closed form, and pictures to feed them."""

from __future__ import annotations

import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import cocoa_widget as cw
from tests.wire import BINS, Wire


class Counted(nn.Module):
    """Counts the images that it has seen, also through copies of it: they share the counter."""

    def __init__(self) -> None:
        super().__init__()
        self.counter = SimpleNamespace(calls=0)

    @property
    def calls(self) -> int:
        return self.counter.calls

    @calls.setter
    def calls(self, calls: int) -> None:
        self.counter.calls = calls


class Linear(Counted):
    """A linear encoder: one number for each pixel of each channel."""

    def __init__(self, size: int = 32, dimensions: int = 16) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.weight = nn.Parameter(torch.randn(dimensions, 3 * size * size) / size)

    def forward(self, images: Tensor) -> Tensor:
        self.calls += len(images)
        return images.flatten(1) @ self.weight.T


class Convolutional(Counted):
    """A small convolutional network that ends in global average pooling."""

    def __init__(self, dimensions: int = 16) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1),
            nn.BatchNorm2d(8),
            nn.ReLU(inplace=True),
            nn.Conv2d(8, dimensions, 3, stride=2, padding=1),
            nn.GELU(),
        )
        self.pool = nn.AdaptiveAvgPool2d(1)

    def forward(self, images: Tensor) -> Tensor:
        self.calls += len(images)
        return self.pool(self.body(images)).flatten(1)


def encoder_of(module: nn.Module, **options: object) -> cw.Encoder:
    return cw.Encoder(module, **{"image_size": 32, "precision": "float32", "device": "cpu", **options})


@pytest.fixture
def linear() -> cw.Encoder:
    return encoder_of(Linear())


@pytest.fixture
def convolutional() -> cw.Encoder:
    return encoder_of(Convolutional())


@pytest.fixture
def inputs() -> Tensor:
    return torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def corpus() -> Tensor:
    return torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(2))


@pytest.fixture
def foil() -> Tensor:
    return torch.randn(6, 3, 32, 32, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def pictures() -> dict[str, Image.Image]:
    rng = np.random.default_rng(0)
    return {f"p{i}": Image.fromarray(rng.integers(0, 256, (40, 48, 3), dtype=np.uint8)) for i in range(10)}


@pytest.fixture(scope="session")
def demo_encoder() -> cw.Encoder:
    return cw.load_encoder("demo", device="cpu", precision="float32")


@pytest.fixture(scope="session")
def photographs() -> cw.ImageSet:
    return cw.demo_images()


@pytest.fixture
def make_widget(pictures):
    widgets = []

    def start(images=None, **options):
        encoder = options.pop("encoder", None) or encoder_of(Convolutional())
        options = {"method": cw.RISE(n_masks=128), **options}
        widgets.append(cw.CocoaWidget(pictures if images is None else images, encoder, **options))
        return widgets[-1]

    yield start
    for widget in widgets:
        widget.close()


@pytest.fixture
def shown(make_widget):
    """A widget whose explicand is on screen and complete, and the wire to it."""

    def start(**options):
        widget = make_widget(**{**BINS, "foil": ["p3", "p4"], **options})
        wire = Wire(widget)
        wire.ask("watch", explicands=32, gallery=0, visible=[])
        widget.wait(120)
        return widget, wire

    return start


def headless(widget):
    explainer = cw.Explainer(widget.encoder, widget.method, widget.baseline)
    load = widget.images.load
    prepared = explainer.prepare([load(i) for i in widget.explicands])
    return prepared, {"corpus": [load(i) for i in widget.corpus], "foil": [load(i) for i in widget.foil]}


@pytest.fixture
def own_threads():
    """Return the project's threads that did not exist before the test."""
    before = {*threading.enumerate()}
    return lambda: [t.name for t in threading.enumerate() if t.name.startswith("cocoa-") and t not in before]


@pytest.fixture
def eager():
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


SLOW_FILES = ("e2e", "notebook", "test_exit", "test_chaos", "test_tiny_clip", "test_load_examples", "test_examples")
"""Parts of the paths of tests that start a browser, run a notebook or a script, or train."""
SLOW_FIXTURES = {"demo_encoder", "photographs"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that `make check` leaves out."""
    for item in items:
        file = item.nodeid.partition("::")[0]
        if SLOW_FIXTURES & {*getattr(item, "fixturenames", ())} or any(part in file for part in SLOW_FILES):
            item.add_marker("slow")
