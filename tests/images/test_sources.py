"""Every source gives the same pictures under ids that survive a restart, with its labels and captions."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile

import cocoa_widget.images
from cocoa_widget.images import EmptySource, ImageSet, UnknownImage, as_image_set


def assert_pictures(images: ImageSet, expected: np.ndarray) -> None:
    np.testing.assert_array_equal(np.stack([np.asarray(images[each]) for each in images]), expected)


def as_floats(pictures: np.ndarray) -> np.ndarray:
    return pictures.astype(np.float32) / 255


# ---- folders and paths ---------------------------------------------------------------------------------------------


def test_folder(save, tmp_path):
    for name in ("b/2.png", "a/deep/1.JPG", "top.webp", ".hidden/x.png", "b/.y.png"):
        save(name)
    (tmp_path / "b" / "notes.txt").write_text("no picture")
    for source in (tmp_path, str(tmp_path), os.path.relpath(tmp_path)):
        images = ImageSet(source)
        assert images.ids == ["a/deep/1.JPG", "b/2.png", "top.webp"]
        assert images.labels == ["deep", "b", None]
        assert images.captions == [None, None, None]
        assert not images.skipped


def test_folder_with_a_circle_of_links(save, tmp_path):
    save("inner/a.png")
    (tmp_path / "inner" / "back").symlink_to(tmp_path)
    (tmp_path / "other").symlink_to(tmp_path / "inner")
    images = ImageSet(tmp_path)
    assert images.ids == ["inner/a.png", "other/a.png"]
    assert images.key("inner/a.png") == images.key("other/a.png")


def test_nothing_is_decoded_when_a_set_is_made(save, tmp_path, monkeypatch):
    save("a.jpg")
    save("b.png")

    def refuse(self):
        raise AssertionError("decoded")

    with monkeypatch.context() as patched:
        patched.setattr(ImageFile.ImageFile, "load", refuse)
        images = ImageSet(tmp_path)
    assert images["b.png"].size == (8, 6)


def test_paths_are_named_from_their_common_folder(save):
    one, two, deep = save("x/1.png"), save("y/1.png"), save("y/z/1.png")
    assert ImageSet([one]).ids == ["1.png"]
    assert ImageSet(one).ids == ["1.png"]
    assert ImageSet([str(deep), two]).ids == ["z/1.png", "1.png"]
    assert ImageSet([two, one]).ids == ["y/1.png", "x/1.png"]
    assert ImageSet([one, one, one]).ids == ["1.png", "1.png-2", "1.png-3"]
    assert ImageSet(one.parent.glob("*")).ids == ["1.png"]


def test_dict_of_anything(save, noise):
    images = ImageSet({"file": save("a.png"), "pil": Image.fromarray(noise[0]), 3: noise[1]})
    assert images.ids == ["file", "pil", "3"]
    np.testing.assert_array_equal(np.asarray(images["3"]), noise[1])


# ---- memory --------------------------------------------------------------------------------------------------------


def test_uint8_arrays(noise):
    images = ImageSet(noise)
    assert_pictures(images, noise)
    assert_pictures(ImageSet(list(noise)), noise)
    assert_pictures(ImageSet([Image.fromarray(each) for each in noise]), noise)
    assert_pictures(ImageSet(as_floats(noise)), noise)
    assert ImageSet(list(noise)).ids == images.ids
    assert all(len(each) == 12 and int(each, 16) for each in images)


def test_grey_arrays(noise):
    grey = noise[..., 0]
    expected = np.repeat(grey[..., None], 3, axis=-1)
    assert_pictures(ImageSet(grey), expected)
    assert_pictures(ImageSet(grey[..., None]), expected)


def test_one_image_is_a_set(noise):
    assert_pictures(ImageSet(noise[0]), noise[:1])
    assert_pictures(ImageSet(Image.fromarray(noise[0])), noise[:1])
    assert_pictures(ImageSet(noise[:1]), noise[:1])


def test_array_with_alpha():
    rgba = np.zeros((1, 2, 2, 4), dtype=np.uint8)
    assert ImageSet(rgba)[0].getpixel((0, 0)) == (255, 255, 255)


def test_ids_follow_the_pixels_and_duplicates_are_told_apart(noise):
    one, two = ImageSet(noise), ImageSet(noise[::-1])
    assert one.ids == two.ids[::-1]
    first = one.ids[0]
    assert ImageSet([noise[0], noise[0], noise[1], noise[0]]).ids == [first, f"{first}-2", one.ids[1], f"{first}-3"]


@pytest.mark.parametrize("held", [lambda image: [image], lambda image: [(image, "film")]])
def test_pil_images_are_not_changed(save, held):
    frames = [Image.new("RGB", (4, 4), each) for each in ("red", "blue")]
    path = save("film.gif", frames[0], save_all=True, append_images=frames[1:])
    with Image.open(path) as image:
        images = ImageSet(held(image))
        loaded = images[0]
        loaded.paste("white", (0, 0, 4, 4))
        assert images[0].getpixel((0, 0)) == (255, 0, 0)
        image.seek(1)  # it has not been closed
        assert image.convert("RGB").getpixel((0, 0)) == (0, 0, 255)


def test_damaged_pil_image_is_skipped(save, noise):
    path = save("a.png", Image.effect_noise((100, 100), 50))
    path.write_bytes(path.read_bytes()[:3000])
    with Image.open(path) as damaged:
        images = ImageSet([damaged, Image.fromarray(noise[1])])
    assert len(images) == 1
    assert "truncated" in images.skipped["00000"]


def test_tensors(noise):
    tensor = torch.from_numpy(as_floats(noise)).permute(0, 3, 1, 2)
    images = ImageSet(tensor)
    assert_pictures(images, noise)
    assert images.ids == ImageSet(noise).ids
    assert_pictures(ImageSet(list(tensor)), noise)
    assert_pictures(ImageSet(tensor[0]), noise[:1])
    assert_pictures(ImageSet(tensor.clone().requires_grad_()), noise)
    assert_pictures(ImageSet((tensor * 255).round().to(torch.uint8)), noise)
    assert_pictures(ImageSet(tensor[:, :1]), np.repeat(noise[..., :1], 3, axis=-1))
    assert ImageSet(tensor.bfloat16())[0].size == (8, 6)


@pytest.mark.parametrize("shape", [(2, 6, 8, 5), (6,), (1, 2, 3, 4, 5), (2, 0, 8, 3)])
def test_arrays_of_wrong_shape(shape):
    with pytest.raises(ValueError, match="shape"):
        ImageSet(np.zeros(shape, dtype=np.uint8))


def test_swapped_channels_are_explained(noise):
    with pytest.raises(ValueError, match=r"transpose\(0, 2, 3, 1\)"):
        ImageSet(noise.transpose(0, 3, 1, 2))
    with pytest.raises(ValueError, match=r"permute\(0, 3, 1, 2\)"):
        ImageSet(torch.from_numpy(noise))


def test_normalised_floats_are_explained(noise):
    with pytest.raises(ValueError, match="undo the normalisation"):
        ImageSet((as_floats(noise) - 0.5) / 0.2)
    with pytest.raises(ValueError, match="undo the normalisation"):
        ImageSet((torch.rand(2, 3, 4, 4) - 0.5) / 0.2)


# ---- data sets -----------------------------------------------------------------------------------------------------


class Pairs:
    """A data set as a project may define its own."""

    classes = ("zero", "one")

    def __init__(self, pictures: np.ndarray) -> None:
        self.pictures = pictures

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        return Image.fromarray(self.pictures[index]), index % 2


def test_pairs(noise):
    images = ImageSet(Pairs(noise))
    assert_pictures(images, noise)
    assert images.ids == ["00000", "00001", "00002", "00003"]
    assert images.labels == ["zero", "one", "zero", "one"]
    assert images.key("00001") == ImageSet(noise).key(ImageSet(noise).ids[1])


def test_list_of_pairs(noise, save):
    images = ImageSet([(Image.fromarray(noise[0]), "tom"), (noise[1], 7), (save("a.png"), None), (noise[3], [1, 2])])
    assert images.ids == ["00000", "00001", "00002", "00003"]
    assert images.labels == ["tom", "7", None, None]
    np.testing.assert_array_equal(np.asarray(images[0]), noise[0])
    np.testing.assert_array_equal(np.asarray(images[1]), noise[1])
    assert images[2].getpixel((0, 0)) == (255, 0, 0)


def test_large_data_sets_are_not_read_for_their_labels(noise, monkeypatch):
    monkeypatch.setattr("cocoa_widget.images.sources.ASKED_AT_ONCE", 3)
    dataset = Pairs(noise)
    monkeypatch.setattr(Pairs, "__getitem__", lambda self, index: pytest.fail("read"))
    assert ImageSet(dataset).labels == [None] * 4
    dataset.targets = [1, 0, 1, -1]
    assert ImageSet(dataset).labels == ["one", "zero", "one", None]


def test_torchvision(save, tmp_path, noise):
    from torchvision import datasets, transforms

    for index, picture in enumerate(noise):
        save(f"{'cat' if index < 2 else 'dog'}/{index}.png", Image.fromarray(picture))
    normalise = transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.5, 0.2)])
    folder = datasets.ImageFolder(tmp_path, transform=normalise)
    images = ImageSet(folder)
    assert_pictures(images, noise)
    assert images.ids == ImageSet(tmp_path).ids == ["cat/0.png", "cat/1.png", "dog/2.png", "dog/3.png"]
    assert images.labels == ["cat", "cat", "dog", "dog"]
    assert images.key("dog/2.png") == ImageSet(tmp_path).key("dog/2.png")

    subset = ImageSet(torch.utils.data.Subset(folder, [3, 0]))
    assert subset.ids == ["dog/3.png", "cat/0.png"]
    assert subset.labels == ["dog", "cat"]

    fake = datasets.FakeData(3, (3, 5, 7), transform=normalise)
    assert ImageSet(fake)[0].size == (7, 5)
    assert fake.transform is normalise


@pytest.mark.filterwarnings("ignore")
def test_hugging_face(noise, save):
    import datasets

    features = datasets.Features(
        {
            "text": datasets.Value("string"),
            "picture": datasets.Image(),
            "kind": datasets.ClassLabel(names=["zero", "one"]),
        }
    )
    rows = {
        "picture": [Image.fromarray(each) for each in noise],
        "kind": [0, 1, -1, 1],
        "text": ["a", "b", None, "d"],
    }
    dataset = datasets.Dataset.from_dict(rows, features=features)
    images = ImageSet(dataset)
    assert_pictures(images, noise)
    assert images.ids == ["00000", "00001", "00002", "00003"]
    assert images.labels == ["zero", "one", None, "one"]
    assert images.captions == ["a", "b", None, "d"]
    assert images.key("00002") != images.key("00001")
    for formatted in (dataset.with_format("numpy"), dataset.with_transform(lambda rows: {"picture": ["tensor"]})):
        again = ImageSet(formatted)
        assert_pictures(again, noise)
        assert again.labels == images.labels
        assert again.key("00002") == images.key("00002")
    assert_pictures(ImageSet(dataset.select([2])), noise[2:3])

    path = save("a.png", Image.fromarray(noise[0]))
    on_disk = datasets.Dataset.from_dict({"image": [str(path), None]}).cast_column("image", datasets.Image())
    images = ImageSet(on_disk)
    np.testing.assert_array_equal(np.asarray(images["00000"]), noise[0])
    with pytest.raises(ValueError, match="row 1 has no image"):
        images.load("00001")

    with pytest.raises(TypeError, match="choose a split"):
        ImageSet(datasets.DatasetDict(train=dataset))
    with pytest.raises(TypeError, match="streamed"):
        ImageSet(dataset.to_iterable_dataset())


def test_data_frame(save, noise):
    import pandas

    paths = [save(f"{index}.png", Image.fromarray(each)) for index, each in enumerate(noise)]
    frame = pandas.DataFrame({"File_Path": paths, "label": ["a", None, "b", float("nan")], "caption": list("wxyz")})
    images = ImageSet(frame)
    assert_pictures(images, noise)
    assert images.ids == ["0.png", "1.png", "2.png", "3.png"]
    assert images.labels == ["a", None, "b", None]
    assert images.captions == ["w", "x", "y", "z"]
    renamed = frame.rename(columns={"File_Path": "wo", "label": "was"})
    assert ImageSet(renamed, path_column="wo", labels="was").labels == ["a", None, "b", None]
    with pytest.raises(ValueError, match=r"\['wo', 'was', 'caption'\].*path_column"):
        ImageSet(renamed)
    with pytest.raises(ValueError, match="no column 'nope'"):
        ImageSet(renamed, path_column="nope")


def test_data_frame_with_gaps(save):
    import pandas

    images = ImageSet(pandas.DataFrame({"path": [str(save("a.png")), None, pandas.NA], "label": [1, 2, 3]}))
    assert images.ids == ["a.png"]
    assert images.labels == ["1"]
    assert list(images.skipped) == ["00001", "00002"]


# ---- labels and captions -------------------------------------------------------------------------------------------


def test_labels_and_captions_given(noise, save, tmp_path):
    assert ImageSet(noise, labels=[1, 2, None, 4]).labels == ["1", "2", None, "4"]
    assert ImageSet(noise, labels=np.array([1, 2, 3, 4])).labels == ["1", "2", "3", "4"]
    save("cat/a.png")
    save("cat/b.png")
    images = ImageSet(tmp_path, labels={"cat/b.png": "tom"}, captions=["x", "y"])
    assert images.labels == [None, "tom"]
    assert images.caption("cat/b.png") == "y"


def test_labels_that_do_not_fit(noise, tmp_path, save):
    with pytest.raises(ValueError, match="3 labels for 4 images"):
        ImageSet(noise, labels=["a", "b", "c"])
    with pytest.raises(UnknownImage, match="nope"):
        ImageSet(noise, captions={"nope": "x"})
    save("a.png")
    with pytest.raises(ValueError, match="'kind' is the name of a column"):
        ImageSet(tmp_path, labels="kind")


def test_labels_keep_to_their_images_when_one_is_skipped(save, tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    save("b.png")
    assert ImageSet(tmp_path, labels=["first", "second"]).labels == ["second"]


# ---- sources that are none -----------------------------------------------------------------------------------------


def test_empty_folder(tmp_path):
    with pytest.raises(EmptySource, match=r"\.jpg .*\.png") as raised:
        ImageSet(tmp_path)
    assert str(tmp_path) in str(raised.value)


def test_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        ImageSet(tmp_path / "nowhere")


@pytest.mark.parametrize("source", [[], {}, np.zeros((0, 4, 4, 3), dtype=np.uint8), iter(())])
def test_zero_images(source):
    with pytest.raises(EmptySource, match="no images"):
        ImageSet(source)


@pytest.mark.parametrize(
    ("source", "name"), [(42, "int"), (None, "NoneType"), ([1, 2], "int"), ({"a": 3.5}, "float"), (object(), "object")]
)
def test_unknown_type_is_named_and_what_is_accepted(source, name):
    with pytest.raises(TypeError, match=rf"\b{name}\b.*give a folder.*DataFrame"):
        ImageSet(source)


def test_all_unreadable(tmp_path):
    for name in ("a.png", "b.jpg", "c.gif", "d.webp"):
        (tmp_path / name).write_bytes(b"no picture")
    with pytest.raises(EmptySource, match=r"none of the 4 images.*a\.png: .*not a picture that Pillow can read.*…"):
        ImageSet(tmp_path)


def test_as_image_set(noise):
    images = ImageSet(noise)
    assert as_image_set(images) is images
    assert as_image_set(noise).ids == images.ids


def test_the_room_imports_no_library_of_its_sources():
    folder = Path(cocoa_widget.images.__file__).parent
    files = list(folder.glob("*.py"))
    assert len(files) > 5
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [each.name for each in node.names] + [getattr(node, "module", None) or ""]
                foreign = {"torch", "torchvision", "pandas", "datasets", "polars", "skimage", "sklearn"}
                assert not foreign & {name.partition(".")[0] for name in names}, file.name
