import asyncio
import uuid
from pathlib import Path
from typing import Any

from client_tui.core.credentials import CredentialStore
from client_tui.core.paths import Paths
from client_tui.link import Link
from shared_models.accounts import Session, SignedIn, SignUp
from tests.client.commands.conftest import Table, Terminal
from tests.snapshots import scene

SECRET = "correct horse"


def signed_in() -> Any:
    session = Session(
        id=uuid.UUID(int=7), device="x", created_at=scene.NOW, last_seen_at=scene.NOW, current=True
    )
    answer = SignedIn(token="token", session=session, account=scene.ACCOUNT)
    return answer.model_dump(mode="json")


def test_app_and_commands_sign_in_as_the_same_device_and_keep_the_same(
    terminal: Terminal, table: Table, home: Path
) -> None:
    table.answers = {
        "POST /v1/accounts": (201, signed_in()),
        "POST /v1/sessions": (201, signed_in()),
    }
    paths = Paths.find()

    def kept() -> tuple[str, str]:
        credentials = CredentialStore(paths).load()
        assert credentials is not None
        CredentialStore(paths).clear()
        return credentials.handle, credentials.server

    who = ("--server", table.url, "--handle", "jun", "--password-stdin")
    for command in "signup", "login":
        terminal.run(command, *who, stdin=f"{SECRET}\n")
        assert kept() == ("jun", table.url)
    link = Link(paths)
    form = SignUp(handle="jun", password=SECRET, display_name="Jun")
    asyncio.run(link.sign_up(table.url, form))
    assert kept() == ("jun", table.url)
    asyncio.run(link.sign_in(table.url, "jun", SECRET))
    assert kept() == ("jun", table.url)
    devices = {body["device"] for body in table.bodies}
    assert len(table.bodies) == 4
    assert len(devices) == 1
    assert next(iter(devices)).startswith("picky on ")
