"""What stands on the screen in one order never stands there in another; nothing read moves."""

import asyncio
from pathlib import Path

import pytest

from client_tui.core.errors import Disconnected
from tests.client.app.chat_room import Chat, open_chat
from tests.client.app.room_server import RoomServer, talk_of

MINE = ("one", "two", "three")


def order(chat: Chat) -> list[str]:
    """What was said here, from the top; whatever is said of its state."""
    said = [*MINE, "theirs"]
    return [text for row in chat.rows() for text in said if f" {text} " in f"{row} "]


@pytest.mark.parametrize("first", ["ok", "event"])
async def test_rows_stay_in_order_whichever_comes_first(tmp_path: Path, first: str) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        if first == "ok":
            chat.line.hold_events = True
        else:
            chat.line.ok_gate.clear()
        for text in MINE:
            await chat.write(text)
        await chat.until(lambda: order(chat) == list(MINE))
        await chat.until(lambda: chat.server.asked("send"))
        before = order(chat)
        if first == "event":
            await chat.until(lambda: "sent ✓" in chat.row(" one"))
            assert order(chat) == before
            chat.line.ok_gate.set()
        else:
            await chat.until(lambda: len(chat.line.held) == 3)
            assert order(chat) == before
            for stored in chat.line.held:
                chat.link.event(stored)
                await chat.pilot.pause()
                assert order(chat) == before
        await chat.until(lambda: "sent ✓" in chat.row(" three"))
        await chat.until(lambda: not any(chat.screen.conversation.all_waiting()))
        assert order(chat) == before
        chat.link.peer_reads(6)
        await chat.until(lambda: "read" in chat.row(" three"))
        assert order(chat) == before


async def test_what_the_other_side_says_between_event_and_ok_stands_below(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        chat.line.ok_gate.clear()
        await chat.write("one")
        await chat.until(lambda: "sent ✓" in chat.row(" one"))
        chat.link.says("theirs")
        await chat.until(lambda: order(chat) == ["one", "theirs"])
        chat.line.ok_gate.set()
        await chat.until(lambda: not any(chat.screen.conversation.all_waiting()))
        await chat.pilot.pause()
        assert order(chat) == ["one", "theirs"]


async def test_an_event_whose_ok_is_lost_is_sent_and_shown_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        send = chat.line.send

        async def cut_off(*args: object, **fields: object) -> object:
            await send(*args, **fields)  # type: ignore[arg-type]
            raise Disconnected

        monkeypatch.setattr(chat.line, "send", cut_off)
        await chat.write("one")
        await chat.until(lambda: "sent ✓" in chat.row(" one"))
        assert order(chat) == ["one"]


async def test_a_gap_that_is_filled_below_moves_nothing_above_it(tmp_path: Path) -> None:
    server = RoomServer(talk_of(2_000))
    async with open_chat(tmp_path, server) as chat:
        await chat.press("home")
        await chat.until_shown("the chat begins here")
        server.gate.clear()
        chat.screen.history.jump_to_bottom()
        row = await chat.until_shown("newer message")
        before = chat.rows()
        window = chat.screen.conversation.window
        server.gate.set()
        await chat.until(lambda: chat.screen.conversation.window.stop > window.stop)
        await chat.pilot.pause()
        at = before.index(row)
        assert chat.rows()[:at] == before[:at]
        assert not chat.row("newer message")


async def test_both_gaps_about_a_day_are_filled_and_the_row_under_the_eye_stays(
    tmp_path: Path,
) -> None:
    server = RoomServer(talk_of(2_000))
    async with open_chat(tmp_path, server) as chat:
        await chat.screen._go_to(1_000, "center")
        await chat.pilot.pause()
        server.gate.clear()
        both = [asyncio.create_task(chat.screen._load(end)) for end in chat.screen.pages.ends]
        await chat.pilot.pause()
        before, window = chat.rows(), chat.screen.conversation.window
        server.gate.set()
        await asyncio.gather(*both)
        await chat.pilot.pause()
        assert chat.screen.conversation.window.start < window.start
        assert chat.screen.conversation.window.stop > window.stop
        assert chat.rows() == before
