"""A pen that draws flat shapes on a sheet of 100 by 75 units, wherever the sheet is held."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from PIL import Image, ImageDraw

Colour: TypeAlias = tuple[int, int, int]
Point: TypeAlias = tuple[float, float]

WIDTH = 480
HEIGHT = 360
OVERSAMPLING = 2
UNIT = WIDTH * OVERSAMPLING / 100
CENTRE = (50.0, 37.5)

INK: Colour = (38, 36, 48)
WHITE: Colour = (250, 249, 246)
GREY: Colour = (140, 144, 152)
STEEL: Colour = (188, 194, 204)
GLASS: Colour = (176, 222, 238)
WOOD: Colour = (190, 132, 78)
LEAF: Colour = (58, 140, 78)
GOLD: Colour = (232, 180, 66)
RED: Colour = (222, 72, 66)
SKIN: Colour = (244, 204, 172)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """The colour `share` (0..1) of the way from the first to the second."""
    return (
        round(first[0] + (second[0] - first[0]) * share),
        round(first[1] + (second[1] - first[1]) * share),
        round(first[2] + (second[2] - first[2]) * share),
    )


def brightness(colour: Colour) -> float:
    """How bright a colour looks, 0..1."""
    return (0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]) / 255


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one thing: its own, a darker and a lighter one, and one that stands out."""

    main: Colour
    accent: Colour

    @property
    def dark(self) -> Colour:
        """The side away from the light."""
        return mix(self.main, INK, 0.32)

    @property
    def light(self) -> Colour:
        """The side towards the light."""
        return mix(self.main, WHITE, 0.4)


@dataclass(frozen=True, slots=True)
class Hold:
    """How the sheet is held: larger, turned by degrees, moved by units, mirrored."""

    zoom: float = 1.0
    turn: float = 0.0
    right: float = 0.0
    down: float = 0.0
    mirrored: bool = False


class Pen:
    """Draws on an image `OVERSAMPLING` times too large. Angles are in degrees, 0 is right."""

    def __init__(self, image: Image.Image, hold: Hold, only: Colour | None = None) -> None:
        """`only` draws everything in one colour, which makes a shadow of any drawing."""
        self._draw = ImageDraw.Draw(image)
        self._only = only
        self._scale = UNIT * hold.zoom
        turn = math.radians(hold.turn)
        side = -1 if hold.mirrored else 1
        self._xx = math.cos(turn) * self._scale * side
        self._xy = -math.sin(turn) * self._scale
        self._yx = math.sin(turn) * self._scale * side
        self._yy = math.cos(turn) * self._scale
        self._x0 = (CENTRE[0] + hold.right) * UNIT
        self._y0 = (CENTRE[1] + hold.down) * UNIT

    def _place(self, points: Sequence[Point]) -> list[Point]:
        return [
            (
                self._x0 + (x - CENTRE[0]) * self._xx + (y - CENTRE[1]) * self._xy,
                self._y0 + (x - CENTRE[0]) * self._yx + (y - CENTRE[1]) * self._yy,
            )
            for x, y in points
        ]

    def shape(self, points: Sequence[Point], colour: Colour) -> None:
        """A filled polygon."""
        self._draw.polygon(self._place(points), fill=self._only or colour)

    def rect(
        self, x: float, y: float, w: float, h: float, colour: Colour, rounded: float = 0
    ) -> None:
        """A filled rectangle from its top left corner, its corners rounded by a radius."""
        if not rounded:
            self.shape([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], colour)
            return
        r = min(rounded, w / 2, h / 2)
        corners = (
            (x + w - r, y + h - r, 0),
            (x + r, y + h - r, 90),
            (x + r, y + r, 180),
            (x + w - r, y + r, 270),
        )
        self.shape([p for cx, cy, a in corners for p in _arc(cx, cy, r, r, a, a + 90)], colour)

    def oval(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        colour: Colour,
        between: tuple[float, float] = (0, 360),
    ) -> None:
        """A filled ellipse around a centre, or the part of it between two angles."""
        self.shape(_arc(x, y, rx, ry, *between), colour)

    def wedge(
        self, x: float, y: float, radius: float, between: tuple[float, float], colour: Colour
    ) -> None:
        """A slice of a circle between two angles."""
        self.shape([(x, y), *_arc(x, y, radius, radius, *between)], colour)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """A filled circle."""
        self.oval(x, y, radius, radius, colour)

    def line(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """A line through points, with round ends."""
        placed = self._place(points)
        pixels = max(1, round(width * self._scale))
        fill = self._only or colour
        self._draw.line(placed, fill=fill, width=pixels, joint="curve")
        r = pixels / 2
        for px, py in (placed[0], placed[-1]):
            self._draw.ellipse((px - r, py - r, px + r, py + r), fill=fill)

    def arc(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        between: tuple[float, float],
        width: float,
        colour: Colour,
    ) -> None:
        """The outline of an ellipse between two angles."""
        self.line(_arc(x, y, rx, ry, *between), width, colour)

    def ring(self, x: float, y: float, radius: float, width: float, colour: Colour) -> None:
        """The outline of a circle."""
        self.arc(x, y, radius, radius, (0, 360), width, colour)


def _arc(x: float, y: float, rx: float, ry: float, start: float, end: float) -> list[Point]:
    steps = max(4, round(abs(end - start) / 360 * (14 + max(rx, ry))))
    angles = (math.radians(start + (end - start) * i / steps) for i in range(steps + 1))
    return [(x + rx * math.cos(a), y + ry * math.sin(a)) for a in angles]
