"""Commands in this process, for somebody signed in at a server that answers from a table."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from client_tui.commands.main import app
from client_tui.core.credentials import Credentials, CredentialStore
from client_tui.core.paths import Paths
from tests.client.core.fakes import ME


@dataclass
class Table:
    """Answers by ``METHOD /path``; what is not in it is 404."""

    url: str = ""
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    before_answer: Callable[[], None] = lambda: None
    """Called in the thread of each request."""


class Terminal:
    """Somebody's terminal."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def run(self, *arguments: object, stdin: str = "", code: int = 0) -> Result:
        """Run a command; it must end with this exit code."""
        result = CliRunner().invoke(app, [str(part) for part in arguments], input=stdin)
        assert result.exit_code == code, result.output
        return result


@pytest.fixture
def table() -> Iterator[Table]:
    table = Table()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            table.bodies.append(json.loads(body) if body else None)
            asked = f"{self.command} {self.path.partition('?')[0]}"
            table.asked.append(f"{self.command} {self.path}")
            table.before_answer()
            missing = {"title": "Not found", "status": 404, "code": "x", "detail": "Not there."}
            status, body = table.answers.get(asked, (404, missing))
            content = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        table.url = f"http://127.0.0.1:{server.server_port}"
        yield table
        server.shutdown()
        thread.join()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PICKY_HOME", str(tmp_path))
    monkeypatch.setenv("PICKY_CREDENTIALS", "file")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("PICKY_SERVER", raising=False)
    return tmp_path


@pytest.fixture
def terminal(table: Table, home: Path) -> Terminal:
    CredentialStore(Paths.find()).save(Credentials(table.url, ME, "me", "token"))
    return Terminal(table)
