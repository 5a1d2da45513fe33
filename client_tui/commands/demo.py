"""``picky demo``."""

from enum import StrEnum
from typing import Annotated

import typer

from client_tui.commands.running import need_terminal


class Scale(StrEnum):
    """How much there is in the demo market."""

    SMALL = "small"
    LARGE = "large"


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(demo)


def demo(
    seed: Annotated[int, typer.Option(help="The same number gives the same market.")] = 1,
    scale: Annotated[Scale, typer.Option(help="How much there is in it.")] = Scale.LARGE,
) -> None:
    """Try a private market on this machine; leaving it leaves nothing behind.

    Its server is the `picky-server` beside `picky`, be it installed or the one file that
    `make binary` builds; else the one that was installed with `picky`; else the first on the PATH.
    """
    need_terminal()
    from client_tui.demo import run

    run(seed=seed, scale=scale.value)
