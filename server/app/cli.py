"""``picky-server``: serve, migrate, seed, openapi, doctor."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from server.app.settings import Role, Settings, SettingsError, load_settings

app = typer.Typer(
    name="picky-server",
    help="The market's server. With no settings at all: SQLite and an embedded object store.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Where the local data lives.", show_default=False)
]


def _settings(**flags: object) -> Settings:
    try:
        return load_settings(**flags)
    except SettingsError as error:
        print(f"picky-server: {error}", file=sys.stderr)
        raise typer.Exit(2) from error


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes a free one.")] = None,
    data_dir: DataDir = None,
    role: Annotated[Role | None, typer.Option(help="What this process does.")] = None,
) -> None:
    """Run the server; prints `listening on http://H:P` when it is ready."""
    settings = _settings(host=host, port=port, data_dir=data_dir, role=role)
    from server.app.serve import serve as run

    try:
        run(settings)
    except SettingsError as error:
        print(f"picky-server: {error}", file=sys.stderr)
        raise typer.Exit(2) from error
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


@app.command()
def migrate(data_dir: DataDir = None) -> None:
    """Bring the database to the newest schema."""
    settings = _settings(data_dir=data_dir)
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    from server.platform.migrate import upgrade

    upgrade(settings.effective_database_url)
    print("the schema is current")


@app.command()
def openapi() -> None:
    """Print the HTTP contract as JSON."""
    import tempfile

    from server.app.asgi import create_app
    from server.app.container import build_context

    with tempfile.TemporaryDirectory() as scratch:
        settings = Settings(data_dir=Path(scratch), database_url="sqlite:///:memory:")
        context = build_context(settings, base_url="http://127.0.0.1")
        print(json.dumps(create_app(context, settings).openapi(), indent=2, sort_keys=True))


def main() -> None:
    """Entry point of ``picky-server``."""
    app()
