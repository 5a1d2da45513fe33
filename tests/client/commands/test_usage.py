import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import typer

from client_tui.commands.demo import Scale, demo
from client_tui.commands.running import run_app
from client_tui.core.paths import Paths
from shared_models.chat import MessagePage
from tests.client.commands.conftest import Table, Terminal
from tests.client.core.fakes import ME, ROOM, account

PICKY = Path(sys.executable).with_name("picky")
OFFER = UUID(int=42)
SERVER = "http://127.0.0.1:1"


COMMANDS = """
signup login logout whoami search show sell chats open history send trades trade offer demo
trade+reserve trade+confirm trade+undo trade+cancel trade+problem trade+ship trade+review
offer+accept offer+decline offer+withdraw offer+counter
"""


@pytest.mark.parametrize("command", COMMANDS.split())
def test_every_command_of_the_contract_is_there(terminal: Terminal, command: str) -> None:
    shown = terminal.run(*command.split("+"), "--help").stdout
    assert shown.startswith(f"Usage: picky {command.replace('+', ' ')} ")


@pytest.mark.parametrize(
    "command",
    [
        (),
        ("frobnicate",),
        ("show",),
        ("show", "not-an-id"),
        ("search", "--limit", "0"),
        ("search", "--min-price", "cheap"),
        ("offer", str(ROOM)),
        ("offer", str(ROOM), "-5"),
        ("trade", "cancel", str(ROOM)),
        ("send", str(ROOM)),
        ("send", str(ROOM), "   "),
        ("send", str(ROOM), "\u200b\u2060"),
        ("demo", "--scale", "huge"),
        ("login", "--handle", "me", "--password-stdin"),
        ("login", "--server", "http://market.example", "--handle", "me", "--password-stdin"),
        ("login", "--server", SERVER, "--password-stdin"),
        ("login", "--server", SERVER, "--handle", "me"),
    ],
)
def test_what_cannot_mean_anything_is_a_usage_error(home: Path, command: tuple[str, ...]) -> None:
    result = Terminal(Table()).run(*command, code=2)
    assert result.stdout == ""
    assert result.stderr


@pytest.mark.parametrize(
    "command", [("whoami",), ("search",), ("chats",), ("send", str(ROOM), "hi"), ("trades",)]
)
def test_without_an_account_commands_say_how_to_get_one(
    home: Path, command: tuple[str, ...]
) -> None:
    assert "picky login" in Terminal(Table()).run(*command, code=3).stderr


@pytest.mark.parametrize(
    ("command", "closed", "code"),
    [
        (f"history {ROOM}", ">&-", 0),
        (f"history {ROOM}", "<&- >&- 2>&-", 0),
        (f"send {ROOM}", "<&-", 2),
        ("whoami", "2>&-", 4),
        (f"login --server {SERVER} --handle me", "<&-", 2),
        (f"login --server {SERVER} --handle me --password-stdin", "<&-", 7),
        ("", ">&-", 2),
    ],
)
def test_closed_streams_are_no_terminal_and_no_failure(
    terminal: Terminal, command: str, closed: str, code: int
) -> None:
    page = MessagePage(
        items=[],
        first_seq=None,
        last_seq=None,
        has_more_before=False,
        has_more_after=False,
        profiles={},
    )
    messages = f"GET /v1/chatrooms/{ROOM}/messages"
    terminal.table.answers[messages] = (200, page.model_dump(mode="json"))
    line = f"{PICKY} {command} {closed}"
    result = subprocess.run(["sh", "-c", line], capture_output=True, text=True)
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    assert "NoneType" not in result.stderr


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
@pytest.mark.parametrize(
    ("command", "stdin", "what"),
    [
        (["send", str(ROOM)], b"\xff\xfe bad", "the message"),
        (["send", str(ROOM), b"\xff bad"], b"", "the message"),
        (
            ["login", "--server", SERVER, "--handle", "me", "--password-stdin"],
            b"\xff",
            "the password",
        ),
    ],
)
def test_what_is_no_text_is_refused_in_words(
    terminal: Terminal, locale: str, command: list[str | bytes], stdin: bytes, what: str
) -> None:
    environment = os.environ | {"LC_ALL": locale}
    result = subprocess.run([PICKY, *command], input=stdin, capture_output=True, env=environment)
    said = f"picky: {what} is not valid UTF-8 text\n"
    assert (result.returncode, result.stderr.decode()) == (5, said)
    assert terminal.table.asked == []


def test_settings_that_cannot_be_read_are_said_before_the_app_starts(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = Paths.find().config_file
    config.parent.mkdir(parents=True)
    config.write_text("theme = \n")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with pytest.raises(typer.Exit) as ended:
        run_app()
    assert ended.value.exit_code == 1
    assert f"picky: {config} is not valid TOML" in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["stdin", "stdout"])
def test_the_demo_needs_a_terminal_on_both_sides(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], missing: str
) -> None:
    monkeypatch.setattr("client_tui.demo.run", lambda **_: pytest.fail("it was started"))
    for name in ("stdin", "stdout"):
        there = name != missing
        monkeypatch.setattr(getattr(sys, name), "isatty", lambda there=there: there)
    with pytest.raises(typer.Exit) as ended:
        demo(seed=1, scale=Scale.SMALL)
    assert ended.value.exit_code == 2
    assert "needs a terminal" in capsys.readouterr().err


