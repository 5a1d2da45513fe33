"""Pictures of listings: a drawn thing in front of a background, in several views.

Bold shapes and strong contrast, because most people see them first as twenty by twenty cells.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from PIL import Image

from server.app.demo.drawings import DRAWINGS
from server.app.demo.drawings.pen import (
    HEIGHT,
    INK,
    OVERSAMPLING,
    WHITE,
    WIDTH,
    Colour,
    Hold,
    Palette,
    Pen,
    brightness,
    mix,
)

COLOURS: dict[str, Colour] = {
    "beige": (214, 190, 156),
    "black": (52, 54, 64),
    "blue": (58, 122, 214),
    "brown": (140, 88, 56),
    "cream": (244, 232, 206),
    "gold": (222, 172, 62),
    "green": (58, 146, 92),
    "grey": (132, 140, 150),
    "mint": (112, 204, 178),
    "navy": (40, 60, 118),
    "oak": (206, 158, 98),
    "orange": (240, 132, 52),
    "pink": (240, 136, 168),
    "purple": (134, 92, 190),
    "red": (216, 58, 60),
    "silver": (198, 204, 212),
    "walnut": (116, 74, 50),
    "white": (246, 246, 242),
    "yellow": (248, 206, 70),
}
"""What a thing's colour looks like, by its name in the texts."""

_ACCENTS: dict[str, str] = {
    "beige": "red",
    "black": "orange",
    "blue": "yellow",
    "brown": "mint",
    "cream": "red",
    "gold": "navy",
    "green": "yellow",
    "grey": "orange",
    "mint": "orange",
    "navy": "yellow",
    "oak": "blue",
    "orange": "navy",
    "pink": "purple",
    "purple": "yellow",
    "red": "yellow",
    "silver": "blue",
    "walnut": "orange",
    "white": "blue",
    "yellow": "red",
}

_PALE_WALLS: tuple[Colour, ...] = (
    (250, 226, 186),
    (204, 232, 222),
    (252, 212, 204),
    (208, 222, 246),
    (230, 218, 244),
    (238, 236, 200),
    (196, 228, 240),
)
_DEEP_WALLS: tuple[Colour, ...] = (
    (38, 104, 112),
    (74, 84, 148),
    (158, 70, 84),
    (56, 112, 84),
    (108, 72, 124),
    (176, 98, 60),
    (62, 92, 132),
)
_DISTINCT = 150
_SUFFIXES = {"jpeg": "jpg", "png": "png", "webp": "webp"}


@dataclass(frozen=True, slots=True)
class Picture:
    """A finished picture file."""

    name: str
    content_type: str
    data: bytes


def listing_pictures(
    rng: Random, drawing: str, colour: str, count: int, name: str
) -> list[Picture]:
    """`count` (1..4) pictures of one thing: the front, a close-up, a tilted and a mirrored view."""
    palette = Palette(COLOURS[colour], COLOURS[_ACCENTS[colour]])
    walls = _walls_for(palette.main)
    wall = rng.randrange(len(walls))
    pictures = []
    for index, hold in enumerate(_views(rng)[:count]):
        picture = paint(rng, drawing, palette, hold, walls[(wall + index) % len(walls)])
        pictures.append(
            encode(picture, rng.choice(("jpeg", "jpeg", "png", "webp")), f"{name}-{index + 1}")
        )
    return pictures


def paint(rng: Random, drawing: str, palette: Palette, hold: Hold, wall: Colour) -> Image.Image:
    """One view of a drawing in front of a wall, 480 by 360 pixels."""
    image = Image.new("RGB", (WIDTH * OVERSAMPLING, HEIGHT * OVERSAMPLING), wall)
    rng.choice(_BACKGROUNDS)(Pen(image, Hold()), wall)
    shadow = Hold(hold.zoom, hold.turn, hold.right + 1.6, hold.down + 1.8, hold.mirrored)
    DRAWINGS[drawing](Pen(image, shadow, only=mix(wall, INK, 0.4)), palette)
    DRAWINGS[drawing](Pen(image, hold), palette)
    return image.reduce(OVERSAMPLING)


def encode(image: Image.Image, kind: str, name: str) -> Picture:
    """The image as a JPEG, PNG or WebP file."""
    file = io.BytesIO()
    if kind == "jpeg":
        image.save(file, "JPEG", quality=86)
    elif kind == "png":
        image.quantize(64, method=Image.Quantize.FASTOCTREE).save(file, "PNG", compress_level=3)
    else:
        image.save(file, "WEBP", quality=80, method=0)
    return Picture(f"{name}.{_SUFFIXES[kind]}", f"image/{kind}", file.getvalue())


def _views(rng: Random) -> list[Hold]:
    side = rng.choice((-1, 1))
    return [
        Hold(zoom=0.96, turn=rng.uniform(-2, 2)),
        Hold(zoom=1.65, turn=rng.uniform(-5, 5), right=side * 12, down=rng.uniform(4, 10)),
        Hold(zoom=0.82, turn=side * rng.uniform(10, 16), right=side * -4),
        Hold(zoom=1.15, turn=rng.uniform(-4, 4), right=side * 5, down=-3, mirrored=True),
    ]


def _walls_for(colour: Colour) -> list[Colour]:
    """The walls a thing of this colour stands out from."""
    walls = _PALE_WALLS if brightness(colour) < 0.6 else _DEEP_WALLS
    return [
        wall
        for wall in walls
        if sum(abs(a - b) for a, b in zip(wall, colour, strict=True)) > _DISTINCT
    ]


def _floor(pen: Pen, wall: Colour) -> None:
    pen.rect(0, 52, 100, 23, mix(wall, INK, 0.16))
    pen.rect(0, 52, 100, 1.4, mix(wall, WHITE, 0.5))


def _spotlight(pen: Pen, wall: Colour) -> None:
    pen.disc(50, 37.5, 36, mix(wall, WHITE, 0.3))


def _stripes(pen: Pen, wall: Colour) -> None:
    for x in range(0, 100, 20):
        pen.rect(x, 0, 10, 75, mix(wall, WHITE, 0.2))


def _table(pen: Pen, wall: Colour) -> None:
    pen.oval(50, 72, 64, 26, mix(wall, INK, 0.2))
    pen.oval(50, 71, 64, 25, mix(wall, (196, 140, 88), 0.55))


def _window(pen: Pen, wall: Colour) -> None:
    light = mix(wall, WHITE, 0.35)
    pen.shape([(8, 0), (34, 0), (64, 75), (30, 75)], light)
    pen.shape([(42, 0), (62, 0), (96, 75), (74, 75)], light)


def _plain(pen: Pen, wall: Colour) -> None:
    pen.rect(0, 66, 100, 9, mix(wall, INK, 0.1))


_BACKGROUNDS: tuple[Callable[[Pen, Colour], None], ...] = (
    _floor,
    _spotlight,
    _stripes,
    _table,
    _window,
    _plain,
)
