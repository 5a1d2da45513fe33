"""Who signs out is told what stays behind: what was not sent, and a server that was not told."""

from pathlib import Path
from typing import Any

import pytest
from textual.widgets import OptionList, Static

import client_tui.app
from client_tui.app import PickyApp
from client_tui.core.errors import StorageFailed, Unauthenticated
from client_tui.core.paths import Paths
from client_tui.screens.confirm import ConfirmScreen
from client_tui.screens.welcome import WelcomeScreen
from tests.client.app.test_without_a_server import GONE, Shown, market
from tests.snapshots import scene

STAYS = "messages were not sent. They stay on this machine, for when @jun signs in here again."


async def ask(shown: Shown) -> str:
    """Choose it among the settings; what is asked."""
    shown.app.go_to("profile")
    await shown.until(lambda: shown.app.screen.query("#settings"))
    settings = shown.app.screen.query_one("#settings", OptionList)
    settings.highlighted = settings.get_option_index("sign_out")
    settings.action_select()
    await shown.until(lambda: isinstance(shown.app.screen, ConfirmScreen))
    return "\n".join(str(text.render()) for text in shown.app.screen.query(Static))


def answer(shown: Shown, error: Exception | None) -> None:
    async def end_session(*_: Any) -> None:
        if error is not None:
            raise error

    shown.link.moving.end_session = end_session  # type: ignore[attr-defined]


async def test_what_was_not_sent_is_named_and_what_becomes_of_it(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        assert "not sent" not in await ask(shown)
        await shown.pilot.press("n")
        for text in "one", "two":
            await shown.link.send_message(scene.ROOM, text)
        assert f"2 {STAYS}" in await ask(shown)


async def test_who_cannot_read_the_queue_may_sign_out_all_the_same(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:

        async def fail() -> None:
            raise StorageFailed("The disk is broken.")

        shown.link.outbox.waiting = fail  # type: ignore[method-assign, assignment]
        asked = await ask(shown)
        assert "Whether anything was not sent is not known: The disk is broken." in asked


@pytest.mark.parametrize("error", [None, Unauthenticated(401, "x", "It had ended.")])
async def test_a_server_that_knows_needs_no_word(tmp_path: Path, error: Exception | None) -> None:
    async with market(tmp_path) as shown:
        answer(shown, error)
        await ask(shown)
        await shown.pilot.press("y")
        await shown.until(lambda: shown.app.return_value == "again")
        assert shown.app.parting == ""


async def test_a_server_that_was_not_told_is_named_and_the_messages_stay(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        sent = await shown.link.send_message(scene.ROOM, "one")
        file = shown.link.outbox._database.path
        answer(shown, GONE)
        await ask(shown)
        await shown.pilot.press("y")
        await shown.until(lambda: shown.app.return_value == "again")
        assert str(GONE) in shown.app.parting
        assert file.exists()
        assert str(sent.cid).encode() in file.read_bytes()


def test_what_there_is_to_know_is_on_the_next_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[str] = []

    def run(app: PickyApp) -> str | None:
        app.parting = "The server was not told."
        if isinstance(app._opening, WelcomeScreen):
            notes.append(app._opening._note)
        return None if notes else "again"

    monkeypatch.setattr(PickyApp, "run", run)
    client_tui.app.run(Paths(tmp_path / "config", tmp_path / "data", tmp_path / "cache"))
    assert notes == ["The server was not told."]