def test_a_server_that_is_not_there_is_said(home: Path) -> None:
    options = ("--server", SERVER, "--handle", "me", "--password-stdin")
    result = Terminal(Table()).run("login", *options, stdin="secret secret\n", code=7)
    assert "was not reached" in result.stderr


def test_what_is_no_command_of_offer_is_the_room_of_a_new_one(terminal: Terminal) -> None:
    terminal.run("offer", ROOM, 5, code=4)
    terminal.run("offer", "accept", OFFER, code=4)
    terminal.run("offer", "counter", OFFER, 7, code=4)
    assert terminal.table.asked == [
        f"POST /v1/chatrooms/{ROOM}/offers",
        f"POST /v1/offers/{OFFER}/accept",
        f"POST /v1/offers/{OFFER}/counter",
    ]


def let_in(table: Table) -> dict[str, Any]:
    """A server that knows the account, which is returned."""
    session = {
        "id": str(ME),
        "device": None,
        "created_at": "2026-11-19T14:02:00.000000Z",
        "last_seen_at": "2026-11-19T14:02:00.000000Z",
        "current": True,
    }
    me = account().model_dump(mode="json")
    signed_in = {"token": "the-secret-token", "session": session, "account": me}
    table.answers |= {
        "POST /v1/sessions": (201, signed_in),
        "GET /v1/me": (200, me),
        "DELETE /v1/sessions/current": (204, None),
    }
    return me


def test_settings_that_cannot_be_read_keep_nobody_from_signing_in(table: Table, home: Path) -> None:
    let_in(table)
    config = Paths.find().config_file
    config.parent.mkdir(parents=True)
    config.write_text("theme = \n")
    options = ("--server", table.url, "--handle", "me", "--password-stdin")
    result = Terminal(table).run("login", *options, stdin="secret secret\n")
    assert f"{config} is not valid TOML" in result.stderr
    assert "Signed in as" in result.stderr
    assert config.read_text() == "theme = \n"


def test_signing_in_and_out(table: Table, home: Path) -> None:
    me = let_in(table)
    terminal = Terminal(table)
    options = ("--server", table.url, "--handle", "me", "--password-stdin")
    result = terminal.run("login", *options, "--json", stdin="secret secret\n")
    assert json.loads(result.stdout) == me
    assert "the-secret-token" not in result.output
    assert Paths.find().account_file.stat().st_mode & 0o777 == 0o600
    assert json.loads(terminal.run("whoami", "--json").stdout)["handle"] == "me"
    terminal.run("logout")
    assert table.asked[-1] == "DELETE /v1/sessions/current"
    terminal.run("whoami", code=3)


def test_signing_out_forgets_the_token_even_when_the_server_is_away(
    terminal: Terminal, home: Path
) -> None:
    account_file = Paths.find().account_file
    known = json.loads(account_file.read_text())
    account_file.write_text(json.dumps(known | {"server": SERVER}))
    result = terminal.run("logout")
    assert "could not be ended" in result.stderr
    assert not account_file.exists()


def python(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PICKY_HOME": str(home), "PICKY_CREDENTIALS": "file"}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env=environment
    )


@pytest.mark.parametrize(
    "module",
    [
        path.relative_to(root).with_suffix("").as_posix().replace("/", ".")
        for root in [Path(__file__).parents[3]]
        for room in ("core", "commands")
        for path in (root / "client_tui" / room).rglob("*.py")
        if path.name != "__init__.py"
    ],
)
def test_neither_core_nor_commands_know_textual_or_the_server(module: str) -> None:
    source = (Path(__file__).parents[3] / module.replace(".", "/")).with_suffix(".py").read_text()
    imports = [line.strip() for line in source.splitlines() if "import" in line]
    assert not [line for line in imports if line.split()[1:2] == ["textual"]]
    assert not [line for line in imports if line.startswith(("from server", "import server"))]


def test_a_command_starts_without_what_only_the_app_needs(home: Path) -> None:
    code = (
        "import sys; sys.argv = ['picky', 'search', '--json']\n"
        "from client_tui.__main__ import main\n"
        "try: main()\n"
        "except SystemExit as end: print(end.code)\n"
        "print([name for name in ('textual', 'keyring', 'websockets', 'sqlalchemy', 'pygments')"
        " if name in sys.modules])\n"
    )
    assert python("-c", code, home=home).stdout.splitlines() == ["3", "[]"]


def test_the_program_itself_ends_with_the_exit_code(home: Path) -> None:
    environment = os.environ | {"PICKY_HOME": str(home), "PICKY_CREDENTIALS": "file"}
    codes = [
        subprocess.run([PICKY, *command], capture_output=True, env=environment).returncode
        for command in (["--help"], ["whoami"], ["frobnicate"])
    ]
    assert codes == [0, 3, 2]
    as_module = python("-m", "client_tui", "whoami", home=home)
    assert as_module.returncode == 3
