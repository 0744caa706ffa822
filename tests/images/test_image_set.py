"""Images are looked up by id, and unreadable ones are reported."""

from __future__ import annotations

import os

import numpy as np
import pytest
from PIL import Image

from cocoa_widget.images import ImageSet, Thumbnail, UnknownImage, UnreadableImage


@pytest.fixture
def broken_folder(save, tmp_path):
    """Three good pictures, a file that is not a picture, an empty file, and a picture that is cut after its header."""
    for name in ("a.png", "b.jpg", "c.webp"):
        save(name)
    (tmp_path / "none.png").write_bytes(b"no picture at all")
    (tmp_path / "empty.jpg").touch()
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    torn = save("torn.jpg", noise)
    torn.write_bytes(torn.read_bytes()[:2000])
    return tmp_path


def test_lookup(save, tmp_path):
    save("cat/a.png", "red")
    save("dog/b.png", "blue")
    images = ImageSet(tmp_path)
    assert len(images) == 2
    assert list(images) == images.ids
    assert "cat/a.png" in images
    assert "a.png" not in images
    assert images["dog/b.png"].getpixel((0, 0)) == images[1].getpixel((0, 0)) == (0, 0, 255)
    assert images[np.int64(-2)].getpixel((0, 0)) == (255, 0, 0)
    assert images.label("dog/b.png") == "dog"
    assert images.caption("dog/b.png") is None
    assert repr(images) == "<ImageSet: 2 images, 2 labels>"
    with pytest.raises(IndexError):
        images[2]


def test_unknown_id_names_near_misses(save, tmp_path):
    save("cat/tabby.png")
    save("dog/rex.png")
    images = ImageSet(tmp_path)
    for wrong in ("cat/taby.png", "Tabby", "tabby.png"):
        with pytest.raises(UnknownImage, match=r"did you mean 'cat/tabby\.png'\?") as raised:
            images.load(wrong)
        assert isinstance(raised.value, KeyError)
        assert not str(raised.value).startswith('"')
    with pytest.raises(UnknownImage, match=r"`images\.ids` lists them all"):
        images.thumbnail("zzz", 8)
    for use in (images.label, images.caption, images.key):
        with pytest.raises(UnknownImage):
            use("zzz")


def test_check_names_all_unknown_ids(save):
    images = ImageSet(save("a.png"))
    images.check(["a.png"])
    with pytest.raises(UnknownImage, match="'x', 'y' among these 1") as raised:
        images.check(["x", "a.png", "y"])
    assert raised.value.ids == ["x", "y"]
    with pytest.raises(UnknownImage, match="and 5 more"):
        images.check(str(number) for number in range(15))


def test_unreadable_files_are_skipped_with_their_reason(broken_folder):
    images = ImageSet(broken_folder)
    assert images.ids == ["a.png", "b.jpg", "c.webp", "torn.jpg"]
    assert set(images.skipped) == {"none.png", "empty.jpg"}
    assert "not a picture that Pillow can read" in images.skipped["none.png"]
    assert "is empty" in images.skipped["empty.jpg"]
    assert "2 skipped" in repr(images)
    with pytest.raises(UnreadableImage, match="is empty"):
        images.load("empty.jpg")


def test_damage_found_late_is_noted_and_breaks_nothing_else(broken_folder):
    images = ImageSet(broken_folder)
    with pytest.raises(UnreadableImage, match=r"torn\.jpg.*truncated") as raised:
        images.load("torn.jpg")
    assert raised.value.image_id == "torn.jpg"
    assert raised.value.reason == images.skipped["torn.jpg"]
    images.key("torn.jpg")  # the key of a file does not depend on its content
    assert "torn.jpg" in images.skipped
    made = dict(images.thumbnails(images, 32))
    assert isinstance(made.pop("torn.jpg"), UnreadableImage)
    assert len(made) == 3
    assert all(isinstance(each, Thumbnail) for each in made.values())


def test_large_sets_are_not_looked_into_at_once(broken_folder, monkeypatch):
    monkeypatch.setattr("cocoa_widget.images.image_set.ASKED_AT_ONCE", 5)
    images = ImageSet(broken_folder)
    assert len(images) == 6
    assert not images.skipped
    with pytest.raises(UnreadableImage, match="empty"):
        images.load("empty.jpg")
    assert set(images.skipped) == {"empty.jpg"}
    assert images["a.png"].size == (8, 6)


def test_a_file_that_comes_back(save, tmp_path):
    save("a.png")
    path = save("b.png")
    images = ImageSet(tmp_path)
    away = path.rename(tmp_path / "away")
    with pytest.raises(UnreadableImage, match="there is no file"):
        images.load("b.png")
    with pytest.raises(UnreadableImage, match="there is no file"):
        images.key("b.png")
    away.rename(path)
    images.load("b.png")
    assert not images.skipped


def test_missing_files_and_folders_in_a_list(save, tmp_path):
    images = ImageSet([save("a.png"), tmp_path / "gone.png", tmp_path / "gone"])
    assert images.ids == ["a.png"]
    assert "there is no file" in images.skipped["gone.png"]
    (tmp_path / "folder").mkdir()
    assert "is a folder" in ImageSet([save("a.png"), tmp_path / "folder"]).skipped["folder"]


def test_bombs_are_refused_with_a_way_out(save, tmp_path, monkeypatch):
    save("big.png", size=(100, 100))
    save("small.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    images = ImageSet(tmp_path)
    assert images.ids == ["small.png"]
    assert "MAX_IMAGE_PIXELS" in images.skipped["big.png"]


def test_heif_without_its_plugin(save, tmp_path):
    save("a.png")
    (tmp_path / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic")
    assert "pillow-heif" in ImageSet(tmp_path).skipped["phone.heic"]


def test_keys_tell_files_apart_and_notice_changes(save, tmp_path):
    path = save("x/a.png")
    save("x/b.png")
    images = ImageSet(tmp_path)
    before = images.key("x/a.png")
    assert ImageSet(path).key("a.png") == before != images.key("x/b.png")
    os.utime(path, ns=(1, 1))
    assert ImageSet(tmp_path).key("x/a.png") != before
    assert images.key("x/a.png") == before


def test_keys_of_pixels_do_not_depend_on_how_they_are_held(noise):
    pil = Image.fromarray(noise[0])
    assert ImageSet(pil).key(ImageSet(pil).ids[0]) == ImageSet(noise[:1]).key(ImageSet(noise[:1]).ids[0])
    keys = ImageSet([np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8)])
    assert keys.key(keys.ids[0]) != keys.key(keys.ids[1])


def test_select(save, tmp_path):
    for name in ("x/a.png", "x/b.png", "y/c.png"):
        save(name)
    images = ImageSet(tmp_path)
    some = images.select(["y/c.png", "x/a.png"])
    assert some.ids == ["y/c.png", "x/a.png"]
    assert some.labels == ["y", "x"]
    assert some.key("x/a.png") == images.key("x/a.png")
    with pytest.raises(UnknownImage):
        images.select(["nope"])
