"""Folders with files and links of all kinds: the search ends, and skipped entries are reported."""

from __future__ import annotations

import os
import socket
from stat import ST_SIZE

import pandas as pd
import pytest
from PIL import Image

from cocoa_widget.images import EmptySource, ImageSet


@pytest.fixture
def outside(tmp_path_factory, save):
    folder = tmp_path_factory.mktemp("outside")
    save("x.png").rename(folder / "x.png")
    return folder


def test_pipes_and_sockets_are_reported(save, tmp_path):
    save("a.png")
    os.mkfifo(tmp_path / "pipe.png")
    os.mkfifo(tmp_path / "pipe")  # without the ending of a picture, like notes.txt
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(os.path.relpath(tmp_path / "socket.png"))
        images = ImageSet(tmp_path, follow_links=True)
    assert images.ids == ["a.png"]
    assert images.skipped == {
        "pipe.png": "it is a named pipe, not a regular file",
        "socket.png": "it is a socket, not a regular file",
        "zero.png": "it is a device, not a regular file",
    }


@pytest.mark.parametrize(
    "held",
    [
        lambda pipe, good: [pipe, good],
        lambda pipe, good: {"pipe.png": pipe, "good": good},
        lambda pipe, good: pd.DataFrame({"path": [str(pipe), str(good)]}),
    ],
)
def test_pipe_by_its_path(save, tmp_path, held):
    os.mkfifo(tmp_path / "pipe.png")
    images = ImageSet(held(tmp_path / "pipe.png", save("a.png")))
    assert len(images) == 1
    assert "named pipe" in images.skipped["pipe.png"]
    with pytest.raises(EmptySource, match="named pipe"):
        ImageSet(tmp_path / "pipe.png")


@pytest.mark.parametrize("read", ["key", "load"])
def test_pipe_in_a_large_set(save, tmp_path, monkeypatch, read):
    monkeypatch.setattr("cocoa_widget.images.image_set.ASKED_AT_ONCE", 0)
    os.mkfifo(tmp_path / "pipe.png")
    images = ImageSet([tmp_path / "pipe.png"])
    if read == "key":
        assert images.key("pipe.png")
    else:
        with pytest.raises(ValueError, match="named pipe"):
            images.load("pipe.png")


def test_files_that_report_no_bytes_are_not_read(save, monkeypatch):
    """An example is Linux's /proc/kmsg: of size 0, and reading it waits for the kernel's next message."""
    path, stat = save("kmsg.png"), os.stat

    def report_no_bytes(asked, **options):
        found = stat(asked, **options)
        return os.stat_result([*found[:ST_SIZE], 0, *found[ST_SIZE + 1 :]]) if str(asked) == str(path) else found

    monkeypatch.setattr(os, "stat", report_no_bytes)
    images = ImageSet([save("a.png"), path])
    assert images.ids == ["a.png"]
    assert images.skipped["kmsg.png"].endswith("is empty")


def test_links_to_themselves_and_to_nothing(save, tmp_path):
    save("a.png")
    (tmp_path / "self").symlink_to("self")
    (tmp_path / "self.png").symlink_to("self.png")
    (tmp_path / "gone.png").symlink_to("nothing.png")
    (tmp_path / "gone.txt").symlink_to("nothing.txt")
    images = ImageSet(tmp_path)
    assert images.ids == ["a.png"]
    assert set(images.skipped) == {"self", "self.png", "gone.png"}
    assert "not there" in images.skipped["gone.png"]


@pytest.fixture
def nest(tmp_path):
    """Make nested folders with a picture in the innermost, and remove them one by one, as pytest would recurse."""
    here = os.getcwd()
    made = 0

    def nest(depth: int) -> None:
        nonlocal made
        os.chdir(tmp_path)
        for _ in range(depth):
            os.mkdir("d")
            os.chdir("d")
            made += 1
        with open("a.png", "wb") as file:  # Pillow may ask for the whole path
            Image.new("RGB", (8, 6)).save(file, "PNG")

    yield nest
    os.unlink("a.png")
    for _ in range(made):
        os.chdir("..")
        os.rmdir("d")
    os.chdir(here)


