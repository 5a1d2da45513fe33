"""Jumps in a chat: of two the later one counts, whichever answer comes first."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

from client_tui.core.errors import ServerUnreachable
from shared_models.chat import MessagePage
from tests.client.app.chat_room import Chat, open_chat
from tests.client.app.room_server import RoomServer, talk_of


class SlowServer(RoomServer):
    """Keeps back the pages around some messages, until told."""

    def __init__(self, count: int) -> None:
        super().__init__(talk_of(count))
        self.held: dict[int, asyncio.Event] = {}

    async def messages(self, room_id: UUID, **wanted: Any) -> MessagePage:
        page = await super().messages(room_id, **wanted)
        if (held := self.held.get(wanted.get("around") or 0)) is not None:
            await held.wait()
        return page


async def has_asked(chat: Chat, seq: int) -> None:
    """Wait until a page around a message was asked for."""
    await chat.until(lambda: any(asked[2] == seq for asked in chat.server.asked("messages")))


async def test_a_jump_that_was_overtaken_moves_nothing(tmp_path: Path) -> None:
    server = SlowServer(2_000)
    server.held[1_000] = asyncio.Event()
    async with open_chat(tmp_path, server) as chat:
        late = asyncio.create_task(chat.screen._go_to(1_000, "center"))
        await has_asked(chat, 1_000)
        await chat.screen._go_to(500, "center")
        before = chat.rows()
        server.held[1_000].set()
        assert not await late
        await chat.pilot.pause()
        assert chat.rows() == before
        assert chat.screen.history.cursor == 500


async def test_a_jump_within_what_is_here_overtakes_one_that_asks_the_server(
    tmp_path: Path,
) -> None:
    server = SlowServer(2_000)
    server.held[1_000] = asyncio.Event()
    async with open_chat(tmp_path, server) as chat:
        chat.screen.show_hits([1_990, 1_000], 1_990)
        await chat.until(lambda: chat.screen.history.cursor == 1_990)
        await chat.press("n")
        await has_asked(chat, 1_000)
        await chat.press("b")
        before = chat.rows()
        server.held[1_000].set()
        for _ in range(5):
            await chat.pilot.pause()
        assert chat.rows() == before
        assert chat.screen.history.cursor == 1_990


async def test_home_that_was_overtaken_by_end_leads_nowhere(tmp_path: Path) -> None:
    server = SlowServer(2_000)
    server.held[1] = asyncio.Event()
    async with open_chat(tmp_path, server) as chat:
        first = asyncio.create_task(chat.screen._go_to_first())
        await has_asked(chat, 1)
        await chat.screen._go_to(500, "center")
        await chat.screen.go_to_newest()
        server.held[1].set()
        await first
        await chat.pilot.pause()
        assert "word 2000" in chat.rows()[-1]


async def test_a_hit_is_gone_to_when_the_server_answers_at_last(tmp_path: Path) -> None:
    server = RoomServer(talk_of(600))
    server.refusal = ServerUnreachable("http://server", "refused")
    copies = server.log[500:]
    async with open_chat(tmp_path, server, copies=copies, online=False, loaded=False) as chat:
        await chat.until_shown("word 600")
        chat.screen.show_hits([100], 100)
        server.refusal = None
        chat.link.connect()
        await chat.until_shown("word 100")
        assert chat.screen.history.cursor == 100


async def test_a_hit_does_not_call_back_who_has_gone_elsewhere_since(tmp_path: Path) -> None:
    server = RoomServer(talk_of(600))
    server.refusal = ServerUnreachable("http://server", "refused")
    async with open_chat(tmp_path, server, copies=server.log, online=False, loaded=False) as chat:
        await chat.until_shown("word 600")
        chat.screen.show_hits([100], 100)
        await chat.until_shown("word 100")
        await chat.press("home")
        await chat.until_shown("the chat begins here")
        server.refusal = None
        chat.link.connect()
        await chat.until(lambda: chat.screen.loaded)
        await chat.pilot.pause()
        assert chat.row("the chat begins here")


async def test_a_jump_goes_on_when_the_line_comes_back_meanwhile(tmp_path: Path) -> None:
    server = SlowServer(2_000)
    server.held[1_000] = asyncio.Event()
    async with open_chat(tmp_path, server) as chat:
        jump = asyncio.create_task(chat.screen._go_to(1_000, "center"))
        await has_asked(chat, 1_000)
        await chat.screen.ask_server()
        server.held[1_000].set()
        assert await jump
        await chat.until_shown("word 1000")
        assert chat.screen.history.cursor == 1_000
