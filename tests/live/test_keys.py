"""Keys of images are found while images are decoded, never under the engine's lock."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from PIL import Image

import cocoa_widget as cw
from cocoa_widget.encoders.decoding import Decoder
from cocoa_widget.live import View
from cocoa_widget.live.members import MemberIndex
from cocoa_widget.live.search import search
from cocoa_widget.texts.templates import AS_TYPED
from tests.conftest import Convolutional, encoder_of
from tests.joint import Words

from .helpers import question


class Items:
    """A data set that notes which threads ask it for an item; items wait for `waits`, if it is set."""

    def __init__(self, count=10, shift=0):
        self.count, self.shift, self.threads, self.waits = count, shift, [], None

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        if not 0 <= index < self.count:
            raise IndexError(index)
        if self.waits is not None:
            assert self.waits.wait(120)
        self.threads.append(threading.current_thread().name)
        rng = np.random.default_rng(self.shift + index)
        return Image.fromarray(rng.integers(0, 256, (40, 48, 3), dtype=np.uint8)), 0


def test_a_known_key_asks_for_nothing(tmp_path, pictures):
    items = Items()
    images = cw.ImageSet(items)
    items.threads.clear()
    assert [images.known_key(i) for i in images] == [None] * 10
    assert items.threads == []
    loaded, key = images.load_with_key(images.ids[3])
    assert len(items.threads) == 1
    assert images.known_key(images.ids[3]) == images.key(images.ids[3]) == key == cw.ImageSet(items).key(images.ids[3])
    assert np.array_equal(loaded, cw.ImageSet(items).load(images.ids[3]))
    assert images.select(images.ids[3:4]).known_key(images.ids[3]) == key
    with pytest.raises(cw.UnknownImage):
        images.known_key("nowhere")
    pictures["p0"].save(tmp_path / "a.png")
    files = cw.ImageSet(tmp_path)
    (tmp_path / "a.png").unlink()
    assert files.known_key("a.png") is None, "the disk is not asked"
    with pytest.raises(cw.UnreadableImage):
        files.load_with_key("a.png")
    in_memory = cw.ImageSet(pictures)
    assert in_memory.known_key("p0") == in_memory.load_with_key("p0")[1] == in_memory.key("p0")


def test_setting_a_bin_reads_no_item(make):
    """However long items take, a question with ten of them is taken at once, and answered when they have come."""
    items = Items()
    images = cw.ImageSet(items)
    items.threads.clear()
    items.waits = threading.Event()
    ids = images.ids
    engine, recorder, _ = make(images=images, first=question(corpus=(), foil=(), explicands=()))
    engine.watch("a", View(explicands=32, visible=tuple(ids)))
    # While every item is held up, the lock is free and the question is taken.
    engine.ask(question(corpus=tuple(ids[1:6]), foil=tuple(ids[6:]), explicands=tuple(ids[:1])))
    assert engine.version == 1
    assert engine._state.changed.acquire(timeout=120)
    engine._state.changed.release()
    assert items.threads == []
    items.waits.set()
    engine.wait(120)
    recorder.until(lambda: ids[0] in recorder.newest())
    allowed = ("cocoa-decode", "cocoa-worker")  # the latter for explicands, outside the lock
    assert all(name.startswith(allowed) for name in items.threads), items.threads


def test_search_reads_no_item():
    items = Items()
    images = cw.ImageSet(items)
    encoder = encoder_of(Convolutional(), text=Words())
    index = MemberIndex(images, encoder)
    items.threads.clear()
    assert search("a dog", AS_TYPED, images, index, encoder).compared == 0
    assert items.threads == []
    encoder.represent(images, images.ids[:4])
    assert all(name.startswith("cocoa-decode") for name in items.threads)
    read = len(items.threads)
    assert search("a dog", AS_TYPED, images, index, encoder).compared == 4
    assert len(items.threads) == read == 4


def test_a_picture_that_turns_out_to_be_known_is_not_passed(pictures):
    module = Convolutional()
    encoder = encoder_of(module)
    items = Items()
    first = encoder.encode(cw.ImageSet(items))
    before = module.calls
    torch.testing.assert_close(encoder.encode(cw.ImageSet(items)), first)
    assert module.calls == before
    both = encoder.encode(cw.ImageSet([Image.fromarray(np.zeros((9, 9, 3), np.uint8))] * 3))
    assert module.calls == before + 1, "the same pixels three times are one pass"
    assert both.shape == (3, 16)


def test_known_images_are_not_decoded(tmp_path, pictures):
    for name in ("a", "b"):
        pictures["p0"].save(tmp_path / f"{name}.png")
    images = cw.ImageSet(tmp_path)
    known = images.key("a.png")
    decoded = []
    preprocess = lambda picture: decoded.append(picture) or torch.zeros(3, 2, 2)  # noqa: E731
    with Decoder(images, preprocess, lambda _, key: key == known) as decoder:
        (key, tensor), (_, other) = decoder.take(["a.png", "b.png"])
    assert (key, tensor) == (known, None)
    assert other is not None
    assert len(decoded) == 1


def test_an_engine_learns_the_keys_of_what_is_encoded_already(make):
    """A second set of the same data: nothing is encoded again, and its heatmaps are complete all the same."""
    items = Items()
    engine, recorder, encoder = make(images=cw.ImageSet(items), first=question(corpus=(), foil=(), explicands=()))
    reference = encoder.encode(cw.ImageSet(items))
    ids = cw.ImageSet(items).ids
    engine.ask(question(corpus=tuple(ids[1:4]), foil=tuple(ids[4:6]), explicands=tuple(ids[:1])))
    engine.watch("a", View(explicands=32))
    engine.wait(120)
    assert len(encoder.representations) == len(reference)
    assert recorder.newest()[ids[0]].progress == 1
