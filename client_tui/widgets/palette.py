"""The colours of the theme as styles for rows that are drawn by hand."""

from collections.abc import Mapping
from dataclasses import dataclass

from rich.style import Style


@dataclass(frozen=True, slots=True)
class Palette:
    """What a row may look like. ``accent`` is for what can be acted on now."""

    plain: Style
    bold: Style
    dim: Style
    accent: Style
    key: Style
    peer: Style
    warning: Style
    error: Style
    rule: Style

    @classmethod
    def of(cls, colors: Mapping[str, str]) -> "Palette":
        """From theme variables."""
        return cls(
            plain=Style(),
            bold=Style(bold=True),
            dim=color_style(colors.get("dim", "ansi_bright_black")),
            accent=color_style(colors["primary"]),
            key=color_style(colors["primary"]) + Style(bold=True),
            peer=color_style(colors["secondary"]) + Style(bold=True),
            warning=color_style(colors["warning"]),
            error=color_style(colors["error"]),
            rule=color_style(colors["panel"]),
        )


def color_style(name: str) -> Style:
    """A theme's colour as Rich knows it; Textual names those of the terminal in another way."""
    return Style(color=name.removeprefix("ansi_"))
