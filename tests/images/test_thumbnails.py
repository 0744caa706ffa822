"""Thumbnails have the right size, are made once and in threads, and their cache is bounded."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import ExifTags, Image

from cocoa_widget.images import ImageSet, Thumbnail, UnknownImage
from cocoa_widget.images import image_set as image_set_module
from cocoa_widget.images.thumbnails import ThumbnailCache, make_thumbnail
from cocoa_widget.images.workers import _THREADS, Workers


def decoded(thumbnail: Thumbnail) -> Image.Image:
    assert thumbnail.media_type == "image/jpeg"
    return Image.open(io.BytesIO(thumbnail.data))


@pytest.fixture
def count_originals(monkeypatch):
    """Record the size of the picture that each thumbnail is made of."""
    made: list[tuple[int, int]] = []

    def counting(image, size):
        made.append(image.size)
        return make_thumbnail(image, size)

    monkeypatch.setattr(image_set_module, "make_thumbnail", counting)
    return made


@pytest.mark.parametrize("suffix", ["jpg", "png"])
@pytest.mark.parametrize(
    ("size", "expected"),
    [((640, 480), (160, 120)), ((300, 900), (53, 160)), ((40, 30), (40, 30)), ((2000, 3), (160, 1))],
)
def test_longer_side_is_bounded_and_nothing_grows(save, suffix, size, expected):
    thumbnail = ImageSet(save(f"a.{suffix}", size=size)).thumbnail(f"a.{suffix}", 160)
    assert (thumbnail.width, thumbnail.height) == size
    assert decoded(thumbnail).size == expected


@pytest.mark.parametrize("suffix", ["jpg", "tif", "png"])
def test_turned_pictures(save, suffix):
    stored = Image.new("RGB", (400, 200), "red")
    stored.paste("blue", (0, 0, 200, 200))  # the left half is stored, the upper half is seen
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    name = f"a.{suffix}"
    thumbnail = ImageSet(save(name, stored, exif=exif)).thumbnail(name, 100)
    assert (thumbnail.width, thumbnail.height) == (200, 400)
    small = decoded(thumbnail)
    assert small.size == (50, 100)
    np.testing.assert_allclose(small.getpixel((25, 10)), (0, 0, 255), atol=8)
    np.testing.assert_allclose(small.getpixel((25, 90)), (255, 0, 0), atol=8)


def test_content_is_close_to_the_original(save):
    ramp = np.linspace(0, 255, 512)
    picture = np.stack([np.tile(ramp, (512, 1)), np.tile(ramp[:, None], (1, 512)), np.full((512, 512), 90)], axis=-1)
    original = Image.fromarray(picture.astype(np.uint8))
    small = np.asarray(decoded(ImageSet(save("a.jpg", original, quality=95)).thumbnail("a.jpg", 64)), dtype=float)
    apart = np.abs(small - np.asarray(original.resize((64, 64), Image.Resampling.BOX)))
    assert apart.max() < 12
    assert apart.mean() < 2


def test_jpeg_is_not_decoded_whole(save):
    image = Image.open(save("a.jpg", size=(1600, 1200)))
    make_thumbnail(image, 150)
    assert image.size == (200, 150)


def test_made_once_and_smaller_from_larger(save, count_originals):
    images = ImageSet(save("a.png", size=(800, 400)))
    large = images.thumbnail("a.png", 400)
    assert images.thumbnail("a.png", 400) is large
    small = images.thumbnail("a.png", 100)
    assert count_originals == [(800, 400), (400, 200)]
    assert (small.width, small.height) == (800, 400)
    assert decoded(small).size == (100, 50)


def test_simultaneous_requests_share_one_thumbnail(save, count_originals):
    images = ImageSet(save("a.png", size=(1000, 1000)))
    together = threading.Barrier(8)

    def ask(_: int) -> Thumbnail:
        together.wait()
        return images.thumbnail("a.png", 64)

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(ask, range(8)))
    assert len(count_originals) == 1
    assert all(each is made[0] for each in made)


def test_many_at_once(save, tmp_path):
    colours = np.random.default_rng(1).integers(0, 256, (60, 3))
    for index, colour in enumerate(colours):
        save(f"{index:02d}.png", Image.new("RGB", (32, 32), tuple(map(int, colour))))
    images = ImageSet(tmp_path)
    made = dict(images.thumbnails(images, 16))
    assert sorted(made) == images.ids
    for image_id, colour in zip(images.ids, colours, strict=True):
        np.testing.assert_allclose(decoded(made[image_id]).getpixel((8, 8)), colour, atol=6)


def test_unknown_ids_are_reported_before_the_first_thumbnail(save):
    with pytest.raises(UnknownImage):
        ImageSet(save("a.png")).thumbnails(["a.png", "b.png"], 16)


def test_stopping_early_drops_what_has_not_started():
    workers, gate, started = Workers(), threading.Event(), []

    def work(item: int) -> int:
        started.append(item)
        if item:
            gate.wait(120)
        return 2 * item

    results = workers.each(work, range(1000))
    assert next(results) == (0, 0)
    results.close()
    gate.set()
    workers.close()
    assert len(started) <= 1 + _THREADS


def test_close_ends_the_threads_and_the_set_stays_usable(save, tmp_path):
    for index in range(5):
        save(f"{index}.png")
    images = ImageSet(tmp_path)
    before = threading.active_count()
    assert len(dict(images.thumbnails(images, 16))) == 5
    assert threading.active_count() > before
    images.close()
    assert threading.active_count() == before
    assert len(dict(images.thumbnails(images, 8))) == 5
    unfinished = images.thumbnails(images, 4)
    next(unfinished)
    images.close()
    assert len(list(unfinished)) == 4
    images.close()


@pytest.mark.parametrize("size", [0, -3])
def test_wrong_sizes_are_refused(save, size):
    with pytest.raises(ValueError, match="at least 1 pixel"):
        ImageSet(save("a.png")).thumbnail("a.png", size)


def test_cache_is_bounded_in_bytes_and_forgets_the_unused():
    cache = ThumbnailCache(limit=100)
    thumbnail = Thumbnail(b"x" * 30, "image/jpeg", 1, 1)
    for name in "abc":
        cache.put(name, 8, thumbnail)
    assert cache.get("a") == {8: thumbnail}
    cache.put("d", 8, thumbnail)
    assert cache.get("b") == {}
    assert all(cache.get(name) for name in "acd")
    cache.put("a", 8, thumbnail)  # again: counted once
    assert all(cache.get(name) for name in "acd")
    cache.put("a", 16, thumbnail)
    assert [bool(cache.get(name)) for name in "acd"] == [True, False, True]
    cache.put("e", 8, Thumbnail(b"x" * 101, "image/jpeg", 1, 1))
    assert not any(cache.get(name) for name in "acde")
