"""Jumps in a chat: of two the later one counts, whichever answer comes first."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from client_tui.core.errors import ServerUnreachable
from client_tui.widgets.chat_rule import ChatRule
from shared_models.chat import MessagePage
from tests.client.app.chat_room import Chat, open_chat
from tests.client.app.room_server import RoomServer, talk_of


class SlowServer(RoomServer):
    """Keeps back the pages around some messages, until told."""

    def __init__(self, count: int) -> None:
        super().__init__(talk_of(count))
        self.held: dict[int, asyncio.Event] = {}
        self.newest_held: asyncio.Event | None = None
        self.newest_fails = False

    async def messages(self, room_id: UUID, **wanted: Any) -> MessagePage:
        page = await super().messages(room_id, **wanted)
        if (held := self.held.get(wanted.get("around") or 0)) is not None:
            await held.wait()
        if not any(map(wanted.get, ("before", "after", "around"))):
            await self._newest()
        return page

    async def _newest(self) -> None:
        if self.newest_held is not None:
            await self.newest_held.wait()
        if self.newest_fails:
            raise ServerUnreachable("http://server", "it took too long to answer")


async def has_asked(chat: Chat, seq: int) -> None:
    """Wait until a page around a message was asked for."""
    await chat.until(lambda: any(asked[2] == seq for asked in chat.server.asked("messages")))


def rule(chat: Chat) -> ChatRule:
    return chat.screen.query_one(ChatRule)


async def far_up(chat: Chat, server: SlowServer) -> None:
    """Read where the chat begins; the newest page comes no more."""
    await chat.press("home")
    await chat.until_shown("the chat begins here")
    await chat.until(lambda: not chat.screen.under_way)
    server.newest_held = asyncio.Event()


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


async def test_what_is_sent_from_far_up_is_seen_before_the_server_answers(tmp_path: Path) -> None:
    server = SlowServer(1_000)
    async with open_chat(tmp_path, server) as chat:
        await far_up(chat, server)
        chat.line.ok_gate.clear()
        chat.line.hold_events = True
        await chat.write("here I am")
        await chat.until(lambda: "here I am" in chat.rows()[-1])
        assert chat.row("900 newer messages")
        await chat.until(lambda: chat.line.held)
        chat.link.event(chat.line.held[0])
        chat.line.ok_gate.set()
        await chat.until(lambda: "sent ✓" in chat.rows()[-1])
        assert "here I am" in chat.rows()[-1]
        assert chat.row("900 newer messages")
        assert server.newest_held is not None
        server.newest_held.set()
        await chat.until_shown("word 1000")
        assert "here I am" in chat.rows()[-1]
        assert chat.screen.conversation.at_newest


async def test_what_was_sent_stays_in_view_when_no_page_comes_and_is_gone_to_again(
    tmp_path: Path,
) -> None:
    server = SlowServer(1_000)
    async with open_chat(tmp_path, server) as chat:
        await far_up(chat, server)
        server.newest_held, server.newest_fails = None, True
        await chat.write("here I am")
        failed = await chat.until_shown("it took too long to answer")
        assert "r retry" in failed
        assert "here I am" in chat.rows()[-1]
        await chat.write("still here")
        await chat.until(lambda: "still here" in chat.rows()[-1])
        await chat.until(lambda: "sent ✓" in chat.rows()[-1])
        await chat.until(lambda: not chat.screen.under_way)
        assert "here I am" in chat.rows()[-2]
        chat.link.cut()
        await chat.pilot.pause()
        server.newest_fails = False
        chat.link.connect()
        await chat.until_shown("word 1000")
        assert "still here" in chat.rows()[-1]


async def test_the_retry_key_goes_to_what_was_sent(tmp_path: Path) -> None:
    server = SlowServer(1_000)
    async with open_chat(tmp_path, server) as chat:
        await far_up(chat, server)
        server.newest_held, server.newest_fails = None, True
        await chat.write("here I am")
        await chat.until_shown("it took too long to answer")
        await chat.until(lambda: not chat.screen.under_way)
        server.newest_fails = False
        await chat.press("r")
        await chat.until_shown("word 1000")
        assert "here I am" in chat.rows()[-1]


async def test_who_scrolls_while_a_jump_is_on_its_way_is_not_called_back(tmp_path: Path) -> None:
    server = SlowServer(1_000)
    async with open_chat(tmp_path, server) as chat:
        await far_up(chat, server)
        await chat.press("G")
        await chat.until(lambda: rule(chat).going == "going to the newest…")
        await chat.press("pagedown", "pagedown")
        await chat.until(lambda: not chat.screen.under_way)
        before = chat.rows()
        assert rule(chat).going == ""
        assert rule(chat).jump[0] == "↓ newest · G"
        assert server.newest_held is not None
        server.newest_held.set()
        for _ in range(5):
            await chat.pilot.pause()
        assert chat.rows() == before


@pytest.mark.parametrize("key", ["j", "pageup"])
async def test_who_scrolls_on_after_sending_is_not_called_back(tmp_path: Path, key: str) -> None:
    server = SlowServer(1_000)
    async with open_chat(tmp_path, server) as chat:
        await far_up(chat, server)
        server.newest_held, server.newest_fails = None, True
        await chat.write("here I am")
        await chat.until_shown("it took too long to answer")
        await chat.press(key)
        server.newest_fails = False
        chat.link.cut()
        await chat.pilot.pause()
        chat.link.connect()
        await chat.until(lambda: (None, 100, None, 100) in server.asked("messages"))
        await chat.until(lambda: chat.screen.conversation.window.stop > 101)
        assert chat.screen.conversation.window.start == 1


async def test_a_jump_says_where_it_goes_until_it_is_there(tmp_path: Path) -> None:
    server = SlowServer(1_000)
    server.held[1] = asyncio.Event()
    async with open_chat(tmp_path, server) as chat:
        await chat.press("home")
        await chat.until(lambda: rule(chat).going == "going to the beginning…")
        assert "going to the beginning…" in rule(chat).render_line(0).text
        server.held[1].set()
        await chat.until_shown("the chat begins here")
        await chat.until(lambda: rule(chat).going == "")
