"""What is asked and drawn does not depend on how much was said in a room."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from client_tui.widgets.history import KEPT
from tests.client.app.chat_room import Chat, open_chat
from tests.client.app.long_talk import LongTalk
from tests.client.app.room_server import RoomServer
from tests.client.core.fakes import START

MILLION = 1_000_000
SIZES = (5_000, MILLION)


class Cost:
    """Pages that were asked for and messages that were drawn for one step."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._drawn = 0
        rows = chat.screen.history._rendered.renderer
        draw = rows.render

        def counted(key: int, width: int) -> object:
            self._drawn += 1
            return draw(key, width)

        rows.render = counted  # type: ignore[method-assign, assignment]

    async def of(self, step: Callable[[], Awaitable[None]]) -> tuple[int, int]:
        pages, drawn = len(self._chat.server.asked("messages")), self._drawn
        await step()
        return len(self._chat.server.asked("messages")) - pages, self._drawn - drawn


async def steps(directory: Path, size: int) -> dict[str, tuple[int, int]]:
    server = RoomServer(LongTalk(size), read_seq=size - 400, unread=200)
    day = (START - timedelta(minutes=size // 2)).astimezone()
    async with open_chat(directory, server, size=(80, 24)) as chat:
        costs = {"open": (len(server.asked("messages")), 0)}
        cost = Cost(chat)

        async def first() -> None:
            await chat.press("home")
            await chat.until_shown("word 1")

        async def to_day() -> None:
            await chat.screen.go_to_day(f"{day:%Y-%m-%d}")
            await chat.pilot.pause()

        async def unread() -> None:
            await chat.press("u")
            await chat.until_shown("200 unread")

        async def newest() -> None:
            await chat.press("G")
            await chat.until_shown(f"word {size}")

        async def page_up() -> None:
            await chat.press("pageup")

        for step in (first, to_day, unread, newest, page_up):
            costs[step.__name__] = await cost.of(step)
        assert len(chat.screen.conversation.window) <= KEPT + 100
        return costs


@pytest.mark.timeout(120)
async def test_opening_jumps_and_pages_cost_the_same_in_a_room_of_any_size(tmp_path: Path) -> None:
    small, big = [await steps(tmp_path / str(size), size) for size in SIZES]
    for name, (pages, drawn) in big.items():
        assert pages <= max(small[name][0], 6), name
        assert drawn <= 2 * max(small[name][1], 24), name


@pytest.mark.timeout(120)
async def test_paging_through_thousands_keeps_as_many_rows_as_it_may(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(LongTalk(MILLION))) as chat:
        conversation, history = chat.screen.conversation, chat.screen.history
        while conversation.window.start > MILLION - 3 * KEPT:
            start = conversation.window.start
            history.jump_to_top()
            await chat.until(lambda start=start: conversation.window.start < start)  # type: ignore[misc]
            assert len(conversation.window) <= KEPT + 100
            assert len(history._heights) <= KEPT + 102
            assert len(history._rendered._strips) <= KEPT
