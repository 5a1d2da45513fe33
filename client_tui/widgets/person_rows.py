"""People as rows of a virtual list."""

from collections.abc import Callable, Mapping

from rich.text import Text
from textual.strip import Strip

from client_tui.format import fit, visible_line
from client_tui.widgets.strips import strip_of
from shared_models.accounts import ProfileCard

_SCORE = 7


class PersonRows:
    """Draws a :class:`ProfileCard` in one row."""

    def __init__(self, colors: Callable[[], Mapping[str, str]]) -> None:
        self._colors = colors

    def key(self, item: ProfileCard) -> int:
        """The account's id."""
        return item.id.int

    def estimate(self, item: ProfileCard, width: int) -> int:
        """One row."""
        return 1

    def render(self, item: ProfileCard, width: int) -> list[Strip]:
        """Name, handle, manner score; of a deleted account only that it is one."""
        colors = self._colors()
        dim = colors.get("dim", "")
        room = max(6, width - _SCORE - 4)
        named = Text(no_wrap=True)
        named.append(visible_line(item.display_name), dim if item.deleted else "bold")
        if item.handle:
            named.append(f"  @{item.handle}", dim)
        named.truncate(room, overflow="ellipsis", pad=True)
        line = Text("  ", no_wrap=True).append_text(named)
        score = "" if item.deleted else f"★ {item.manner_score:.1f}"
        line.append(fit(score, _SCORE, "right"), f"bold {colors['primary']}")
        return [strip_of(line)]
