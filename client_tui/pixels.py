"""Pictures in real pixels, where the terminal and the optional package textual-image can.

That package asks the terminal what it can while it is imported, and once the app runs the answer
would be taken for keys: :func:`find_pixels` is for the moment before.
"""

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Final

from PIL.Image import Image
from textual.widget import Widget

EXTRA: Final = "pixels"
_MISSING = (
    f'images = "{{way}}" needs the package textual-image: install Picky with its extra "{EXTRA}". '
    "Until then photos are drawn in half-blocks."
)
_UNABLE = (
    'images = "{way}" is set, but this terminal does not answer that it can. '
    "Photos are drawn in half-blocks."
)


@dataclass(frozen=True, slots=True)
class Pixels:
    """How the viewer draws."""

    widget: Callable[[Image], Widget] | None = None
    """Makes the widget that shows a picture; None for our own half-blocks."""
    cell: tuple[int, int] = (1, 2)
    """Width and height of a cell in pixels."""
    notice: str = ""
    """Why it is not the way that the settings ask for."""


BLOCKS: Final = Pixels()


def find_pixels(way: str) -> Pixels:
    """What the setting ``images`` comes to here. Must be called before the app runs."""
    if way == "blocks" or not _on_terminal():
        return BLOCKS
    try:
        found = _ask_terminal(way)
    except ImportError:
        return BLOCKS if way == "auto" else Pixels(notice=_MISSING.format(way=way))
    except Exception:  # noqa: BLE001 - a terminal may answer anything; half-blocks need no answer
        found = BLOCKS
    finally:
        _drop_answers()
    if found is BLOCKS and way != "auto":
        return Pixels(notice=_UNABLE.format(way=way))
    return found


def _on_terminal() -> bool:
    streams = (sys.__stdin__, sys.__stdout__)
    return all(stream is not None and stream.isatty() for stream in streams)


def _ask_terminal(way: str) -> Pixels:
    widgets = importlib.import_module("textual_image.widget")
    best = importlib.import_module("textual_image.renderable")
    widget = None
    if way != "kitty" and best.Image is best.SixelImage:
        widget = widgets.SixelImage
    elif way != "sixel" and _knows_kitty(best):
        widget = widgets.TGPImage
    return Pixels(widget, tuple(widgets.get_cell_size())) if widget else BLOCKS


def _knows_kitty(best: ModuleType) -> bool:
    """The package asks for sixel first, and for kitty only where that is not there."""
    if best.Image is best.SixelImage:
        tgp = importlib.import_module("textual_image.renderable.tgp")
        return bool(tgp.query_terminal_support())
    return bool(best.Image is best.TGPImage)


def _drop_answers() -> None:
    """An answer that came too late is no key that was pressed."""
    try:
        import termios
    except ImportError:  # Windows
        return
    if sys.__stdin__ is not None:
        termios.tcflush(sys.__stdin__.fileno(), termios.TCIFLUSH)
