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
        (Status(LineState.RECONNECTING, 4.0, "gone"), "◌ reconnecting · retry in 4 s"),
        (Status(LineState.OFFLINE, 0.0, "gone"), "◌ offline · retrying"),
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
