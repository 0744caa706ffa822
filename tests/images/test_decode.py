"""Pictures of every kind come out upright, in RGB and in the right colours."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import ExifTags, Image

from cocoa_widget.images import ImageSet, UnreadableImage
from cocoa_widget.images.decode import eight_bit, orientation, upright_rgb

# Every rotation and reflection changes the letter F.
LETTER = np.array([[1, 1, 1], [1, 0, 0], [1, 1, 0], [1, 0, 0], [1, 0, 0]], dtype=np.uint8) * 255

# How a camera stores an upright picture for each orientation, after the EXIF standard: where row 0 and column 0 lie.
STORED = {
    1: LETTER,
    2: LETTER[:, ::-1],
    3: LETTER[::-1, ::-1],
    4: LETTER[::-1],
    5: LETTER.T,
    6: LETTER.T[::-1],
    7: LETTER[::-1, ::-1].T,
    8: LETTER.T[:, ::-1],
}


def reopened(image: Image.Image, file_format: str, **options: object) -> Image.Image:
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return Image.open(io.BytesIO(file.getvalue()))


def exif(value: int) -> Image.Exif:
    block = Image.Exif()
    block[ExifTags.Base.Orientation] = value
    return block


@pytest.mark.parametrize("turned", range(1, 9))
@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "WEBP"])
def test_orientation_is_applied_once(turned, file_format):
    stored = Image.fromarray(np.ascontiguousarray(STORED[turned]))
    lossless = {"lossless": True} if file_format == "WEBP" else {}
    opened = reopened(stored.convert("RGB"), file_format, exif=exif(turned), **lossless)
    upright = upright_rgb(opened)
    np.testing.assert_array_equal(np.asarray(upright)[:, :, 0], LETTER)
    assert orientation(upright) == 1
    np.testing.assert_array_equal(np.asarray(upright_rgb(upright)), np.asarray(upright))


@pytest.mark.parametrize("turned", [1, 3, 6, 8])
def test_jpeg_orientation(save, turned):
    big = np.kron(STORED[turned], np.ones((16, 16), dtype=np.uint8))
    path = save("letter.jpg", Image.fromarray(big), quality=95, exif=exif(turned))
    image = ImageSet(path)["letter.jpg"]
    assert image.size == (48, 80)
    np.testing.assert_allclose(np.asarray(image)[8::16, 8::16, 0], LETTER, atol=8)


def test_broken_or_absurd_exif_does_not_lose_the_picture():
    for block in (b"Exif\0\0garbage that is no TIFF header", exif(42).tobytes()):
        opened = reopened(Image.new("RGB", (9, 4), "red"), "JPEG", exif=block)
        assert upright_rgb(opened).size == (9, 4)


def colour(image: Image.Image) -> tuple[int, ...]:
    upright = upright_rgb(image)
    assert upright.mode == "RGB"
    return upright.getpixel((0, 0))


@pytest.mark.parametrize("dtype", ["<u2", ">u2"])
def test_sixteen_bit_grey_is_scaled(dtype):
    values = np.array([[0, 257, 32896, 65535]], dtype=dtype)
    for file_format in ("TIFF", "PNG"):
        opened = reopened(Image.fromarray(values.astype("<u2")), file_format)
        np.testing.assert_array_equal(np.asarray(upright_rgb(opened))[0, :, 1], [0, 1, 128, 255])


def test_sixteen_bit_values_in_wider_integers():
    image = Image.fromarray(np.array([[0, 65535]], dtype=np.int32))
    np.testing.assert_array_equal(np.asarray(upright_rgb(image))[0, :, 0], [0, 255])
    with pytest.raises(ValueError, match="from 0 to 70000"):
        upright_rgb(Image.fromarray(np.array([[0, 70000]], dtype=np.int32)))


def test_float_tiff_must_lie_in_the_unit_range(save):
    fine = save("fine.tif", Image.fromarray(np.array([[0.0, 0.5, 1.0]], dtype=np.float32)))
    wild = save("wild.tif", Image.fromarray(np.array([[0.0, 500.0]], dtype=np.float32)))
    images = ImageSet([fine, wild])
    np.testing.assert_array_equal(np.asarray(images["fine.tif"])[0, :, 2], [0, 128, 255])
    with pytest.raises(UnreadableImage, match="0 to 500"):
        images.load("wild.tif")


def test_grey_and_one_bit():
    assert colour(reopened(Image.new("L", (2, 2), 77), "PNG")) == (77, 77, 77)
    assert colour(reopened(Image.new("1", (2, 2), 1), "PNG")) == (255, 255, 255)


def test_alpha_lies_over_white():
    assert colour(reopened(Image.new("RGBA", (2, 2), (0, 0, 0, 0)), "PNG")) == (255, 255, 255)
    assert colour(reopened(Image.new("RGBA", (2, 2), (200, 0, 0, 255)), "PNG")) == (200, 0, 0)
    assert colour(reopened(Image.new("RGBA", (2, 2), (0, 0, 0, 51)), "PNG")) == (204, 204, 204)
    assert colour(reopened(Image.new("LA", (2, 2), (0, 51)), "PNG")) == (204, 204, 204)


def test_palettes():
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    opened = upright_rgb(reopened(image, "PNG"))
    assert [opened.getpixel((0, 0)), opened.getpixel((1, 0))] == [(10, 20, 30), (40, 50, 60)]
    see_through = upright_rgb(reopened(image, "PNG", transparency=0))
    assert [see_through.getpixel((0, 0)), see_through.getpixel((1, 0))] == [(255, 255, 255), (40, 50, 60)]


def test_colour_key_transparency():
    opened = reopened(Image.new("RGB", (2, 2), (1, 2, 3)), "PNG", transparency=(1, 2, 3))
    assert colour(opened) == (255, 255, 255)


def test_cmyk_jpeg():
    opened = reopened(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=95)
    assert opened.mode == "CMYK"
    np.testing.assert_allclose(colour(opened), (255, 0, 0), atol=6)


def test_animation_shows_its_first_frame(save):
    frames = [Image.new("RGB", (4, 4), each) for each in ("red", "green", "blue")]
    path = save("film.gif", frames[0], save_all=True, append_images=frames[1:])
    images = ImageSet(path)
    assert images["film.gif"].getpixel((0, 0)) == (255, 0, 0)
    assert images["film.gif"].getpixel((0, 0)) == (255, 0, 0)


def test_eight_bit_scales():
    untouched = np.array([3, 200], dtype=np.uint8)
    assert eight_bit(untouched) is untouched
    np.testing.assert_array_equal(eight_bit(np.array([False, True])), [0, 255])
    np.testing.assert_array_equal(eight_bit(np.array([0, 65535], dtype=np.uint16)), [0, 255])
    np.testing.assert_array_equal(eight_bit(np.array([-1e-4, 0.5, 1 + 1e-4])), [0, 128, 255])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([-2.1, 2.6]), "from -2.1 to 2.6.*normalisation"),
        (np.array([0.0, 255.0]), "divide by 255"),
        (np.array([0.5, np.nan]), "nan"),
        (np.array([1, 2], dtype=np.int64), "int64"),
    ],
)
def test_values_without_a_range_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        eight_bit(values)
