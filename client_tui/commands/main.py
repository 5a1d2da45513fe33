"""``picky``: all commands in one program, and the app when there is none."""

import os
import sys
from pathlib import Path

# Pydantic otherwise searches every installed distribution for plugins at start.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

import typer

from client_tui.commands import account, chats, demo, listings, offers, trades
from client_tui.commands.running import run_app

app = typer.Typer(
    name="picky",
    help=(
        "A second-hand market that lives in the terminal. Without a command: the app.\n\n"
        "Exit codes: 0 done, 1 unexpected, 2 usage, 3 not signed in or a wrong password, "
        "4 not found, 5 refused by a rule or invalid, 6 too fast, 7 server not reached."
    ),
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (account, listings, chats, trades, offers, demo):
    module.register(app)


@app.callback(invoke_without_command=True)
def picky(context: typer.Context) -> None:
    """Start the app when no command is given."""
    if context.invoked_subcommand is None:
        run_app()


def run() -> None:
    """Run the command that the arguments name."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets its escape instead of a crash.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    app()


def _open_closed_streams() -> None:
    """Whoever has closed one gives nothing and wants to hear nothing, and is no terminal.

    In this order, each takes its own number, so that no file or socket is taken for a stream.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