def test_many_nested_folders(nest, tmp_path):
    nest(1500)
    images = ImageSet(tmp_path)
    assert images.ids == ["d/" * 1500 + "a.png"]
    assert images[0].size == (8, 6)
    assert not images.skipped


def test_folders_beyond_what_a_path_can_be(nest, save, tmp_path):
    save("b.png")
    nest(2100)
    images = ImageSet(tmp_path)
    assert images.ids == ["b.png"]
    (why,) = images.skipped.values()
    assert "name too long" in why


def test_links_that_leave_the_folder(save, tmp_path, outside):
    save("root/a.png")
    root = tmp_path / "root"
    (root / "folder").symlink_to(outside)
    (root / "x.png").symlink_to(outside / "x.png")
    (root / "notes.txt").symlink_to("/etc/hostname")
    (root / "near").symlink_to(tmp_path / "root2")  # its path begins with the root's
    save("root2/b.png")
    images = ImageSet(root)
    assert images.ids == ["a.png"]
    assert set(images.skipped) == {"folder", "x.png", "near"}
    assert str(outside) in images.skipped["folder"]
    assert all("follow_links=True" in why for why in images.skipped.values())
    assert ImageSet(root, follow_links=True).ids == ["a.png", "folder/x.png", "near/b.png", "x.png"]


def test_folder_of_links_only_says_so(tmp_path, outside):
    (tmp_path / "x.png").symlink_to(outside / "x.png")
    with pytest.raises(EmptySource, match="follow_links=True"):
        ImageSet(tmp_path)
    assert ImageSet(tmp_path, follow_links=True).ids == ["x.png"]


def test_link_as_the_folder_itself(tmp_path, outside):
    (tmp_path / "link").symlink_to(outside)
    assert ImageSet(tmp_path / "link").ids == ["x.png"]


def test_links_to_the_root_and_above_end(save, tmp_path):
    save("root/inner/a.png")
    (tmp_path / "root" / "inner" / "up").symlink_to("..")
    (tmp_path / "root" / "above").symlink_to(tmp_path)
    images = ImageSet(tmp_path / "root", follow_links=True)
    assert images.ids == ["inner/a.png"]
    assert not images.skipped


def test_links_within_count_once_and_always_the_same(save, tmp_path):
    save("real/a.png")
    for name in ("z", "b", "m"):
        (tmp_path / name).symlink_to("real")
    (tmp_path / "c.png").symlink_to("real/a.png")
    assert ImageSet(tmp_path).ids == ["b/a.png", "c.png", "real/a.png"]


def test_many_links_to_nested_folders_do_not_multiply(save, tmp_path):
    path = tmp_path
    for level in range(20):
        path = path / "d"
        path.mkdir()
        (tmp_path / f"link{level}").symlink_to(path)
    save("/".join("d" * 20) + "/a.png")
    assert len(ImageSet(tmp_path)) == 2


def test_folders_named_like_pictures(save, tmp_path):
    save("x.png/a.png")
    (tmp_path / "empty.png").mkdir()
    images = ImageSet(tmp_path)
    assert images.ids == ["x.png/a.png"]
    assert images.labels == ["x.png"]
    assert not images.skipped


def test_folder_that_cannot_be_listed(save, tmp_path, monkeypatch):
    save("a.png")
    save("locked/b.png")
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    images = ImageSet(tmp_path)
    assert images.ids == ["a.png"]
    assert images.skipped == {"locked": "the folder cannot be listed: Permission denied"}


def test_names_with_line_breaks_and_markup(save, tmp_path):
    save("a\nb/<img src=x onerror=alert(1)>.png")
    (tmp_path / "a\nb" / "bad.png").write_bytes(b"no picture")
    images = ImageSet(tmp_path)
    assert images.ids == ["a\nb/<img src=x onerror=alert(1)>.png"]
    assert images.labels == ["a\nb"]
    assert "\n" not in images.skipped["a\nb/bad.png"]
