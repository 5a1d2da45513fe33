"""Drawn faces, one for each person of the demo market."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from PIL import Image

from server.app.demo.drawings.pen import HEIGHT, INK, OVERSAMPLING, WHITE, Colour, Hold, Pen, mix
from server.app.demo.pictures import COLOURS, Picture, encode

_SKINS: dict[str, Colour] = {
    "light": (250, 214, 184),
    "fair": (240, 196, 160),
    "tan": (218, 168, 128),
    "dark": (150, 102, 74),
}
_HAIR: dict[str, Colour] = {
    "black": (40, 34, 40),
    "brown": (104, 66, 42),
    "blond": (212, 168, 92),
    "grey": (156, 156, 164),
}
_WALLS = ("mint", "yellow", "pink", "blue", "orange", "purple", "green", "cream")
_SHIRTS = ("navy", "red", "white", "green", "yellow", "purple", "grey")


@dataclass(frozen=True, slots=True)
class Look:
    """What a face is made of, by the names in the texts."""

    skin: str
    hair: str
    cut: str
    extra: str = ""


def avatar(rng: Random, look: Look, name: str) -> Picture:
    """A square picture of a made-up face."""
    side = HEIGHT * OVERSAMPLING
    wall, shirt = COLOURS[rng.choice(_WALLS)], COLOURS[rng.choice(_SHIRTS)]
    skin, hair, cut = _SKINS[look.skin], _HAIR[look.hair], _CUTS[look.cut]
    image = Image.new("RGB", (side, side), wall)
    pen = Pen(image, Hold(right=-12.5))
    pen.disc(50, 37.5, 35, mix(wall, WHITE, 0.4))
    cut(pen, hair, False)
    pen.rect(44, 44, 12, 18, mix(skin, INK, 0.15), 5)
    pen.oval(50, 76, 28, 20, shirt)
    pen.oval(50, 59, 8, 5, mix(skin, INK, 0.15))
    pen.oval(50, 34, 17, 20, skin)
    for x in (33, 67):
        pen.disc(x, 36, 3.6, skin)
    cut(pen, hair, True)
    _face(pen, skin, hair, look.extra)
    return encode(image.reduce(OVERSAMPLING), "jpeg", name)


def _face(pen: Pen, skin: Colour, hair: Colour, extra: str) -> None:
    if extra == "beard":
        pen.oval(50, 47, 11, 8, hair, (0, 180))
    for x in (43, 57):
        pen.disc(x, 36, 2.3, INK)
        pen.line([(x - 3, 31), (x + 3, 31)], 1.4, hair)
        pen.oval(x + (x - 50) * 0.6, 42, 3.4, 2.2, mix(skin, (236, 110, 110), 0.45))
        if extra == "glasses":
            pen.ring(x, 36, 5.4, 1.3, INK)
            pen.line([(48, 36), (52, 36)], 1.3, INK)
    pen.arc(50, 44, 6, 4, (20, 160), 1.6, WHITE if extra == "beard" else INK)


def _short(pen: Pen, hair: Colour, front: bool) -> None:
    if front:
        pen.oval(50, 27, 18, 15, hair, (180, 360))
        pen.shape([(32, 27), (36, 20), (36, 34)], hair)
        pen.shape([(68, 27), (64, 20), (64, 34)], hair)


def _bob(pen: Pen, hair: Colour, front: bool) -> None:
    if front:
        pen.oval(50, 28, 18, 15, hair, (170, 370))
    else:
        pen.oval(50, 34, 23, 25, hair)
        pen.rect(27, 34, 46, 20, hair, 6)


def _long(pen: Pen, hair: Colour, front: bool) -> None:
    if front:
        pen.shape([(33, 34), (36, 18), (50, 14), (52, 20), (40, 26)], hair)
        pen.shape([(67, 34), (64, 18), (48, 14), (48, 20), (60, 26)], hair)
    else:
        pen.oval(50, 30, 22, 22, hair)
        pen.rect(28, 30, 44, 40, hair, 8)


def _bun(pen: Pen, hair: Colour, front: bool) -> None:
    if front:
        pen.oval(50, 26, 18, 13, hair, (180, 360))
    else:
        pen.disc(50, 8, 8, hair)
        pen.oval(50, 30, 19, 20, hair)


def _curly(pen: Pen, hair: Colour, front: bool) -> None:
    if front:
        for x, y in ((36, 20), (43, 15), (50, 13), (57, 15), (64, 20)):
            pen.disc(x, y, 6, hair)
    else:
        for x, y in ((32, 28), (68, 28), (30, 38), (70, 38)):
            pen.disc(x, y, 7, hair)


_CUTS: dict[str, Callable[[Pen, Colour, bool], None]] = {
    "short": _short,
    "bob": _bob,
    "long": _long,
    "bun": _bun,
    "curly": _curly,
}
