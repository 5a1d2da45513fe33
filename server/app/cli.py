"""The commands of ``picky-server``."""

import asyncio
import json
import os
import sys
from collections.abc import Coroutine, Iterator, Mapping, Set
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar
from uuid import UUID

import typer

from server.app.parent import end_with_parent
from server.app.roles import Role
from server.app.settings import (
    FLEET_NEEDS,
    MIGRATIONS_NEED,
    Environment,
    GivenSettings,
    Settings,
    SettingsError,
    load_settings,
)

app = typer.Typer(
    name="picky-server",
    help="The market's server. With no settings at all: SQLite and an embedded object store.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

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


def _settings(needs: tuple[str, ...] = FLEET_NEEDS, **flags: object) -> Settings:
    try:
        return load_settings(needs=needs, **flags)
    except SettingsError as error:
        _refuse(str(error))


@contextmanager
def _refusing_when_it_fails() -> Iterator[None]:
    """Exit code 1 when the database is away, overrun or damaged, with what it is."""
    from server.platform.failures import DATABASE_FAILURES, why_unavailable

    try:
        yield
    except DATABASE_FAILURES as error:
        if (reason := why_unavailable(error)) is None:
            raise
        _refuse(reason, code=1)


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
    from server.platform.migrate import HalfRestored, MigrationBlocked

    try:
        run(settings)
    except (SettingsError, HalfRestored, MigrationBlocked) as error:
        _refuse(str(error))
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


@app.command()
def health(
    host: Host = None,
    port: Port = None,
    started: Annotated[
        bool, typer.Option("--started", help="Whether it has been ready since it began.")
    ] = False,
) -> None:
    """Ask the server on this machine whether it is alive; exits with 1 if not. For containers.

    It is asked where the settings have it listen; flags of `serve` are to be given here too.
    """
    from server.app.health_check import problem

    settings = _settings(host=host, port=port)
    if refusal := problem(settings.host, settings.port, started=started):
        _refuse(refusal, code=1)


@app.command()
def migrate(data_dir: DataDir = None) -> None:
    """Bring the database to the newest schema; a newer one is left as it is."""
    settings = _settings(MIGRATIONS_NEED, data_dir=data_dir)
    from server.app.logs import configure_logs
    from server.platform.migrate import HalfRestored, MigrationBlocked, upgrade

    configure_logs(settings.log_level)
    try:
        settings.make_data_dir()
        with _refusing_when_it_fails():
            upgrade(settings.effective_database_url, pooler=settings.database_pooler)
    except (SettingsError, HalfRestored) as error:
        _refuse(str(error))
    except MigrationBlocked as error:
        _refuse(str(error), code=1)
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
    from server.app.demo.telling import draw_progress, print_progress
    from server.app.demo.visitor import SeedingFailed
    from server.app.logs import configure_logs
    from server.platform.clock import SystemClock

    configure_logs("WARNING")
    as_json = progress is ProgressStyle.JSON
    report = print_progress if as_json else draw_progress
    size, present = SCALES[scale], SystemClock().now()
    try:
        with _refusing_when_it_fails():
            run = fill(settings, seed=number, scale=size, end=present, report=report)
            seeded = asyncio.run(run)
    except SettingsError as error:
        _refuse(str(error))
    except SeedingFailed as error:
        _refuse(f"the market was not filled; it must be empty before. {error}", code=1)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    if as_json:
        print(json.dumps({"handle": seeded.handle, "password": seeded.password}), flush=True)
    else:
        print(f"sign in as {seeded.handle} with the password: {seeded.password}")


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
        settings = GivenSettings(data_dir=Path(scratch))
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
    for address in server or ():
        _check_address(address)
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


def _check_address(address: str) -> None:
    from server.app.top.reading import NoAddress, metrics_address

    try:
        metrics_address(address)
    except NoAddress as error:
        _refuse(str(error))


def _run(command: Coroutine[None, None, Result]) -> Result:
    """Run one of the commands that look after a market; exit code 1 when it is refused."""
    from server.app.logs import configure_logs
    from server.app.maintenance.opening import Refused

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
    from server.app.maintenance.backup import back_up, left_behind

    for left in left_behind(to):
        told = f"{left} is of a backup that is under way or was killed; if it was, remove it"
        print(f"picky-server: {told}", file=sys.stderr)
    made = _run(back_up(settings, to))
    held = made.manifest
    print(
        f"{to} holds {sum(held.rows.values())} rows of {held.made_at:%Y-%m-%d %H:%M:%S} UTC and "
        f"{held.objects} objects"
    )
    for key in made.missing:
        print(f"picky-server: the object store has no {key}", file=sys.stderr)
    if settings.secret_key is None:
        secret = settings.secret_path
        print(f"{secret} is not in it: keep it apart, or everybody signs in again", file=sys.stderr)


@app.command()
def restore(
    source: Annotated[Path, typer.Option("--from", help="The folder of a backup.")],
    data_dir: DataDir = None,
) -> None:
    """Make a market of a backup, where there is none; stop the servers before."""
    settings = _settings(data_dir=data_dir)
    from server.app.maintenance.restore import restore as run

    held = _run(run(settings, source))
    print(f"restored {sum(held.rows.values())} rows and {held.objects} objects; start the servers")


@app.command("new-epoch")
def new_epoch(data_dir: DataDir = None) -> None:
    """Have all clients start anew, after a database was restored by other means."""
    settings = _settings(MIGRATIONS_NEED, data_dir=data_dir)
    from server.app.maintenance.restore import renew_epochs

    print(f"{_run(renew_epochs(settings))} streams have a new epoch")


jobs_app = typer.Typer(add_completion=False, rich_markup_mode=None)
app.add_typer(jobs_app, name="jobs")


@jobs_app.callback(invoke_without_command=True)
def jobs(
    context: typer.Context,
    dead: Annotated[bool, typer.Option("--dead", help="Only those that were given up.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line.")] = False,
    limit: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="The most that are listed.")
    ] = 100,
    data_dir: DataDir = None,
) -> None:
    """List the jobs that are dead, unknown, retried, running or due; or try or forget some."""
    if context.invoked_subcommand is not None:
        return
    settings = _settings(data_dir=data_dir)
    from server.app.maintenance import jobs as maintenance_jobs

    found = _run(maintenance_jobs.list_jobs(settings, only_dead=dead, limit=limit))
    for line in map(maintenance_jobs.as_json, found) if as_json else maintenance_jobs.table(found):
        print(line)


