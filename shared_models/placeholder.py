"""The placeholder of a photo: a tiny grid of colours to draw until the picture is there.

As text it is ``"<columns>x<rows>:"`` and three hexadecimal digits a colour, row by row from the
top left: ``"2x1:f0008f"`` is a red and a blue-green half. No dependencies, so that both sides can
read it.
"""

import re

Colour = tuple[int, int, int]
Grid = tuple[tuple[Colour, ...], ...]

MAX_SIDE = 16
"""The most columns or rows that a placeholder may have."""

_TEXT = re.compile(r"([1-9][0-9]?)x([1-9][0-9]?):([0-9a-f]*)", re.ASCII)


def encode_placeholder(grid: Grid) -> str:
    """The text of a grid of rows of 8-bit (red, green, blue); each channel keeps 4 bits.

    Raises ``ValueError`` for a grid that is empty, ragged or larger than 16 on a side.
    """
    rows, columns = len(grid), len(grid[0]) if grid else 0
    _check_size(columns, rows)
    if any(len(row) != columns for row in grid):
        raise ValueError("the rows of a placeholder must be equally long")
    digits = (f"{_to_digit(channel):x}" for row in grid for colour in row for channel in colour)
    return f"{columns}x{rows}:{''.join(digits)}"


def decode_placeholder(text: str) -> Grid:
    """The grid of rows of 8-bit colours that ``text`` stands for.

    Raises ``ValueError`` when it is no placeholder.
    """
    match = _TEXT.fullmatch(text)
    if match is None:
        raise ValueError(f"not a placeholder: {text[:40]!r}")
    columns, rows, digits = int(match[1]), int(match[2]), match[3]
    _check_size(columns, rows)
    if len(digits) != 3 * columns * rows:
        raise ValueError(f"a {columns}x{rows} placeholder has {3 * columns * rows} digits")
    channels = [int(digit, 16) * 17 for digit in digits]
    colours = [(r, g, b) for r, g, b in zip(*[iter(channels)] * 3, strict=True)]
    return tuple(
        tuple(colours[start : start + columns]) for start in range(0, len(colours), columns)
    )


def _check_size(columns: int, rows: int) -> None:
    if not (1 <= columns <= MAX_SIDE and 1 <= rows <= MAX_SIDE):
        raise ValueError(f"a placeholder has 1 to {MAX_SIDE} columns and rows: {columns}x{rows}")


def _to_digit(channel: int) -> int:
    if not 0 <= channel <= 255:
        raise ValueError(f"a colour channel is 0 to 255: {channel}")
    return (channel + 8) // 17
