import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from textual.widgets import Static

from client_tui.app import PickyApp
from client_tui.core.errors import ClientError, ServerFailed, TooFast, Unauthenticated
from client_tui.core.outbox import Outbox
from client_tui.screens import closed as closed_module
from client_tui.screens.browse import BrowseScreen
from client_tui.screens.chat import ChatScreen
from client_tui.screens.closed import ClosedScreen
from client_tui.screens.welcome import WelcomeScreen
from tests.client.app.chat_room import RoomApp, RoomLink
from tests.client.app.room_server import RoomServer, talk_of
from tests.client.app.test_without_a_server import GONE, MovingLink, Shown
from tests.client.core.fakes import ME

NOT_YET = ServerFailed(503, "starting", "The server is starting.")
TOO_FAST = TooFast(429, "rate_limited", "Too fast.")
SIGNED_OUT = Unauthenticated(401, "token_revoked", "This session has ended.")


class ClosedLink(MovingLink):
    """A market that does not open until the test lets it."""

    def __init__(self, home: Path, refusal: ClientError) -> None:
        super().__init__(home)
        self.refusal: ClientError | None = refusal
        self.tries = 0

    async def start(self) -> None:
        self.tries += 1
        if self.refusal is not None:
            raise self.refusal
        await super().start()


@asynccontextmanager
async def closed(home: Path, refusal: ClientError) -> AsyncIterator[tuple[Shown, ClosedLink]]:
    """A market that did not open, and that nobody but the test tries again."""
    link = ClosedLink(home, refusal)
    app = PickyApp(link)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(closed_module, "AGAIN_S", 3600.0)
        async with app.run_test(size=(80, 24), notifications=True) as pilot:
            yield Shown(app, link, pilot), link


def reason(shown: Shown) -> str:
    return str(shown.app.screen.query_one("#closed-reason", Static).visual)


@pytest.mark.parametrize("refusal", [NOT_YET, TOO_FAST, GONE])
async def test_a_market_that_does_not_open_says_why_and_is_tried_again(
    tmp_path: Path, refusal: ClientError
) -> None:
    async with closed(tmp_path, refusal) as (shown, link):
        await shown.until(lambda: isinstance(shown.app.screen, ClosedScreen))
        await shown.until(lambda: reason(shown) == str(refusal))
        assert "try again" in shown.footer
        assert "go" not in shown.footer
        await shown.pilot.press("g", "b")
        assert isinstance(shown.app.screen, ClosedScreen), "there is nothing to go to yet"
        link.refusal = TooFast(429, "rate_limited", "Slower, please.")
        await shown.pilot.press("enter")
        await shown.until(lambda: reason(shown) == "Slower, please.")
        link.refusal = None
        await shown.pilot.press("ctrl+r")
        await shown.until(lambda: isinstance(shown.app.screen, BrowseScreen))
        assert link.tries == 3


async def test_who_is_no_longer_signed_in_is_asked_to_sign_in(tmp_path: Path) -> None:
    async with closed(tmp_path, NOT_YET) as (shown, link):
        await shown.until(lambda: isinstance(shown.app.screen, ClosedScreen))
        link.refusal = SIGNED_OUT
        await shown.pilot.press("r")
        await shown.until(lambda: isinstance(shown.app.screen, WelcomeScreen))
        note = shown.app.screen.query_one("#welcome-note", Static)
        assert str(note.visual) == str(SIGNED_OUT)


async def test_one_can_sign_in_at_another_server(tmp_path: Path) -> None:
    async with closed(tmp_path, NOT_YET) as (shown, _):
        await shown.until(lambda: isinstance(shown.app.screen, ClosedScreen))
        await shown.pilot.press("s")
        await shown.until(lambda: isinstance(shown.app.screen, WelcomeScreen))


@pytest.mark.parametrize("width", [40, 80])
async def test_a_broken_outbox_says_where_it_is_and_what_to_do(tmp_path: Path, width: int) -> None:
    link = RoomLink(tmp_path, RoomServer(talk_of(3)))
    path = link.paths.outbox_file(ME)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database at all " * 100)
    app = RoomApp(link)
    async with app.run_test(size=(width, 24)) as pilot:
        shown = Shown(app, link, pilot)  # type: ignore[arg-type]
        await shown.until(lambda: app.screen.query("#closed-reason"))
        told = reason(shown)
        assert told.startswith("The outbox cannot be used: file is not a database.")
        assert str(path) in told.replace("\n", "")
        assert all(line.endswith(("/", "outbox.db")) for line in told.split("\n\n")[1].split("\n"))
        assert "Move it away, and an empty outbox is begun." in told
        status = app.screen.query_one("#top-status", Static)
        await shown.until(lambda: str(status.visual) == "○ not open")
        path.rename(path.with_suffix(".aside"))
        await pilot.press("enter")
        await shown.until(lambda: isinstance(app.screen, ChatScreen))


async def test_an_outbox_of_a_newer_picky_is_to_be_left_where_it_is(tmp_path: Path) -> None:
    link = RoomLink(tmp_path, RoomServer(talk_of(3)))
    path = link.paths.outbox_file(ME)
    await (await Outbox(path).open()).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 9")
    app = RoomApp(link)
    async with app.run_test(size=(80, 24)) as pilot:
        shown = Shown(app, link, pilot)  # type: ignore[arg-type]
        await shown.until(lambda: app.screen.query("#closed-reason"))
        told = reason(shown)
        assert told.startswith("The outbox was written by a newer version of Picky.")
        assert "Start the newer Picky again" in told
        assert "nothing is lost" in told
        assert "Move it away" not in told
