"""Only plain decoders read files, and no file takes them much time or memory."""

from __future__ import annotations

import io
import struct
import subprocess
import zlib
from pathlib import Path

import datasets
import pytest
from PIL import Image, ImageFile

from cocoa_widget.images import EmptySource, ImageSet, limits
from cocoa_widget.images.formats import ENDINGS, open_encoded

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n(x) print\n"
SPARSE = 20 * 2**30


@pytest.fixture
def no_programs(monkeypatch):
    """Fail where Pillow would start Ghostscript, whether it is installed or not."""
    started = []

    def refuse(*arguments, **_):
        started.append(arguments)
        raise AssertionError("a program has been started")

    for name in ("run", "Popen", "check_call", "check_output", "call"):
        monkeypatch.setattr(subprocess, name, refuse)
    monkeypatch.setattr("PIL.EpsImagePlugin.gs_binary", "gs", raising=False)
    monkeypatch.setattr("PIL.EpsImagePlugin.has_ghostscript", lambda: True, raising=False)
    yield
    assert not started


@pytest.mark.parametrize("ending", ["png", "jpg", "tga"])
def test_eps_by_another_name(save, tmp_path, ending, no_programs):
    save("a.png")
    (tmp_path / f"x.{ending}").write_bytes(EPS)
    images = ImageSet(tmp_path)
    assert images.ids == ["a.png"]
    why = images.skipped[f"x.{ending}"]
    assert "looks like EPS" in why
    assert "convert it to PNG or JPEG" in why


def test_eps_in_a_large_set(tmp_path, monkeypatch, no_programs):
    monkeypatch.setattr("cocoa_widget.images.image_set.ASKED_AT_ONCE", 0)
    (tmp_path / "x.png").write_bytes(EPS)
    images = ImageSet(tmp_path)
    for read in (images.load, lambda image: images.thumbnail(image, 32)):
        with pytest.raises(ValueError, match="looks like EPS"):
            read("x.png")


def test_eps_in_a_hugging_face_dataset(no_programs):
    source = datasets.Dataset.from_dict({"image": [{"bytes": EPS, "path": "x.png"}]})
    images = ImageSet(source.cast_column("image", datasets.Image()))
    with pytest.raises(ValueError, match="looks like EPS"):
        images.load(images.ids[0])


def test_eps_given_by_a_data_set_as_path_or_picture(tmp_path, no_programs):
    path = tmp_path / "x.png"
    path.write_bytes(EPS)

    class Items:
        def __len__(self) -> int:
            return 2

        def __getitem__(self, index: int) -> tuple[object, int]:
            return (path if index == 0 else Image.open(io.BytesIO(EPS))), index

    images = ImageSet(Items())
    for index in (0, 1):
        with pytest.raises(ValueError, match="EPS"):
            images.load(images.ids[index])


def test_eps_that_its_owner_opened_but_did_not_decode(noise, tmp_path, no_programs):
    opened = Image.open(io.BytesIO(EPS))
    images = ImageSet([opened, Image.fromarray(noise[0])])
    assert len(images) == 1
    (why,) = images.skipped.values()
    assert "EPS" in why
    assert "image.load()" in why
    with pytest.raises(EmptySource, match="EPS"):
        ImageSet(opened)


@pytest.mark.parametrize("file_format", ["PCX", "SGI"])
def test_refused_formats_that_their_owner_decoded(file_format):
    file = io.BytesIO()
    Image.new("RGB", (8, 6), "red").save(file, file_format)
    opened = Image.open(io.BytesIO(file.getvalue()))
    with pytest.raises(EmptySource, match=f"{file_format}, is not decoded here"):
        ImageSet(opened)
    opened.load()
    assert ImageSet(opened)[0].getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize("ending", [each for each in ENDINGS if each not in (".heic", ".heif")])
def test_every_ending_is_read(save, ending):
    Image.init()
    if ending == ".avif" and "AVIF" not in Image.SAVE:
        pytest.skip("This build of Pillow can neither write nor read AVIF, as none before 11.3 can without a plugin.")
    picture = {".pbm": "1", ".pgm": "L"}.get(ending, "RGB")
    path = save(f"a{ending}", Image.new(picture, (64, 64)), **({"format": "JPEG"} if ending == ".jpe" else {}))
    images = ImageSet(path.parent)
    assert images.ids == [path.name]
    assert images[0].size == (64, 64)
    assert (images.thumbnail(path.name, 16).width, images.thumbnail(path.name, 16).height) == (64, 64)


def test_jpeg_with_several_pictures(save):
    save("a.jpg", Image.new("RGB", (8, 6)), format="MPO", save_all=True, append_images=[Image.new("RGB", (8, 6))])
    opened = Image.open(save("b.jpg", Image.new("RGB", (8, 6)), format="MPO", save_all=True, append_images=[]))
    assert len(ImageSet(save("c.jpg").parent)) == 3
    assert ImageSet(opened)[0].size == (8, 6)


def test_plugins_for_heif_are_used_when_they_are_registered(save, monkeypatch):
    class Heif(ImageFile.ImageFile):
        format = "HEIF"

        def _open(self) -> None:
            self._size = (8, 6)
            self._mode = "RGB"
            self.tile = [("raw", (0, 0, 8, 6), 20, ("RGB", 0, 1))]

    Image.init()
    monkeypatch.setitem(Image.OPEN, "HEIF", (Heif, lambda head: head[4:12] == b"ftypheic"))
    path = save("a.png").with_name("a.heic")
    path.write_bytes(b"\0\0\0\x18ftypheic".ljust(20) + b"\xff" * 144)
    assert ImageSet(path)[0].getpixel((0, 0)) == (255, 255, 255)


