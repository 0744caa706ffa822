"""Decoding takes a bounded amount of memory, for all pictures and any number of threads."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image, ImageFile

import cocoa_widget.images.decode
from cocoa_widget.images import EmptySource, ImageSet, PixelLimits, UnreadableImage, limits

ENDS = 30  # seconds; a limit for waits that take milliseconds


@pytest.fixture
def restored():
    before = limits.max_pixels, limits.pixels_at_once
    yield limits
    limits.max_pixels, limits.pixels_at_once = before


def wait_until_queued(held: PixelLimits, count: int) -> None:
    ends = time.monotonic() + ENDS
    while len(held._queue) < count and time.monotonic() < ends:
        time.sleep(0.001)
    assert len(held._queue) == count


# ---- one picture ---------------------------------------------------------------------------------------------------


def test_large_pictures_are_skipped_with_a_way_out(save, tmp_path, restored):
    save("big.png", size=(40, 30))
    save("small.png", size=(40, 25))
    limits.max_pixels = 1000
    images = ImageSet(tmp_path)
    assert images.ids == ["small.png"]
    assert "40 × 30 = 0.0012 million pixels" in images.skipped["big.png"]
    way_out = re.search(r"cocoa_widget\.images\.limits\.max_pixels = (\d+)", images.skipped["big.png"])
    limits.max_pixels = int(way_out[1])
    assert len(ImageSet(tmp_path)) == 2
    limits.max_pixels = None
    assert len(ImageSet(tmp_path)) == 2


def test_large_sets_refuse_large_pictures_when_they_are_used(save, monkeypatch, restored):
    monkeypatch.setattr("cocoa_widget.images.image_set.ASKED_AT_ONCE", 0)
    images = ImageSet(save("big.jpg", size=(40, 30)))
    limits.max_pixels = 1000
    for read in (images.load, lambda image: images.thumbnail(image, 8)):
        with pytest.raises(UnreadableImage, match="max_pixels = 1200"):
            read("big.jpg")
    assert "max_pixels" in images.skipped["big.jpg"]


def test_pictures_in_memory_are_not_refused(save, restored):
    limits.max_pixels = 1000
    path = save("big.png", "red", size=(40, 30))
    with Image.open(path) as opened:
        with pytest.raises(EmptySource, match="max_pixels = 1200"):
            ImageSet(opened)
        opened.load()
        assert ImageSet(opened)[0].size == (40, 30)
    assert ImageSet(np.zeros((1, 40, 30, 3), np.uint8))[0].size == (30, 40)


def test_panoramas_and_scans_are_let_through(tmp_path):
    limits.check(25_000, 5_000)
    limits.check(11_648, 8_736)
    with pytest.raises(ValueError, match=r"176\.9 million"):
        limits.check(13_300, 13_300)


@pytest.mark.parametrize("name", ["max_pixels", "pixels_at_once"])
@pytest.mark.parametrize(("value", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError), ("1", TypeError)])
def test_wrong_limits_are_refused(restored, name, value, error):
    with pytest.raises(error, match=name):
        setattr(limits, name, value)
    setattr(limits, name, np.int64(10**9))
    assert getattr(limits, name) == 10**9


# ---- all threads ---------------------------------------------------------------------------------------------------


class Watched:
    """Counts the pixels that are decoded at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.now: list[int] = []
        self.most = 0
        self.most_at_once = 0
        self.all: list[int] = []

    @contextmanager
    def __call__(self, pixels: int) -> Iterator[None]:
        with self._lock:
            self.now.append(pixels)
            self.all.append(pixels)
            self.most = max(self.most, sum(self.now))
            self.most_at_once = max(self.most_at_once, len(self.now))
        yield
        with self._lock:
            self.now.remove(pixels)


@pytest.fixture
def watched(monkeypatch):
    """Count the pixels that are decoded within the limits."""
    watch = Watched()
    real = PixelLimits._enter
    leave = threading.local()

    def entering(self, pixels):
        real(self, pixels)
        leave.context = watch(pixels)
        leave.context.__enter__()

    decode = cocoa_widget.images.decode._rgb

    def decoding(image):
        threading.Event().wait(0.002)  # other threads may run in between
        result = decode(image)
        leave.context.__exit__(None, None, None)
        return result

    monkeypatch.setattr(PixelLimits, "_enter", entering)
    monkeypatch.setattr(cocoa_widget.images.decode, "_rgb", decoding)
    return watch


def test_threads_share_a_budget(save, tmp_path, restored, watched):
    for number in range(24):
        save(f"{number}.png", size=(20, 10))
    save("large.png", size=(50, 50))  # larger than the whole budget: alone
    limits.pixels_at_once = 500
    images = ImageSet(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        loaded = list(pool.map(images.load, images.ids))
    assert len(loaded) == 25
    assert watched.most == 2500
    assert watched.most_at_once <= 2
    assert not any(isinstance(each, UnreadableImage) for _, each in images.thumbnails(images, 8))


def test_pictures_that_fit_are_decoded_at_the_same_time():
    held = PixelLimits(pixels_at_once=100)
    meeting = threading.Barrier(3, timeout=ENDS)

    def decode(pixels: int) -> None:
        with held.decoding(pixels):
            meeting.wait()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(decode, (50, 25, 25)))


