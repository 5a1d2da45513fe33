"""Drawings of second-hand things, by name."""

from collections.abc import Callable
from typing import TypeAlias

from server.app.demo.drawings.clothes import CLOTHES
from server.app.demo.drawings.furniture import FURNITURE
from server.app.demo.drawings.garden import GARDEN
from server.app.demo.drawings.home import HOME
from server.app.demo.drawings.pen import Palette, Pen
from server.app.demo.drawings.play import PLAY
from server.app.demo.drawings.shelf import SHELF
from server.app.demo.drawings.tech import TECH

Drawing: TypeAlias = Callable[[Pen, Palette], None]

DRAWINGS: dict[str, Drawing] = {
    drawing.__name__: drawing
    for drawing in (*TECH, *HOME, *FURNITURE, *CLOTHES, *SHELF, *PLAY, *GARDEN)
}
