"""Starting a command imports only what it needs; a heavy import costs every call of it."""

import json
import subprocess
import sys

import pytest

from tests.house.sources import ROOT, python_files

SERVER_ONLY = {"alembic", "asyncpg", "boto3", "fastapi", "server", "sqlalchemy", "uvicorn"}
IMPORT_ALL = "import importlib, json, sys; [importlib.import_module(name) for name in sys.argv[1:]]"
PRINT_PACKAGES = "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"


def packages_after_importing(*modules: str) -> set[str]:
    """Return the top-level packages that a fresh interpreter holds after importing the modules."""
    code = f"{IMPORT_ALL}; {PRINT_PACKAGES}"
    run = subprocess.run(
        [sys.executable, "-c", code, *modules], check=True, cwd=ROOT, stdout=subprocess.PIPE
    )
    return set(json.loads(run.stdout))


def modules_below(folder: str) -> list[str]:
    """Return the names of all modules in a folder."""
    files = [name.removesuffix(".py").replace("/", ".") for name in python_files(folder)]
    assert files, f"{folder} holds no modules"
    return [name.removesuffix(".__init__") for name in files]


@pytest.mark.parametrize("folder", ["client_tui/core", "client_tui/commands"])
def test_the_headless_client_imports_neither_textual_nor_the_server(folder: str) -> None:
    held = packages_after_importing(*modules_below(folder))
    assert held.isdisjoint({"textual", "textual_image", "keyring"} | SERVER_ONLY)


def test_the_command_imports_textual_only_when_the_app_runs() -> None:
    held = packages_after_importing("client_tui.__main__")
    assert held.isdisjoint({"textual", "keyring"} | SERVER_ONLY)


def test_the_app_imports_nothing_of_the_server() -> None:
    assert packages_after_importing("client_tui.app").isdisjoint(SERVER_ONLY)


def test_the_wire_imports_nothing_but_pydantic() -> None:
    held = packages_after_importing(*modules_below("shared_models"))
    assert held.isdisjoint({"httpx", "textual", "client_tui"} | SERVER_ONLY)


def test_a_heavy_import_is_seen() -> None:
    assert {"sqlalchemy", "server"} <= packages_after_importing("server.platform.database")