def test_large_pictures_are_not_overtaken():
    held = PixelLimits(pixels_at_once=100)
    order = []

    def decode(pixels: int) -> None:
        with held.decoding(pixels):
            order.append(pixels)

    with ThreadPoolExecutor(3) as pool:
        with held.decoding(60):
            running = [pool.submit(decode, 1000)]
            wait_until_queued(held, 1)
            running.append(pool.submit(decode, 10))  # would fit now
            wait_until_queued(held, 2)
            assert order == []
        for each in running:
            each.result(ENDS)
    assert order == [1000, 10]


def test_failures_release_their_pixels(save, tmp_path, restored):
    held = PixelLimits(pixels_at_once=100)
    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error), held.decoding(100):
            raise error
    with held.decoding(100):
        pass

    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    torn = save("torn.png", noise)
    torn.write_bytes(torn.read_bytes()[:2000])
    images = ImageSet([torn, save("a.png")])
    limits.pixels_at_once = 64 * 64
    with ThreadPoolExecutor(1) as pool:
        for _ in range(3):
            with pytest.raises(UnreadableImage, match="truncated"):
                pool.submit(images.load, "torn.png").result(ENDS)
        assert pool.submit(images.load, "a.png").result(ENDS).size == (8, 6)


def test_interrupted_while_waiting(monkeypatch):
    held = PixelLimits(pixels_at_once=100)

    def interrupt(*_):
        raise KeyboardInterrupt

    def decode() -> str:
        try:
            with held.decoding(100):
                return "decoded"
        except KeyboardInterrupt:
            return "interrupted"

    with ThreadPoolExecutor(1) as pool:
        with held.decoding(100):
            with monkeypatch.context() as patched:
                patched.setattr(held._changed, "wait", interrupt)
                assert pool.submit(decode).result(ENDS) == "interrupted"
            waiting = pool.submit(decode)
            wait_until_queued(held, 1)
        assert waiting.result(ENDS) == "decoded"


def test_raising_the_limit_admits_waiting_threads():
    held = PixelLimits(pixels_at_once=100)

    def decode() -> None:
        with held.decoding(100):
            pass

    with ThreadPoolExecutor(1) as pool, held.decoding(100):
        waiting = pool.submit(decode)
        wait_until_queued(held, 1)
        held.pixels_at_once = 200
        waiting.result(ENDS)


def test_a_thread_does_not_wait_for_itself(restored):
    limits.pixels_at_once = 10

    class Outer(ImageFile.ImageFile):
        """A picture that decodes another one while it is decoded."""

        format = "PNG"

        def _open(self) -> None:
            self._size, self._mode = (5, 5), "RGB"
            self.tile = [("raw", (0, 0, 5, 5), 0, ("RGB", 0, 1))]

        def load(self):
            if self.tile:
                assert ImageSet(Image.new("RGB", (9, 9)))[0].size == (9, 9)
            return super().load()

    with ThreadPoolExecutor(1) as pool:
        picture = Outer(io.BytesIO(b"\xff" * 75))
        assert pool.submit(lambda: ImageSet(picture)[0]).result(ENDS).size == (5, 5)


@pytest.mark.skipif(
    not hasattr(os, "fork"), reason="Windows has no fork, so no process begins with a copy of another's locks."
)
def test_a_forked_process_starts_its_own_count():
    code = """
import os, sys, threading
from cocoa_widget.images import limits
inside, done = threading.Event(), threading.Event()
def decode():
    with limits.decoding(10**12):
        inside.set()
        done.wait()
thread = threading.Thread(target=decode)
thread.start()
inside.wait()
child = os.fork()
if child == 0:
    with limits.decoding(10**12):
        os._exit(7)
done.set()
thread.join()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    finished = subprocess.run([sys.executable, "-W", "ignore", "-c", code], timeout=ENDS, check=False)
    assert finished.returncode == 7


def test_thumbnails_count_what_is_decoded(save, monkeypatch):
    counted = []
    enter = PixelLimits._enter
    monkeypatch.setattr(PixelLimits, "_enter", lambda self, pixels: (counted.append(pixels), enter(self, pixels))[1])
    images = ImageSet(
        [
            save("a.jpg", size=(1600, 800)),
            save("b.jpg", size=(1600, 800), progressive=True),
            save("c.png", size=(1600, 800)),
        ]
    )
    for each in images:
        thumbnail = images.thumbnail(each, 150)
        assert (thumbnail.width, thumbnail.height) == (1600, 800)
    assert counted == [200 * 100, 1600 * 800, 1600 * 800]


@pytest.mark.skipif(
    not sys.platform.startswith("linux"),
    reason="Only Linux reports the most memory of a process since its own start, in /proc.",
)
@pytest.mark.parametrize(
    ("mode", "read"), [("RGB", "images.load(images.ids[0])"), ("RGBA", "images.thumbnail(images.ids[0], 64)")]
)
def test_memory_for_a_pixel(save, mode, read):
    # A turned picture: it is read, converted and turned, and no two of the steps leave a copy behind.
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save("a.png", Image.new(mode, (4000, 3000)), compress_level=1, exif=exif)
    code = f"""
from cocoa_widget.images.image_set import ImageSet
def memory(kind):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(kind)) * 1024
images = ImageSet({str(path)!r})
before = memory("VmRSS")
{read}
print((memory("VmHWM") - before) / 12e6)
"""
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=ENDS)
    assert 7 < float(finished.stdout) < 10
