"""What goes to stdout: data as JSON, or lines for people with user text made harmless."""

import json
import shutil
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pydantic import BaseModel

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print data only: one JSON object a line.")
]


def put_json(data: "BaseModel | dict[str, Any]") -> None:
    """One object on one line."""
    if isinstance(data, dict):
        put(json.dumps(data, ensure_ascii=False, separators=(",", ":")))
    else:
        put(data.model_dump_json())


def put(line: str = "") -> None:
    """One line of output, at once: whoever reads it may wait for it."""
    sys.stdout.write(line + "\n")
    if not sys.stdout.isatty():
        return
    sys.stdout.flush()


def width() -> int:
    """Cells a line may take; 100 when the output is no terminal."""
    return shutil.get_terminal_size((100, 24)).columns


def now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


def columns(left: str, right: str) -> str:
    """``left`` and ``right`` at the two sides of one line; the left one gives way."""
    from client_tui.format import cells, fit

    room = width() - cells(right) - 2
    return f"{fit(left, max(10, room))}  {right}".rstrip()


def price(amount: int | None) -> str:
    """A price as people read it."""
    from client_tui.format import money

    if amount is None:
        return "no price"
    return money(amount) if amount else "giveaway"


def label(value: str) -> str:
    """An enum value as words."""
    return value.replace("_", " ")
