"""``picky-server``: serve, migrate, seed, openapi, doctor."""

import asyncio
import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from server.app.parent import end_with_parent
from server.app.roles import Role
from server.app.settings import Environment, Settings, SettingsError, load_settings

app = typer.Typer(
    name="picky-server",
    help="The market's server. With no settings at all: SQLite and an embedded object store.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

_BAR_CELLS = 30

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Where the local data lives.", show_default=False)
]

Host = Annotated[str | None, typer.Option(help="Address to listen on.")]
Port = Annotated[int | None, typer.Option(help="Port; 0 takes a free one.")]
RoleOption = Annotated[Role | None, typer.Option("--role", help="What this process does.")]
WithParent = Annotated[
    bool, typer.Option("--exit-with-parent", help="End when standard input ends.")
]


class ScaleName(StrEnum):
    """How large a demo market is."""

    SMALL = "small"
    LARGE = "large"


class ProgressStyle(StrEnum):
    """How `seed` tells how far it is."""

    BAR = "bar"
    JSON = "json"


def _refuse(text: str, code: int = 2) -> NoReturn:
    print(f"picky-server: {text}", file=sys.stderr)
    raise typer.Exit(code)


def _settings(**flags: object) -> Settings:
    try:
        return load_settings(**flags)
    except SettingsError as error:
        _refuse(str(error))


@app.command()
def serve(
    host: Host = None,
    port: Port = None,
    data_dir: DataDir = None,
    role: RoleOption = None,
    exit_with_parent: WithParent = False,
) -> None:
    """Run the server; prints `listening on http://H:P` when it is ready."""
    if exit_with_parent:
        end_with_parent()
    settings = _settings(host=host, port=port, data_dir=data_dir, role=role)
    from server.app.serve import serve as run

    try:
        run(settings)
    except SettingsError as error:
        _refuse(str(error))
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


@app.command()
def migrate(data_dir: DataDir = None) -> None:
    """Bring the database to the newest schema; a newer one is left as it is."""
    settings = _settings(data_dir=data_dir)
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    from server.app.logs import configure_logs
    from server.platform.migrate import upgrade

    configure_logs(settings.log_level)
    upgrade(settings.effective_database_url, pooler=settings.database_pooler)
    print("the schema is current")


@app.command()
def seed(
    data_dir: DataDir = None,
    number: Annotated[
        int, typer.Option("--seed", help="The same number gives the same market.")
    ] = 1,
    scale: Annotated[ScaleName, typer.Option(help="How much there is in it.")] = ScaleName.LARGE,
    progress: Annotated[
        ProgressStyle, typer.Option(help="A bar on stderr, or a JSON object a line on stdout.")
    ] = ProgressStyle.BAR,
    exit_with_parent: WithParent = False,
) -> None:
    """Fill an empty market with people, things and talk to try it with."""
    if exit_with_parent:
        end_with_parent()
    settings = _settings(data_dir=data_dir)
    if settings.environment is Environment.PRODUCTION:
        _refuse("a market in production is not filled with made-up people")
    from server.app.demo.casting import SCALES
    from server.app.demo.seed import fill
    from server.app.demo.visitor import SeedingFailed
    from server.app.logs import configure_logs
    from server.platform.clock import SystemClock

    configure_logs("WARNING")
    as_json = progress is ProgressStyle.JSON
    report = _print_progress if as_json else _draw_progress
    size, present = SCALES[scale], SystemClock().now()
    try:
        seeded = asyncio.run(fill(settings, seed=number, scale=size, end=present, report=report))
    except SeedingFailed as error:
        _refuse(f"the market was not filled; it must be empty before. {error}", code=1)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    if as_json:
        print(json.dumps({"handle": seeded.handle, "password": seeded.password}), flush=True)
    else:
        print(f"sign in as {seeded.handle} with the password: {seeded.password}")


def _print_progress(done: int, total: int, label: str) -> None:
    print(json.dumps({"done": done, "total": total, "label": label}), flush=True)


def _draw_progress(done: int, total: int, label: str) -> None:
    if not sys.stderr.isatty():
        return
    filled = "━" * (_BAR_CELLS * done // total)
    end = "\n" if done == total else ""
    line = f"\r{filled:─<{_BAR_CELLS}} {done:>5} of {total} {label:<20}"
    print(line, end=end, file=sys.stderr, flush=True)


@app.command()
def doctor(
    host: Host = None, port: Port = None, data_dir: DataDir = None, role: RoleOption = None
) -> None:
    """Say where each setting comes from and whether all that is needed can be used."""
    from server.app.doctor import examine

    flags = {"host": host, "port": port, "data_dir": data_dir, "role": role}
    well = True
    for line in examine(flags):
        print(line.text)
        well = well and line.well
    raise typer.Exit(0 if well else 1)


@app.command()
def openapi() -> None:
    """Print the HTTP contract as JSON."""
    import tempfile

    from server.app.asgi import create_app
    from server.app.container import build_context

    with tempfile.TemporaryDirectory() as scratch:
        settings = Settings(data_dir=Path(scratch))
        context = build_context(settings, base_url="http://127.0.0.1")
        print(json.dumps(create_app(context, settings).openapi(), indent=2, sort_keys=True))


def main() -> None:
    """Entry point of ``picky-server``."""
    app()
