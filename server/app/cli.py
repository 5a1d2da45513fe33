"""The commands of ``picky-server``."""

import asyncio
import json
import sys
from collections.abc import Coroutine
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar
from uuid import UUID

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

Result = TypeVar("Result")

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
    from server.platform.migrate import HalfRestored

    try:
        run(settings)
    except (SettingsError, HalfRestored) as error:
        _refuse(str(error))
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


@app.command()
def health(port: Port = None) -> None:
    """Ask the server on this machine whether it is alive; exits with 1 if not. For containers."""
    from server.app.alive import answers

    settings = _settings(port=port)
    if not answers(settings.port):
        _refuse(f"nothing alive answers on port {settings.port}", code=1)


@app.command()
def migrate(data_dir: DataDir = None) -> None:
    """Bring the database to the newest schema; a newer one is left as it is."""
    settings = _settings(data_dir=data_dir)
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    from server.app.logs import configure_logs
    from server.platform.database import DATABASE_FAILURES, why_unavailable
    from server.platform.migrate import HalfRestored, upgrade

    configure_logs(settings.log_level)
    try:
        upgrade(settings.effective_database_url, pooler=settings.database_pooler)
    except HalfRestored as error:
        _refuse(str(error))
    except DATABASE_FAILURES as error:
        if (reason := why_unavailable(error)) is None:
            raise
        _refuse(reason, code=1)
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
        settings = Settings(
            data_dir=Path(scratch),
            role=Role.ALL,
            database_url=None,
            bus_url=None,
            object_store_url=None,
            otlp_endpoint=None,
        )
        context = build_context(settings, base_url="http://127.0.0.1")
        print(json.dumps(create_app(context, settings).openapi(), indent=2, sort_keys=True))


@app.command()
def top(
    server: Annotated[
        list[str] | None,
        typer.Option(help="Address of a server, or of its metrics; may be repeated."),
    ] = None,
) -> None:
    """Show what servers do; without --server, the local one."""
    if not sys.stdout.isatty():
        _refuse("top needs a terminal; scripts read /metrics")
    if not server:
        settings = _settings()
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        server = [f"{host}:{settings.port}"]
    if sys.modules.get("rich", sys) is None:  # hidden by the command's start; a screen needs it
        del sys.modules["rich"]
    try:
        from server.app.top.screen import watch
    except ImportError:
        _refuse("this build has no screens: use an installed `picky-server top --server ADDRESS`")

    watch(server)


def _kept(command: Coroutine[None, None, Result]) -> Result:
    """Run one of the commands that look after a market; exit code 1 when it is refused."""
    from server.app.kept.opening import Refused
    from server.app.logs import configure_logs

    configure_logs("WARNING")
    try:
        return asyncio.run(command)
    except Refused as error:
        _refuse(str(error), code=1)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


@app.command()
def backup(
    to: Annotated[Path, typer.Option("--to", help="A new folder for the backup.")],
    data_dir: DataDir = None,
) -> None:
    """Copy the database and all objects to a folder; servers may run meanwhile."""
    settings = _settings(data_dir=data_dir)
    from server.app.kept.backup import back_up

    made = _kept(back_up(settings, to))
    held = made.manifest
    print(
        f"{to} holds {sum(held.rows.values())} rows of {held.made_at:%Y-%m-%d %H:%M:%S} UTC and "
        f"{held.objects} objects"
    )
    for key in made.missing:
        print(f"picky-server: the object store has no {key}", file=sys.stderr)
    if settings.secret_key is None:
        secret = settings.data_dir / "secret.key"
        print(f"{secret} is not in it: keep it apart, or everybody signs in again", file=sys.stderr)


@app.command()
def restore(
    source: Annotated[Path, typer.Option("--from", help="The folder of a backup.")],
    data_dir: DataDir = None,
) -> None:
    """Make a market of a backup, where there is none; stop the servers before."""
    settings = _settings(data_dir=data_dir)
    from server.app.kept.restore import restore as run

    held = _kept(run(settings, source))
    print(f"restored {sum(held.rows.values())} rows and {held.objects} objects; start the servers")


@app.command("new-epoch")
def new_epoch(data_dir: DataDir = None) -> None:
    """Have all clients start anew, after a database was restored by other means."""
    settings = _settings(data_dir=data_dir)
    from server.app.kept.restore import renew_epochs

    print(f"{_kept(renew_epochs(settings))} streams have a new epoch")


jobs_app = typer.Typer(add_completion=False, rich_markup_mode=None)
app.add_typer(jobs_app, name="jobs")


@jobs_app.callback(invoke_without_command=True)
def jobs(
    context: typer.Context,
    dead: Annotated[bool, typer.Option("--dead", help="Only those that were given up.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="The most that are listed.")] = 100,
    data_dir: DataDir = None,
) -> None:
    """List the jobs that are dead, retried, running or due; or try some again."""
    if context.invoked_subcommand is not None:
        return
    settings = _settings(data_dir=data_dir)
    from server.app.kept import jobs as kept

    found = _kept(kept.list_jobs(settings, only_dead=dead, limit=limit))
    for line in map(kept.as_json, found) if as_json else kept.table(found):
        print(line)


@jobs_app.command("retry")
def retry(
    ids: Annotated[list[UUID] | None, typer.Argument(help="Which jobs.", metavar="ID...")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that are dead.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Let a worker take jobs again that failed or were given up; exit code 1 unless it may all."""
    if bool(ids) == every:
        _refuse("name the jobs to retry, or --all")
    settings = _settings(data_dir=data_dir)
    from server.app.kept.jobs import retry_jobs
    from server.platform.job_desk import Retry

    outcomes = _kept(retry_jobs(settings, None if every else ids))
    for id_, outcome in outcomes.items():
        print(f"{id_} {outcome}")
    raise typer.Exit(int(any(outcome is not Retry.RETRIED for outcome in outcomes.values())))


def main() -> None:
    """Entry point of ``picky-server``."""
    app()
