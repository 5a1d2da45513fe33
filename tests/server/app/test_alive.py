"""A container's health check: whether the server beside it is alive."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from server.app.cli import app
from tests.servers.lifetime import Lifetime
from tests.servers.picky import start_picky
from tests.servers.valkey import Valkey


def asked(port: int) -> tuple[int, str]:
    run = CliRunner().invoke(app, ["health", "--port", str(port)])
    return run.exit_code, run.output


def test_a_server_is_alive_until_it_has_ended(
    private_lifetime: Lifetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PICKY_DATA_DIR", str(tmp_path))
    server = start_picky(private_lifetime)
    assert asked(server.port) == (0, "")
    server.kill()
    told = f"picky-server: nothing alive answers on port {server.port}\n"
    assert asked(server.port) == (1, told)


def test_something_else_that_listens_is_no_server(
    valkey: Valkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PICKY_DATA_DIR", str(tmp_path))
    assert asked(valkey.port)[0] == 1
