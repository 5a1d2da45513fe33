"""Where the line has ended for good: why, and what one can do."""

from pathlib import Path

from textual.widgets import Static

from client_tui.core.status import LineState, Status
from client_tui.screens.browse import BrowseScreen
from client_tui.screens.welcome import WelcomeScreen
from client_tui.widgets.top_bar import TopBar
from tests.client.app.test_without_a_server import Shown, market

FULL = Status(LineState.OFFLINE, None, "too many devices of this account are connected")
OUT = Status(LineState.SIGNED_OUT, None, "you were signed out")


def status(shown: Shown) -> str:
    return shown.app.screen.query_one(TopBar).status.plain


async def test_a_line_that_does_not_come_back_says_why_and_can_be_tried_again(
    tmp_path: Path,
) -> None:
    async with market(tmp_path) as shown:
        retried: list[str] = []
        shown.link.retry = lambda: retried.append("link")  # type: ignore[method-assign]
        shown.link.status_changed(FULL)
        await shown.until(lambda: f"offline · {FULL.reason}" in status(shown))
        await shown.until(lambda: "ctrl+r try again" in shown.footer)
        await shown.pilot.press("ctrl+r")
        assert retried == ["link"]
        shown.link.find()
        await shown.until(lambda: "online" in status(shown) and "try again" not in shown.footer)


async def test_who_is_signed_out_is_asked_to_sign_in_and_told_why(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        shown.link.status_changed(OUT)
        await shown.until(lambda: isinstance(shown.app.screen, WelcomeScreen))
        await shown.pilot.pause()
        note = shown.app.screen.query_one("#welcome-note", Static)
        assert str(note.render()).startswith("You were signed out. Sign in to go on")
        shown.link.status_changed(OUT)
        await shown.pilot.press("escape")
        await shown.until(lambda: isinstance(shown.app.screen, BrowseScreen))
        await shown.until(lambda: "ctrl+r sign in" in shown.footer)
        await shown.pilot.press("ctrl+r")
        await shown.until(lambda: isinstance(shown.app.screen, WelcomeScreen))
        shown.app.enter()
        await shown.pilot.pause()
        assert shown.app.return_value == "again", "whoever it is now, the app begins anew"
