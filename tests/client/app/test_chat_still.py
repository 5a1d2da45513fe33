"""What one reads in a chat stays under the eye, whatever comes above and below."""

from pathlib import Path

from client_tui.core.errors import ServerUnreachable
from client_tui.store import Reset
from tests.client.app.chat_room import Chat, open_chat
from tests.client.app.room_server import RoomServer, talk_of
from tests.client.app.test_chat_reading import pages_asked


def place(chat: Chat, text: str) -> int:
    """On which row of the view a text is."""
    rows = [y for y, row in enumerate(chat.rows()) if f"{text} " in f"{row} "]
    return rows[0] if rows else -1


async def asks_for_older(chat: Chat, *, rows: int) -> None:
    """Go to the top, so many rows below its first, while the server takes its time."""
    chat.server.gate.clear()
    asked = len(pages_asked(chat))
    chat.screen.history.focus()
    chat.screen.history.jump_to_top()
    chat.screen.history.scroll_rows(rows)
    await chat.until(lambda: len(pages_asked(chat)) > asked)


async def test_an_older_page_comes_above_a_reader_at_the_very_top(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(400))) as chat:
        await asks_for_older(chat, rows=0)
        await chat.until_shown("loading older")
        before = place(chat, "word 352")
        chat.server.gate.set()
        await chat.until(lambda: chat.screen.conversation.window.start < 351)
        assert place(chat, "word 352") == before
        assert chat.row("word 350")


async def test_a_reader_at_the_very_top_gets_one_page_not_the_whole_room(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(2_000))) as chat:
        await asks_for_older(chat, rows=0)
        chat.server.gate.set()
        await chat.until(lambda: chat.screen.conversation.window.start < 1951)
        for _ in range(20):
            await chat.pilot.pause()
        assert chat.screen.history.visible_keys[0] > 1900
        assert len(pages_asked(chat)) <= 3


async def test_the_view_stays_when_it_is_read_again_at_the_very_top(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(400))) as chat:
        await asks_for_older(chat, rows=0)
        await chat.until_shown("loading older")
        before = place(chat, "word 352")
        await chat.pilot.press("ctrl+r")
        chat.server.gate.set()
        await chat.until(lambda: chat.screen.conversation.window.start < 351)
        assert place(chat, "word 352") == before


async def test_the_row_under_the_eye_stays_when_the_first_message_loses_its_day(
    tmp_path: Path,
) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(300))) as chat:
        await asks_for_older(chat, rows=1)
        await chat.until(lambda: "Today" in chat.rows()[0])
        before = chat.rows()
        chat.server.gate.set()
        await chat.until(lambda: chat.screen.conversation.window.start < 251)
        assert "word 250" in chat.rows()[0]
        assert chat.rows()[1:] == before[1:]


async def reads_to_what_is_missing(chat: Chat) -> None:
    """Go to the row for newer messages, of which one page is missing, while the server waits."""
    await chat.screen._go_to(270, "center")
    chat.server.gate.clear()
    asked = len(pages_asked(chat))
    chat.screen.history.jump_to_bottom()
    await chat.until(lambda: len(pages_asked(chat)) > asked)
    await chat.until_shown("81 newer messages")


async def test_the_last_page_comes_below_a_reader_at_what_is_missing(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(400), read_seq=100, unread=150)) as chat:
        await reads_to_what_is_missing(chat)
        before, marks = place(chat, "word 318"), list(chat.line.marks)
        chat.link.says("the newest")
        chat.server.gate.set()
        await chat.until(lambda: chat.screen.conversation.at_newest)
        await chat.pilot.pause()
        assert place(chat, "word 318") == before
        assert chat.row("word 320")
        assert chat.line.marks == marks, "nobody has seen the newest"


async def test_a_reader_at_what_is_missing_gets_what_is_about_it_again(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(330))) as chat:
        await chat.screen._go_to(230, "center")
        chat.server.gate.clear()
        chat.screen.history.jump_to_bottom()
        await chat.until_shown("51 newer messages")
        before = place(chat, "word 275")
        page = chat.screen.history.visible_keys[0]
        chat.link.store.publish(Reset())
        await chat.until(lambda: (None, None, page, 100) in pages_asked(chat))
        chat.server.gate.set()
        await chat.until(lambda: chat.screen.conversation.window.stop > 280)
        await chat.pilot.pause()
        assert place(chat, "word 275") == before


async def test_who_has_gone_up_to_what_is_above_keeps_it_when_copies_give_way(
    tmp_path: Path,
) -> None:
    log = talk_of(400)
    server = RoomServer(log)
    server.refusal = ServerUnreachable("http://server", "refused")
    async with open_chat(tmp_path, server, online=False, loaded=False, copies=log[:200]) as chat:
        await chat.until_shown("word 200")
        await chat.press("pageup", "pageup")
        before = place(chat, "word 165")
        server.refusal = None
        chat.link.connect()
        await chat.until(lambda: chat.screen.loaded)
        await chat.pilot.pause()
        assert place(chat, "word 165") == before
        assert 166 in chat.screen.conversation.window


async def test_who_has_read_on_when_all_is_read_again_is_not_called_back(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(330))) as chat:
        await chat.screen._go_to(200, "center")
        await chat.screen._go_to(160, "center")
        chat.server.gate.clear()
        asked = len(pages_asked(chat))
        chat.link.store.publish(Reset())
        await chat.until(lambda: len(pages_asked(chat)) > asked)
        await chat.screen._go_to(240, "center")
        before = place(chat, "word 240")
        chat.server.gate.set()
        await chat.until(lambda: chat.screen.conversation.window.start > 160)
        await chat.pilot.pause()
        assert place(chat, "word 240") == before
