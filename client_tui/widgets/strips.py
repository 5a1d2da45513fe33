"""From a line of text to a strip of cells."""

from functools import lru_cache

from rich.console import Console
from rich.text import Text
from textual.strip import Strip


@lru_cache(maxsize=1)
def _console() -> Console:
    return Console(width=1000, color_system="truecolor", force_terminal=True, legacy_windows=False)


def strip_of(line: Text) -> Strip:
    """One line; it must have no line break and fit the width it is drawn in."""
    line.end = ""
    return Strip(list(line.render(_console())), line.cell_len)
