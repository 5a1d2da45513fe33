"""The themes: one accent (persimmon) for what can be acted on, all else calm."""

from textual.theme import Theme

_QUIET = {"block-cursor-text-style": "none"}

DARK = Theme(
    name="picky-dark",
    primary="#ff8a4c",
    secondary="#8fb8de",
    accent="#ff8a4c",
    warning="#e5c07b",
    error="#ff6b6b",
    success="#8ccf7e",
    foreground="#e6e1dc",
    background="#16161a",
    surface="#1d1d22",
    panel="#26262d",
    dark=True,
    variables={**_QUIET, "dim": "#8b8690"},
)

LIGHT = Theme(
    name="picky-light",
    primary="#c2410c",
    secondary="#1d4f7c",
    accent="#c2410c",
    warning="#8a5a00",
    error="#b3261e",
    success="#2e6b2e",
    foreground="#26221f",
    background="#fbf9f6",
    surface="#f3efe9",
    panel="#e8e2d9",
    dark=False,
    variables={**_QUIET, "dim": "#6f6862"},
)

CONTRAST = Theme(
    name="picky-contrast",
    primary="#ffb000",
    secondary="#7fd4ff",
    accent="#ffb000",
    warning="#ffe066",
    error="#ff8080",
    success="#7dff8a",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#222222",
    dark=True,
    variables={**_QUIET, "dim": "#c8c8c8"},
)

TERMINAL = Theme(
    name="picky-terminal",
    primary="ansi_bright_red",
    secondary="ansi_cyan",
    accent="ansi_bright_red",
    warning="ansi_yellow",
    error="ansi_red",
    success="ansi_green",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    dark=True,
    variables={
        **_QUIET,
        "dim": "ansi_bright_black",
        "input-selection-background": "ansi_bright_black",
        "scrollbar": "ansi_bright_black",
        "scrollbar-background": "ansi_default",
    },
)

THEMES = (DARK, LIGHT, CONTRAST, TERMINAL)
