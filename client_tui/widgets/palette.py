"""The colours of the theme as styles for rows that are drawn by hand."""

from collections.abc import Mapping
from dataclasses import dataclass

from rich.style import Style
from textual.color import Color


@dataclass(frozen=True, slots=True)
class Palette:
    """What a row may look like. ``accent`` is for what can be acted on now."""

    plain: Style
    bold: Style
    dim: Style
    accent: Style
    key: Style
    peer: Style
    good: Style
    warning: Style
    error: Style
    rule: Style

    @classmethod
    def of(cls, colors: Mapping[str, str]) -> "Palette":
        """From theme variables."""
        return cls(
            plain=Style(),
            bold=Style(bold=True),
            dim=_colored(colors.get("dim", "ansi_bright_black")),
            accent=_colored(colors["primary"]),
            key=_colored(colors["primary"]) + Style(bold=True),
            peer=_colored(colors["secondary"]) + Style(bold=True),
            good=_colored(colors["success"]),
            warning=_colored(colors["warning"]),
            error=_colored(colors["error"]),
            rule=_colored(colors["panel"]),
        )


def _colored(name: str) -> Style:
    return Style.from_color(Color.parse(name).rich_color)
