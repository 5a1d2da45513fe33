"""How the line is can be seen wherever one is, also behind a dialog."""

from pathlib import Path

import pytest

from client_tui.core.status import LineState, Status
from client_tui.screens.base import PickyScreen
from client_tui.widgets.top_bar import TopBar
from tests.client.app.chat_room import Chat, open_chat
from tests.client.app.room_server import RoomServer, talk_of


def status(chat: Chat) -> str:
    """The status cell of the screen that is seen, perhaps behind a dialog."""
    seen = next(one for one in reversed(chat.app.screen_stack) if isinstance(one, PickyScreen))
    return str(seen.query_one(TopBar).query_one("#top-status").render())


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (Status(LineState.CONNECTING), "◌ connecting"),
        (Status(LineState.ONLINE), "● online"),
        (Status(LineState.RECONNECTING, 4.0, "gone"), "◌ reconnecting · gone · retry in 4 s"),
        (Status(LineState.OFFLINE, 0.0, "gone"), "◌ offline · gone · retrying"),
        (Status(LineState.OFFLINE, None, "too many devices"), "◌ offline · too many devices"),
    ],
)
@pytest.mark.parametrize("keys", [[], ["X"], ["question_mark"], ["ctrl+t"], ["D"]], ids=str)
async def test_the_line_and_what_is_done_about_it_are_seen(
    tmp_path: Path, state: Status, told: str, keys: list[str]
) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        await chat.press(*keys)
        chat.link.status_changed(state)
        await chat.until(lambda: told in status(chat))


@pytest.mark.parametrize(("width", "told"), [(60, False), (80, True), (120, True)])
async def test_why_the_line_is_gone_is_told_where_the_title_keeps_its_room(
    tmp_path: Path, width: int, told: bool
) -> None:
    reason = "the server does not answer"
    async with open_chat(tmp_path, RoomServer(talk_of(3)), size=(width, 24)) as chat:
        chat.link.status_changed(Status(LineState.OFFLINE, 4.0, reason))
        await chat.until(lambda: "retry in 4 s" in status(chat))
        assert (f"offline · {reason} · retry in 4 s" in status(chat)) is told
        title = str(chat.screen.query_one("#top-title").render())
        assert title.startswith("‹ Oak dining")


@pytest.mark.parametrize("width", [24, 30, 36, 60])
async def test_a_title_that_is_cut_has_one_ellipsis(tmp_path: Path, width: int) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3)), size=(width, 24)) as chat:
        chat.link.store.state.unread_notifications = 20
        chat.screen.redraw_bars()
        await chat.until(lambda: "! 20" in status(chat))
        title = str(chat.screen.query_one("#top-title").render())
        assert title.startswith("‹ Oak")
        assert title.count("…") <= 1


async def test_a_server_that_owes_an_answer_is_not_called_online(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        chat.line.ok_gate.clear()
        await chat.write("are you there?")
        await chat.until(lambda: "● online · 1 queued" in status(chat))
        chat.line.silent_s = 5.0
        chat.app._tick()
        assert "● online · 1 queued" in status(chat)
        chat.line.silent_s = 8.2
        chat.app._tick()
        await chat.until(lambda: "◌ no answer for 8 s · 1 queued" in status(chat))
        chat.line.silent_s = 0.0
        chat.line.ok_gate.set()
        await chat.until(lambda: status(chat).strip() == "● online")
