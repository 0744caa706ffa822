"""The demo's photographs: scikit-image and scikit-learn have them in their packages.

Crops of one photograph have the same label, so that a corpus can be built of them.
"""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from functools import partial

from PIL import Image, ImageOps

from .decode import upright_rgb
from .image_set import ImageSet
from .pictures import File, Picture, Record, digest

Box = tuple[int, int, int, int]

_FOLDERS = {"skimage": "data", "sklearn": os.path.join("datasets", "images")}

_QUARTER = 320
"""Side in pixels of a mosaic's quarter."""


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of a photograph.

    Parameters
    ----------
    photograph : Picture
    box : (left, upper, right, lower), optional
        In pixels; the whole photograph by default.
    mirrored : bool
        Whether left and right are swapped.
    """

    photograph: Picture
    box: Box | None = None
    mirrored: bool = False

    def open(self) -> Image.Image:
        """Decode and cut."""
        with self.photograph.open() as image:
            cut = upright_rgb(image).crop(self.box)
        return ImageOps.mirror(cut) if self.mirrored else cut

    def key(self) -> str:
        """Hash the photograph's key and the cut."""
        return digest(f"{self.photograph.key()} {self.box} {self.mirrored}".encode())


@dataclass(frozen=True, slots=True)
class Mosaic:
    """Four pictures in a square: upper left, upper right, lower left, lower right."""

    quarters: tuple[Picture, Picture, Picture, Picture]

    def open(self) -> Image.Image:
        """Decode the four and put them together."""
        mosaic = Image.new("RGB", (2 * _QUARTER, 2 * _QUARTER))
        for index, quarter in enumerate(self.quarters):
            with quarter.open() as image:
                square = ImageOps.fit(upright_rgb(image), (_QUARTER, _QUARTER))
            mosaic.paste(square, (index % 2 * _QUARTER, index // 2 * _QUARTER))
        return mosaic

    def key(self) -> str:
        """Hash the keys of the four."""
        return digest(" ".join(each.key() for each in self.quarters).encode())


def demo_images() -> ImageSet:
    """Return 44 small real photographs and crops of them, without a download.

    Returns
    -------
    ImageSet
        Ids such as ``"cat/1"`` and ``"motorcycle/left"``; the part before the slash is the label. The captions say
        what they show. ``"mosaic/1"`` to ``"mosaic/4"`` are four photographs in a square each, on which a heatmap
        moves from quarter to quarter with the corpus.

    Raises
    ------
    ImportError
        If scikit-image or scikit-learn is not installed.
    """
    crops = _crops()
    records = [Record(image_id, crop, _kind(image_id), caption) for image_id, (crop, caption) in crops.items()]
    for number, quarters in enumerate(_MOSAICS, start=1):
        upper_left, upper_right, lower_left, lower_right = (crops[each][0] for each in quarters)
        caption = ", ".join(_kind(each) for each in quarters)
        mosaic = Mosaic((upper_left, upper_right, lower_left, lower_right))
        records.append(Record(f"mosaic/{number}", mosaic, "mosaic", caption))
    return ImageSet(records)


_MOSAICS = (
    ("cat/2", "coffee/2", "rocket/3", "motorcycle/left"),
    ("temple/2", "cat/3", "flower/2", "astronaut/2"),
    ("motorcycle/right", "flower/3", "temple/3", "coffee/3"),
    ("rocket/2", "astronaut/1", "cat/4", "flower/1"),
)


def _kind(image_id: str) -> str:
    return image_id.partition("/")[0]


def _crops() -> dict[str, tuple[Crop, str]]:
    skimage, sklearn = partial(_shipped, "skimage"), partial(_shipped, "sklearn")
    cat, coffee, rocket, woman = map(skimage, ("chelsea.png", "coffee.png", "rocket.jpg", "astronaut.png"))
    left, right = map(skimage, ("motorcycle_left.png", "motorcycle_right.png"))
    cameraman, coins, galaxies = map(skimage, ("camera.png", "coins.png", "hubble_deep_field.jpg"))
    brick, grass, gravel = map(skimage, ("brick.png", "grass.png", "gravel.png"))
    temple, flower = map(sklearn, ("china.jpg", "flower.jpg"))
    return {
        "cat/1": (Crop(cat), "a tabby cat"),
        "cat/2": (Crop(cat, (75, 0, 375, 300)), "a tabby cat's face"),
        "cat/3": (Crop(cat, (0, 0, 300, 300), mirrored=True), "a tabby cat, mirrored"),
        "cat/4": (Crop(cat, (110, 50, 360, 300)), "a cat's eyes and nose"),
        "motorcycle/left": (Crop(left), "a red motorcycle in a garage, from the left eye"),
        "motorcycle/right": (Crop(right), "a red motorcycle in a garage, from the right eye"),
        "motorcycle/front": (Crop(left, (400, 80, 720, 480)), "a motorcycle's front wheel and handlebar"),
        "motorcycle/rear": (Crop(right, (80, 110, 480, 430), mirrored=True), "a motorcycle's rear wheel and engine"),
        "coffee/1": (Crop(coffee), "a cup of espresso on a wooden table"),
        "coffee/2": (Crop(coffee, (120, 0, 460, 340)), "a cup of espresso on a red saucer"),
        "coffee/3": (Crop(coffee, (60, 0, 500, 400), mirrored=True), "a cup of espresso, mirrored"),
        "coffee/4": (Crop(coffee, (165, 10, 415, 210)), "espresso in a cup"),
        "rocket/1": (Crop(rocket), "a rocket on its launch pad at dusk"),
        "rocket/2": (Crop(rocket, (107, 0, 534, 427)), "a rocket between two masts"),
        "rocket/3": (Crop(rocket, (200, 110, 500, 427), mirrored=True), "a rocket, mirrored"),
        "rocket/4": (Crop(woman, (345, 0, 505, 275)), "a model of the space shuttle"),
        "astronaut/1": (Crop(woman), "an astronaut in an orange suit"),
        "astronaut/2": (Crop(woman, (60, 0, 360, 300)), "an astronaut's face"),
        "astronaut/3": (Crop(woman, (0, 150, 362, 512), mirrored=True), "an astronaut's suit and helmet, mirrored"),
        "photographer/1": (Crop(cameraman), "a man with a film camera"),
        "photographer/2": (Crop(cameraman, (40, 40, 360, 360)), "a man looking through a camera"),
        "temple/1": (Crop(temple), "a Chinese temple above a lake"),
        "temple/2": (Crop(temple, (10, 10, 400, 400)), "a Chinese temple"),
        "temple/3": (Crop(temple, (60, 20, 340, 260)), "the roofs of a Chinese temple"),
        "temple/4": (Crop(temple, (50, 120, 370, 400), mirrored=True), "the storeys of a Chinese temple, mirrored"),
        "flower/1": (Crop(flower), "an orange dahlia"),
        "flower/2": (Crop(flower, (150, 65, 465, 380)), "an orange dahlia, near"),
        "flower/3": (Crop(flower, (107, 0, 534, 427), mirrored=True), "an orange dahlia, mirrored"),
        "flower/4": (Crop(flower, (215, 130, 405, 320)), "the petals of an orange dahlia"),
        "coins/1": (Crop(coins), "old coins in rows"),
        "coins/2": (Crop(coins, (195, 0, 384, 190)), "old coins"),
        "galaxy/1": (Crop(galaxies), "a field of distant galaxies"),
        "galaxy/2": (Crop(galaxies, (560, 300, 1000, 740)), "distant galaxies"),
        "galaxy/3": (Crop(galaxies, (0, 0, 440, 440), mirrored=True), "distant galaxies, mirrored"),
        "brick/1": (Crop(brick), "bricks in rows"),
        "brick/2": (Crop(brick, (256, 0, 512, 256)), "bricks"),
        "grass/1": (Crop(grass), "a lawn"),
        "grass/2": (Crop(grass, (0, 256, 256, 512)), "blades of grass"),
        "gravel/1": (Crop(gravel), "gravel"),
        "gravel/2": (Crop(gravel, (128, 128, 384, 384)), "pebbles"),
    }


def _shipped(package: str, name: str) -> File:
    """Return a file in a package's folder without importing the package, which takes a second."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ImportError(
            "the demo's photographs come from scikit-image and scikit-learn, which are not both installed; "
            '`pip install "cocoa-widget[demo]"` installs them'
        )
    return File(os.path.join(os.path.dirname(spec.origin), _FOLDERS[package], name))
