"""The demo's photographs need no download."""

from __future__ import annotations

import socket
import sys
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from cocoa_widget.images import demo_images


@pytest.fixture(scope="module")
def images():
    return demo_images()


@pytest.fixture(scope="module")
def pictures(images):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(socket, "socket", lambda *_, **__: pytest.fail("the network was asked"))
        return {image_id: images.load(image_id) for image_id in images}


def test_demo_images_have_several_of_each_kind(images):
    kinds = Counter(images.labels)
    assert 36 <= len(images) - kinds["mosaic"] <= 44
    assert min(kinds.values()) >= 2
    for kind in ("cat", "motorcycle", "coffee", "rocket", "temple", "flower", "mosaic"):
        assert kinds[kind] >= 4
    assert {"cat/1", "motorcycle/left", "mosaic/1"} <= set(images)
    assert all(label == image_id.partition("/")[0] for image_id, label in zip(images, images.labels, strict=True))
    assert all(images.captions)


def test_all_decode_to_pictures_with_contrast(images, pictures):
    assert not images.skipped
    for image_id, picture in pictures.items():
        assert picture.mode == "RGB"
        assert min(picture.size) >= 150, image_id
        assert np.asarray(picture).std() > 10, image_id


def test_crops_lie_inside_their_photographs(pictures):
    for image_id, picture in pictures.items():
        edges = np.asarray(picture)[[0, -1]], np.asarray(picture)[:, [0, -1]].swapaxes(0, 1)
        for edge in (*edges[0], *edges[1]):
            assert edge.max() > 0, f"{image_id} has a black edge, as what is cut outside a picture has"


def test_crops_and_mirrored_crops_show_what_they_should(pictures):
    whole = pictures["cat/1"]
    np.testing.assert_array_equal(pictures["cat/2"], whole.crop((75, 0, 375, 300)))
    np.testing.assert_array_equal(pictures["cat/3"], np.asarray(whole.crop((0, 0, 300, 300)))[:, ::-1])


def test_demo_images_differ(images, pictures):
    assert len({images.key(each) for each in images}) == len(images)
    small = {each: np.asarray(picture.resize((16, 16)), dtype=float) for each, picture in pictures.items()}
    names = list(small)
    for index, one in enumerate(names):
        for other in names[index + 1 :]:
            assert np.abs(small[one] - small[other]).mean() > 3, (one, other)


def test_keys_are_the_same_next_time(images):
    again = demo_images()
    assert [again.key(each) for each in again] == [images.key(each) for each in images]


def test_mosaics_hold_four_different_kinds(images, pictures):
    for number in range(1, 5):
        mosaic = f"mosaic/{number}"
        assert pictures[mosaic].size == (640, 640)
        kinds = images.caption(mosaic).split(", ")
        assert len(set(kinds)) == 4
        assert set(kinds) <= set(images.labels)
    quarter = pictures["mosaic/1"].crop((0, 0, 320, 320))  # cat/2 is a square already
    cat = pictures["cat/2"].resize((320, 320), Image.Resampling.BICUBIC)
    assert np.abs(np.asarray(quarter, dtype=float) - np.asarray(cat, dtype=float)).mean() < 1


@pytest.mark.parametrize("package", ["skimage", "sklearn"])
def test_missing_package_names_the_extra(package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=r'pip install "cocoa-widget\[demo\]"'):
        demo_images()
