"""How many messages wait is told beside what is done with them, and also where others do it."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import pytest
from textual.command import CommandPalette

from client_tui.core.errors import StorageFailed
from client_tui.core.outbox import Outbox, OutboxMessage, OutboxState
from client_tui.link import Link
from client_tui.screens.chats import ChatsScreen
from client_tui.screens.outbox import OutboxScreen
from client_tui.widgets.virtual_list import VirtualList
from shared_models.realtime import Err
from tests.client.app.chat_room import Chat, open_chat
from tests.client.app.chat_rows import message
from tests.client.app.room_server import RoomServer, talk_of
from tests.client.app.test_chat_writing import picture
from tests.client.core.fakes import ME, ROOM


async def cannot_count(_: Link) -> None:
    raise StorageFailed("The disk is broken.")


async def test_what_is_sent_is_not_written_again_where_it_cannot_be_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3)), online=False) as chat:
        monkeypatch.setattr(Link, "recount_queue", cannot_count)
        await chat.write("only once")
        await chat.until(chat.toasts)
        assert chat.toasts() == ["The disk is broken."]
        assert chat.screen.composer.text == ""
        assert [one.text for one in await chat.link.outbox.waiting()] == ["only once"]


@pytest.mark.parametrize("do", [Link.retry_message, Link.queued_again, Link.discard_message])
async def test_what_is_done_with_a_message_is_done_where_it_cannot_be_counted(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    do: Callable[[Link, OutboxMessage], Awaitable[None]],
) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3)), online=False) as chat:
        sent = await chat.link.send_message(ROOM, "hello")
        monkeypatch.setattr(Link, "recount_queue", cannot_count)
        await do(chat.link, sent)
        await chat.until(chat.toasts)
        assert chat.toasts() == ["The disk is broken."]


def states(chat: Chat) -> list[OutboxState]:
    return [one.message.state for one in chat.screen.conversation.all_waiting()]


async def other_window(chat: Chat) -> Outbox:
    """The outbox as another window of the same account has it open."""
    return await Outbox(chat.link.paths.outbox_file(ME)).open()


async def test_what_another_window_has_sent_or_discarded_waits_here_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Link, "look_for_other_windows", lambda _: None)  # it hears of it sooner
    async with open_chat(tmp_path, RoomServer(talk_of(3)), online=False) as chat:
        sent = await chat.link.send_message(ROOM, "sent there")
        discarded = await chat.link.send_message(ROOM, "discarded there")
        await chat.until_shown("discarded there")
        other = await other_window(chat)
        await other.done(sent.cid)
        await other.discard(discarded.cid)
        await other.put(ROOM, "written there")
        await other.close()
        assert chat.link.queued_count == 2
        chat.link.event(message(4, "sent there", sender=ME, cid=sent.cid))
        await chat.until_shown("written there")
        await chat.until(lambda: not chat.row("discarded there"))
        assert chat.link.queued_count == 1
        assert chat.row("sent there").endswith("sent ✓")


async def test_what_another_window_does_is_seen_here_without_a_line(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3)), online=False) as chat:
        discarded = await chat.link.send_message(ROOM, "discarded there")
        await chat.until_shown("discarded there")
        other = await other_window(chat)
        await other.put(ROOM, "written there")
        await chat.until_shown("written there")
        await chat.until(lambda: chat.link.queued_count == 2)
        await other.discard(discarded.cid)
        await chat.until(lambda: not chat.row("discarded there"))
        await chat.until(lambda: chat.link.queued_count == 1)
        await other.close()


async def test_what_another_program_has_left_in_the_outbox_goes_from_here(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        other = await other_window(chat)
        await other.put(ROOM, "left there")
        await other.close()
        await chat.until(lambda: ("send", "left there", False) in chat.server.calls)
        await chat.until(lambda: chat.link.queued_count == 0)
        assert await chat.link.outbox.waiting() == []


async def test_the_queue_is_counted_again_when_the_line_comes(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3)), online=False) as chat:
        discarded = await chat.link.send_message(ROOM, "discarded there")
        await chat.until_shown("discarded there")
        other = await other_window(chat)
        await other.discard(discarded.cid)
        await other.close()
        chat.link.connect()
        await chat.until(lambda: chat.link.queued_count == 0)
        await chat.until(lambda: not chat.row("discarded there"))
        assert "queued" not in str(chat.screen.status_cell())


async def test_the_list_of_what_waits_hears_of_other_windows_too(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3)), online=False) as chat:
        discarded = await chat.link.send_message(ROOM, "discarded there")
        chat.app.open_outbox()
        await chat.until(lambda: isinstance(chat.app.screen, OutboxScreen))
        screen = chat.app.screen
        assert isinstance(screen, OutboxScreen)
        await chat.until(lambda: discarded.number in screen.waiting)
        other = await other_window(chat)
        await other.discard(discarded.cid)
        await other.close()
        chat.link.connect()
        await chat.until(lambda: discarded.number not in screen.waiting)


async def test_what_leaves_from_here_does_not_make_the_outbox_be_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        read: list[object] = []
        monkeypatch.setattr(Link, "read_outbox_again", read.append)
        for number in range(5):
            await chat.link.send_message(ROOM, f"hello {number}")
        await chat.until(lambda: len(chat.server.log) == 8 and not chat.link.queued_count)
        assert read == []


@pytest.mark.parametrize("photos", [[], ["one.png"]])
async def test_a_message_that_came_too_fast_can_be_edited_while_the_server_wants_to_wait(
    tmp_path: Path, photos: list[str]
) -> None:
    def too_fast(*_: object) -> Err:
        return Err(id="1", code="rate_limited", retryable=True, retry_ms=30_000, detail="Wait.")

    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        chat.line.answer = too_fast
        chat.link.uploads.go.set()
        chosen = [picture(tmp_path, name) for name in photos]
        sent = await chat.link.send_message(ROOM, "hello", chosen)
        await chat.until(lambda: chat.server.asked("send"))
        await chat.until(lambda: states(chat) == [OutboxState.QUEUED])
        chat.select(-sent.number)
        assert chat.screen.why_not("edit_message") is None
        await chat.press("e")
        await chat.until(lambda: chat.screen.editing)


@pytest.mark.parametrize("code", ["message_blocked", "confirm_needed"])
async def test_what_the_server_refuses_is_told_wherever_one_is(tmp_path: Path, code: str) -> None:
    def refuses(*_: object) -> Err:
        return Err(id="1", code=code, retryable=False, detail="No links here.")

    async with open_chat(tmp_path, RoomServer(talk_of(3)), online=False) as chat:
        chat.line.answer = refuses
        for text in "one", "two":
            await chat.link.send_message(ROOM, text)
        chat.app.switch_mode("chats")
        await chat.until(lambda: isinstance(chat.app.screen, ChatsScreen))
        assert "2 queued" in str(chat.app.status_cell())
        chat.link.connect()
        await chat.until(lambda: "● online · 2 not sent" in str(chat.app.status_cell()))
        assert chat.toasts() == ["Not sent to 민지: No links here. g o shows it."]
        rooms = chat.app.screen.query_one("#rooms", VirtualList)
        await chat.until(lambda: rooms.render_line(1).text.rstrip().endswith("2 not sent"))
        for waiting in await chat.link.outbox.waiting():
            await chat.link.discard_message(waiting)
        await chat.until(lambda: "not sent" not in rooms.render_line(1).text)
        assert "not sent" not in str(chat.app.status_cell())


async def test_in_its_chat_the_row_of_a_refused_message_says_so(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        chat.line.answer = lambda *_: Err(id="1", code="no", retryable=False, detail="Not this.")
        await chat.write("one")
        await chat.until_shown("Not this.")
        assert chat.toasts() == []


async def test_who_is_writing_is_told_a_way_to_a_refused_message_that_is_no_text(
    tmp_path: Path,
) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        chat.line.answer = lambda *_: Err(id="1", code="no", retryable=False, detail="Not this.")
        await chat.write("half a sen", send=False)
        await chat.link.send_message(UUID(int=99), "elsewhere")
        await chat.until(chat.toasts)
        assert chat.toasts() == ['Not sent: Not this. ctrl+p "Go to outbox" shows it.']
        await chat.pilot.press("ctrl+p")
        await chat.until(lambda: isinstance(chat.app.screen, CommandPalette))
        assert chat.screen.composer.text == "half a sen"
