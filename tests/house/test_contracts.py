"""The import contracts of pyproject.toml hold for the rooms, and each of them can be broken."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOMAINS = ("media", "accounts", "listings", "chat", "trades", "notifications")
FILES = ("api", "events", "tables", "repository", "service", "routes", "jobs")


@pytest.fixture
def rooms(tmp_path: Path) -> Path:
    """Rooms as the real ones are laid out, with this project's contracts and no code."""
    names = [
        "shared_models",
        "client_tui.core.outbox",
        "client_tui.commands.chat",
        "client_tui.app",
        "server.__main__",
        "server.app.asgi",
        "server.realtime.writer",
        "server.platform.http",
        "server.platform.database",
        *(f"server.{domain}.{file}" for domain in DOMAINS for file in FILES),
    ]
    for name in names:
        write(tmp_path, name, "")
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    return tmp_path


def write(root: Path, module: str, code: str) -> None:
    """Write a module, and make each of its parents a package."""
    *parents, name = module.split(".")
    folder = root
    for parent in parents:
        folder /= parent
        folder.mkdir(exist_ok=True)
        (folder / "__init__.py").touch()
    if parents:
        (folder / f"{name}.py").write_text(code)
    else:
        (root / name).mkdir(exist_ok=True)
        (root / name / "__init__.py").write_text(code)


def broken_contracts(root: Path) -> set[str]:
    lint = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        check=False,
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root), "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    assert "Contracts:" in lint.stdout, lint.stdout + lint.stderr
    lines = lint.stdout.splitlines()
    return {line.removesuffix(" BROKEN") for line in lines if line.endswith(" BROKEN")}


def test_what_the_architecture_allows_breaks_no_contract(rooms: Path) -> None:
    write(rooms, "shared_models", "import pydantic")
    write(rooms, "server.chat.service", "from server.listings import api, events")
    write(rooms, "server.chat.repository", "import sqlalchemy\nfrom server.chat import tables")
    write(rooms, "server.app.asgi", "import fastapi\nfrom server.chat import jobs, routes")
    write(rooms, "server.chat.routes", "import fastapi\nfrom server.chat import service")
    write(rooms, "server.realtime.writer", "import starlette\nimport server.chat.api")
    write(rooms, "client_tui.app", "import textual\nimport client_tui.core.outbox")
    assert broken_contracts(rooms) == set()


CLIENT_AND_SERVER = "Client and server meet only in shared_models"
FLOORS = "Each floor of the server knows only the floors below"
FACADES = "A domain is reached through its api and events; only app takes its routes and jobs"
HTTP = "HTTP stays in routes, app, realtime and the platform's HTTP files"
SQL = "SQL stays in tables, repositories and the platform"
SEEN = "Traces are exported from two files, and only top has a screen"
NO_TEXTUAL = "core and commands start without Textual"


@pytest.mark.parametrize(
    ("module", "code", "contract"),
    [
        ("client_tui.app", "import server.chat.api", CLIENT_AND_SERVER),
        ("server.app.asgi", "import client_tui.app", CLIENT_AND_SERVER),
        ("shared_models", "import server", CLIENT_AND_SERVER),
        ("shared_models", "import httpx", "shared_models does no input or output"),
        ("server.platform.database", "import server.media.api", FLOORS),
        ("server.listings.service", "import server.chat.api", FLOORS),
        ("server.chat.service", "import server.realtime.writer", FLOORS),
        ("server.new_room.things", "", FLOORS),
        ("server.chat.service", "import server.listings.service", FACADES),
        ("server.trades.repository", "import server.listings.tables", FACADES),
        ("server.realtime.writer", "import server.chat.routes", FACADES),
        ("server.app.asgi", "import server.chat.service", FACADES),
        ("server.chat.service", "import fastapi", HTTP),
        ("server.platform.database", "import starlette", HTTP),
        ("server.chat.service", "import sqlalchemy", SQL),
        ("server.app.asgi", "import asyncpg", SQL),
        ("server.chat.service", "import opentelemetry", SEEN),
        ("server.app.cli", "def top():\n    import textual", SEEN),
        ("client_tui.core.outbox", "import client_tui.app", NO_TEXTUAL),
        ("client_tui.commands.chat", "def run():\n    import textual", NO_TEXTUAL),
    ],
)
def test_an_import_across_the_house_breaks_its_contract(
    rooms: Path, module: str, code: str, contract: str
) -> None:
    write(rooms, "client_tui.app", "import textual")
    write(rooms, module, code)
    assert contract in broken_contracts(rooms)
