"""Pictures in a terminal without a picture protocol: every cell is two pixels, one on the other.

``▀`` in one colour on a ground of another shows the upper and the lower pixel; they are about
square. Decoding belongs in a thread: these functions touch nothing of the app.
"""

from functools import lru_cache
from itertools import groupby
from pathlib import Path

from PIL import Image, ImageOps
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from shared_models.placeholder import decode_placeholder

_UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
_GREY = (128, 128, 128)
_ORIENTATION = 0x0112
_SIDE_MOST = 2048
"""More pixels than this no terminal is wide."""


class PictureError(OSError):
    """The file is no picture that can be drawn."""


def draw(picture: Image.Image, columns: int, rows: int) -> list[Strip]:
    """``rows`` strips of ``columns`` cells, filled by the picture; what is too long is cut off."""
    size = (columns, rows * 2)
    pixels = ImageOps.fit(_opaque(picture), size, Image.Resampling.LANCZOS)
    return _strips(pixels)


def draw_file(path: Path, columns: int, rows: int) -> list[Strip]:
    """Like :func:`draw`, upright, from a file; ``PictureError`` when it cannot be read."""
    try:
        with Image.open(path) as picture:
            side = 2 * max(columns, rows * 2)
            picture.draft("RGB", (side, side))
            return draw(ImageOps.exif_transpose(picture), columns, rows)
    except _UNREADABLE as error:
        raise PictureError(f"{path.name} is no picture that can be drawn") from error


def load_picture(path: Path) -> Image.Image:
    """The picture of a file, upright, in RGB; ``PictureError`` when it cannot be read."""
    try:
        with Image.open(path) as picture:
            picture.draft("RGB", (_SIDE_MOST, _SIDE_MOST))
            picture.thumbnail((_SIDE_MOST, _SIDE_MOST))
            return _opaque(ImageOps.exif_transpose(picture))
    except _UNREADABLE as error:
        raise PictureError(f"{path.name} is no picture that can be drawn") from error


def picture_size(path: Path) -> tuple[int, int] | None:
    """Width and height in pixels, upright; None when the file is no picture. Reads its head."""
    try:
        with Image.open(path) as picture:
            turned = picture.getexif().get(_ORIENTATION, 1) >= 5
            width, height = picture.size
    except _UNREADABLE:
        return None
    return (height, width) if turned else (width, height)


@lru_cache(maxsize=512)
def draw_placeholder(placeholder: str, columns: int, rows: int) -> list[Strip]:
    """The soft colours of a photo that is not there yet; grey when the text is no placeholder."""
    try:
        grid = decode_placeholder(placeholder)
    except ValueError:
        grid = ((_GREY,),)
    colours = Image.new("RGB", (len(grid[0]), len(grid)))
    colours.putdata([colour for line in grid for colour in line])
    return _strips(colours.resize((columns, rows * 2), Image.Resampling.BICUBIC))


def _opaque(picture: Image.Image) -> Image.Image:
    """In RGB, with grey behind what is transparent."""
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    ground = Image.new("RGBA", picture.size, (*_GREY, 255))
    return Image.alpha_composite(ground, picture.convert("RGBA")).convert("RGB")


def _strips(pixels: Image.Image) -> list[Strip]:
    columns = pixels.width
    data = pixels.tobytes()
    lines = [data[start : start + 3 * columns] for start in range(0, len(data), 3 * columns)]
    strips = []
    for upper, lower in zip(lines[::2], lines[1::2], strict=True):
        cells = (upper[at : at + 3] + lower[at : at + 3] for at in range(0, 3 * columns, 3))
        segments = [
            Segment("▀" * len(list(run)), _style(colours)) for colours, run in groupby(cells)
        ]
        strips.append(Strip(segments, columns))
    return strips


@lru_cache(maxsize=16384)
def _style(colours: bytes) -> Style:
    upper, lower = Color.from_rgb(*colours[:3]), Color.from_rgb(*colours[3:])
    return Style.from_color(upper, lower)
