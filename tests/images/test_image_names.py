"""Names, labels and captions that UTF-8 cannot hold are escaped, so that everything about a set can be sent."""

from __future__ import annotations

import json
import os

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cocoa_widget.images import EmptySource, ImageSet, UnknownImage, UnreadableImage

LATIN = os.fsdecode(b"caf\xe9.png")  # a name that is not UTF-8
CLEANED = "caf\\udce9.png"


def assert_can_be_sent(*values: object) -> None:
    json.dumps(values, ensure_ascii=False).encode()


@pytest.fixture
def latin_folder(save, tmp_path):
    save("a.png", "red")
    Image.new("RGB", (8, 6), "blue").save(save("b.png").with_name(LATIN), "PNG")
    return tmp_path


def test_file_name_that_is_not_utf8(latin_folder):
    images = ImageSet(latin_folder)
    assert images.ids == ["a.png", "b.png", CLEANED]
    assert images[CLEANED].getpixel((0, 0)) == (0, 0, 255)
    assert len(dict(images.thumbnails(images, 32))) == 3
    assert not images.skipped
    assert len({images.key(each) for each in images}) == 3
    assert ImageSet(latin_folder / LATIN).key(CLEANED) == images.key(CLEANED)
    assert_can_be_sent(images.ids, images.labels, images.captions)


def test_folder_name_that_is_not_utf8(tmp_path):
    folder = tmp_path / os.fsdecode(b"\xe9t\xe9")
    folder.mkdir()
    Image.new("RGB", (8, 6)).save(folder / "a.png")
    images = ImageSet(tmp_path)
    assert images.ids == ["\\udce9t\\udce9/a.png"]
    assert images.labels == ["\\udce9t\\udce9"]


def test_skipped_names_can_be_encoded(latin_folder):
    (latin_folder / LATIN).write_bytes(b"")
    (latin_folder / os.fsdecode(b"\xff.png")).mkdir()
    (latin_folder / os.fsdecode(b"\xff.png") / "b\n<b>.png").write_bytes(b"no picture")
    os.mkfifo(latin_folder / os.fsdecode(b"\xfe.png"))
    (latin_folder / os.fsdecode(b"\xfd.png")).symlink_to("/" + LATIN)
    images = ImageSet(latin_folder)
    assert set(images.skipped) == {CLEANED, "\\udcff.png/b\n<b>.png", "\\udcfe.png", "\\udcfd.png"}
    assert_can_be_sent(images.skipped)
    assert not any("\n" in why for why in images.skipped.values())
    with pytest.raises(UnreadableImage) as raised:
        images.load(CLEANED)
    assert_can_be_sent(str(raised.value), raised.value.reason, raised.value.image_id)


def test_errors_can_be_sent(latin_folder):
    images = ImageSet(latin_folder)
    (latin_folder / LATIN).unlink()
    with pytest.raises(UnreadableImage, match="there is no file") as unreadable:
        images.load(CLEANED)
    with pytest.raises(FileNotFoundError) as missing:
        ImageSet(latin_folder / LATIN)
    (latin_folder / LATIN).mkdir()
    with pytest.raises(EmptySource) as empty:
        ImageSet(latin_folder / LATIN)
    with pytest.raises(UnreadableImage) as a_folder:
        ImageSet([latin_folder / "a.png", latin_folder / LATIN]).load(CLEANED)
    for each in (unreadable, missing, empty, a_folder):
        assert_can_be_sent(str(each.value))


def test_original_name_leads_to_the_cleaned_one(latin_folder):
    images = ImageSet(latin_folder)
    with pytest.raises(UnknownImage, match=r"did you mean 'caf\\\\udce9\.png'\?") as raised:
        images.load(LATIN)
    assert_can_be_sent(str(raised.value))


def test_dict_keys_labels_and_captions(noise):
    images = ImageSet(
        {"\ud800": noise[0], LATIN: noise[1], "plain": noise[2]},
        labels={LATIN: "one\udcff", "\\ud800": "by the id"},
        captions=["two\ud83d", LATIN, None],
    )
    assert images.ids == ["\\ud800", CLEANED, "plain"]
    assert images.labels == ["by the id", "one\\udcff", None]
    assert images.captions == ["two\\ud83d", CLEANED, None]
    np.testing.assert_array_equal(np.asarray(images[CLEANED]), noise[1])
    assert images.select([CLEANED]).labels == ["one\\udcff"]
    with pytest.raises(UnknownImage, match=r"\\udcfe"):
        ImageSet({LATIN: noise[0]}, labels={"\udcfe": "wrong"})
    with pytest.raises(UnknownImage):
        ImageSet({LATIN: noise[0]}, labels={1: "wrong", "x": "wrong too"})


def test_names_that_become_equal_stay_two(noise):
    images = ImageSet({LATIN: noise[0], CLEANED: noise[1]}, labels={LATIN: "one", CLEANED: "two"})
    assert images.ids == [CLEANED, f"{CLEANED}-2"]
    np.testing.assert_array_equal(np.asarray(images[f"{CLEANED}-2"]), noise[1])
    assert images.label(CLEANED) == "one"


def test_data_frame(latin_folder):
    path = str(latin_folder / LATIN)
    frame = pd.DataFrame({"path": [path], "label": ["\udce9"], "caption": ["\ud800 x"]}, dtype=object)
    images = ImageSet(frame)
    assert images.ids == [CLEANED]
    assert images.labels == ["\\udce9"]
    assert images.captions == ["\\ud800 x"]
    assert images[0].size == (8, 6)


def test_impossible_names_are_skipped(save, tmp_path):
    images = ImageSet([save("a.png"), f"{tmp_path}/\ud800.png", f"{tmp_path}/nul\0.png"])
    assert len(images) == 1
    assert len(images.skipped) == 2
    assert_can_be_sent(images.skipped)


def test_bytes_as_a_path(latin_folder):
    with os.scandir(os.fsencode(latin_folder)) as entries:
        images = ImageSet(list(entries))
    assert set(images.ids) == {"a.png", "b.png", CLEANED}