Ids = Annotated[list[UUID] | None, typer.Argument(help="Which jobs.", metavar="ID...")]
AllDead = Annotated[bool, typer.Option("--all", help="All that are dead.")]


def _named(ids: list[UUID] | None, every: bool) -> list[UUID] | None:
    """These jobs, or None for all that are dead."""
    if bool(ids) == every:
        _refuse("name the jobs, or --all")
    return None if every else ids


def _print_and_exit(outcomes: Mapping[UUID, str], well: Set[str]) -> NoReturn:
    """Print what became of each job; exit code 1 unless it is well with all of them."""
    for id_, outcome in outcomes.items():
        print(f"{id_} {outcome}")
    raise typer.Exit(int(not well >= set(outcomes.values())))


@jobs_app.command("retry")
def retry(ids: Ids = None, every: AllDead = False, data_dir: DataDir = None) -> None:
    """Let a worker take jobs again that failed or were given up; exit code 1 unless it may all.

    Of all that are dead it need not take those whose work a newer one does.
    """
    named = _named(ids, every)
    settings = _settings(data_dir=data_dir)
    from server.app.maintenance.jobs import retry_jobs
    from server.platform.job_admin import Retry

    well = {Retry.RETRIED, Retry.SUPERSEDED} if every else {Retry.RETRIED}
    _print_and_exit(_run(retry_jobs(settings, named)), well)


@jobs_app.command("forget")
def forget(ids: Ids = None, every: AllDead = False, data_dir: DataDir = None) -> None:
    """Delete jobs that are dead, or of a kind that nobody runs; what they were to do is not done.

    Exit code 1 unless all were deleted.
    """
    named = _named(ids, every)
    settings = _settings(data_dir=data_dir)
    from server.app.maintenance.jobs import forget_jobs
    from server.platform.job_admin import Forgetting

    _print_and_exit(_run(forget_jobs(settings, named)), {Forgetting.FORGOTTEN})


def main() -> None:
    """Entry point of ``picky-server``. What it writes is for its owner only, wherever it is."""
    os.umask(0o077)
    app()
