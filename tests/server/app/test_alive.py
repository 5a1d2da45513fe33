"""A container's health check: whether the server beside it is alive."""

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner

from server.app.cli import app
from tests.servers.lifetime import Lifetime
from tests.servers.picky import start_picky


def nothing_on(port: int) -> tuple[int, str]:
    return 1, f"picky-server: nothing alive answers on port {port}\n"


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
    assert asked(server.port) == nothing_on(server.port)


def greet(listener: socket.socket) -> None:
    line, _ = listener.accept()
    with line:
        line.recv(4096)
        line.sendall(b"SSH-2.0-something else\r\n")


def test_something_else_that_listens_is_no_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PICKY_DATA_DIR", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as thread:
        greeted = thread.submit(greet, listener)
        port = listener.getsockname()[1]
        assert asked(port) == nothing_on(port)
        greeted.result()