# ---- files that would take long ------------------------------------------------------------------------------------


def endless(path: Path, head: bytes) -> Path:
    """Write a sparse file of 20 GiB, which takes no space on the disk."""
    with path.open("wb") as file:
        file.write(head)
        file.truncate(SPARSE)
    return path


def bitmap(width: int, height: int, compression: int) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, compression, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 100, 0, 0, 54) + header


@pytest.mark.parametrize(
    ("name", "head", "message"),
    [
        ("comment.ppm", b"P6\n#", "header does not end"),
        ("junk.gif", b"GIF89a\1\0\1\0\0\0\0", "header does not end"),
        ("junk.jpg", b"\xff\xd8\xff", "header does not end"),
        ("metadata.png", b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 2**31 - 1) + b"eXIf", "header does not end"),
        ("whole.webp", b"RIFF\0\0\0\0WEBPVP8X", r"20\.0 GiB"),
        ("slow.bmp", bitmap(8, 8, compression=1), "decoded slowly"),
        ("zeros.png", b"", "not a picture that Pillow can read"),
    ],
)
def test_huge_files_do_not_hang(save, tmp_path, name, head, message):
    save("a.png")
    path = endless(tmp_path / name, head)
    images = ImageSet([tmp_path / "a.png", path])
    assert images.ids == ["a.png"]
    with pytest.raises(ValueError, match=message):
        images.load(name)


def test_small_files_that_are_decoded_in_python(save, tmp_path):
    path = tmp_path / "plain.ppm"
    path.write_bytes(b"P3 2 1 255\n255 0 0 0 0 255\n")
    assert ImageSet(path)[0].getpixel((1, 0)) == (0, 0, 255)
    path.write_bytes(b"P3 10000 1000 255\n")
    with pytest.raises(EmptySource, match="decoded slowly"):
        ImageSet(path)


# ---- more pixels than the header says ------------------------------------------------------------------------------


def icon(inner: bytes) -> bytes:
    """Make an icon whose directory says 16 × 16."""
    return b"\0\0\1\0\1\0" + bytes([16, 16, 0, 0]) + struct.pack("<HHII", 1, 32, len(inner), 22) + inner


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width: int, height: int) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


def png(*chunks: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")


def tiff_of_one_tile(tile: int) -> bytes:
    data = zlib.compress(b"\0" * 1000)
    tags = {256: 16, 257: 16, 258: 8, 259: 8, 262: 1, 277: 1, 322: tile, 323: tile, 324: 134, 325: len(data)}
    fields = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + fields + struct.pack("<I", 0) + data


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("plain.png", png(png_header(11_400, 11_400))),
        ("second thoughts.png", png(png_header(8, 8), png_header(11_400, 11_400))),
        ("icon.ico", icon(png(png_header(11_400, 11_400)))),
        ("icon of two headers.ico", icon(png(png_header(8, 8), png_header(11_400, 11_400)))),
        ("bitmap.ico", icon(struct.pack("<IiiHHIIiiII", 40, 11_400, 11_400, 1, 32, 0, 0, 0, 0, 0, 0))),
        ("tile.tif", tiff_of_one_tile(11_408)),
        ("upside down.bmp", bitmap(11_400, -11_400, compression=0)),
    ],
    ids=["plain", "two headers", "icon", "icon of two headers", "icon of a bitmap", "tile", "bitmap"],
)
def test_pixels_are_counted_before_decoding(save, tmp_path, monkeypatch, name, data):
    (tmp_path / name).write_bytes(data)
    save("a.jpg")

    def refuse(*_):
        raise AssertionError("decoded")

    with monkeypatch.context() as patched:
        patched.setattr(ImageFile.ImageFile, "load", refuse)
        images = ImageSet(tmp_path)
    assert images.ids == ["a.jpg"]
    assert "cocoa_widget.images.limits.max_pixels = " in images.skipped[name]


def test_icons_are_read(save):
    path = save("a.ico", Image.new("RGBA", (64, 64), "red"))
    assert ImageSet(path)[0].getpixel((5, 5)) == (255, 0, 0)
    bitmaps = save("b.ico", Image.new("RGBA", (64, 64), "blue"), bitmap_format="bmp")
    assert ImageSet(bitmaps)[0].getpixel((5, 5)) == (0, 0, 255)


def test_damaged_icons_are_skipped(save, tmp_path):
    save("a.png")
    for number, data in enumerate(
        [b"\0\0\1\0", b"\0\0\1\0\xff\xff", icon(b""), icon(b"\x89PNG\r\n\x1a\n"), icon(b"(")]
    ):
        (tmp_path / f"{number}.ico").write_bytes(data)
    assert ImageSet(tmp_path).ids == ["a.png"]


def test_an_opened_file_is_rewound():
    file = io.BytesIO()
    Image.new("RGB", (8, 6), "red").save(file, "PNG")
    with open_encoded(file) as opened:  # at its end
        assert opened.convert("RGB").getpixel((0, 0)) == (255, 0, 0)
    assert limits.max_pixels == 128_000_000
