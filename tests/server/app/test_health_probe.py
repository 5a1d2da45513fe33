"""A container's health check: whether the server beside it is alive."""

import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner

from server.app.cli import app
from server.app.health_check import where_told
from tests.deploy.test_dockerfile import environment, final
from tests.servers.lifetime import Lifetime
from tests.servers.picky import start_picky


def nothing_on(port: int) -> tuple[int, str]:
    return 1, f"picky-server: nothing alive answers on 127.0.0.1, port {port}\n"


def asked(port: int, *flags: str) -> tuple[int, str]:
    run = CliRunner().invoke(app, ["health", "--port", str(port), *flags])
    return run.exit_code, run.output


def test_a_server_is_alive_until_it_has_ended(
    private_lifetime: Lifetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PICKY_DATA_DIR", str(tmp_path))
    server = start_picky(private_lifetime)
    assert asked(server.port) == (0, "")
    assert asked(server.port, "--started") == (0, "")
    server.kill()
    assert asked(server.port) == nothing_on(server.port)


@pytest.mark.parametrize("host", ["127.0.0.2", "0.0.0.0"])
def test_it_is_asked_where_it_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("PICKY_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PICKY_HOST", host)
    with socket.create_server((host, 0)) as listener, ThreadPoolExecutor(1) as thread:
        answered = thread.submit(answer, listener)
        assert asked(listener.getsockname()[1]) == (0, "")
        answered.result()


def answer(listener: socket.socket) -> bytes:
    line, _ = listener.accept()
    with line:
        asked = line.recv(4096)
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    return asked


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


IMPORTED = """
import sys
from server.__main__ import main
try:
    main()
finally:
    print(*{"pydantic", "typer"} & set(sys.modules))
"""


def run_as_a_container_does(port: int, *flags: str) -> tuple[int, str, str]:
    """The exit code, what was complained of, and which of the large packages were imported."""
    run = subprocess.run(
        [sys.executable, "-c", IMPORTED, "health", *flags],
        env=os.environ | {"PICKY_HOST": "127.0.0.1", "PICKY_PORT": str(port)},
        capture_output=True,
        text=True,
    )
    return run.returncode, run.stderr, run.stdout.strip()


@pytest.mark.parametrize("flags", [(), ("--started",)])
def test_a_container_is_asked_without_what_takes_long_to_import(flags: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as thread:
        answered = thread.submit(answer, listener)
        port = listener.getsockname()[1]
        assert run_as_a_container_does(port, *flags) == (0, "", "")
        path = "/startedz" if flags else "/healthz"
        assert answered.result().startswith(f"GET {path} ".encode())


def test_a_container_is_told_the_same_as_everybody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    code, told, imported = run_as_a_container_does(port)
    assert (code, told) == nothing_on(port)
    assert imported == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["serve"], {}),
        (["health", "--port", "9000"], {}),
        (["health", "--help"], {}),
        (["health"], {"picky_port": "9000"}),
        (["health"], {"PICKY_PORT": "high"}),
        (["health"], {"PICKY_PORT": "65536"}),
        (["health"], {"PICKY_HOST": ""}),
        (["health"], {"PICKY_HOST": None}),
    ],
)
def test_what_is_not_said_by_the_two_variables_alone_is_read_as_ever(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: dict[str, str | None]
) -> None:
    for name, value in ({"PICKY_HOST": "0.0.0.0", "PICKY_PORT": "8470"} | said).items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert where_told(arguments) is None


def test_the_image_says_where_its_server_listens() -> None:
    assert {"PICKY_HOST", "PICKY_PORT"} <= set(environment())
    _, _, command = final("HEALTHCHECK")[0].partition(" CMD ")
    assert json.loads(command)[0] == "picky-server"
    assert json.loads(command)[1:] in (["health"], ["health", "--started"])
