from pathlib import Path

from client_tui.core.errors import ServerUnreachable
from client_tui.core.status import LineState, Status
from client_tui.widgets.history import KEPT
from tests.client.app.chat_room import open_chat
from tests.client.app.room_server import RoomServer, talk_of
from tests.client.app.test_chat_reading import pages_asked


async def test_offline_all_copies_can_be_read_and_where_they_end_is_a_row_with_a_key(
    tmp_path: Path,
) -> None:
    server = RoomServer(talk_of(300))
    server.refusal = ServerUnreachable("http://server", "refused")
    copies = server.log[100:]
    async with open_chat(tmp_path, server, copies=copies, online=False, loaded=False) as chat:
        await chat.until_shown("word 300")
        for _ in range(40):
            await chat.press("pageup")
        await chat.until(lambda: chat.screen.conversation.window == range(101, 301))
        await chat.press("pageup")
        assert "refused" in await chat.until_shown("r retry")
        assert chat.row("word 101")


async def test_newer_copies_are_read_before_the_server_is_asked(tmp_path: Path) -> None:
    server = RoomServer(talk_of(KEPT + 600))
    async with open_chat(tmp_path, server) as chat:
        await chat.press("home")
        await chat.until_shown("the chat begins here")
        await chat.link.cache.save_messages(server.log[100:260])
        server.calls.clear()
        while chat.screen.conversation.window.stop < 250:
            await chat.press("pagedown")
        assert not pages_asked(chat)


async def test_a_room_that_was_never_read_has_one_row_and_its_key(tmp_path: Path) -> None:
    server = RoomServer(talk_of(30))
    server.refusal = ServerUnreachable("http://server", "refused")
    async with open_chat(tmp_path, server, online=False, loaded=False) as chat:
        note = chat.screen.query_one("#chat-note")
        await chat.until(lambda: "refused" in str(note.render()))
        await chat.write("hello")
        await chat.until_shown("hello")
        assert chat.toasts() == []
        told = [row.strip() for row in chat.rows() if row.strip()]
        assert told[0] == "the messages are not here yet   ctrl+r tries again"
        assert "newer message" not in " ".join(told)
        server.refusal = None
        await chat.pilot.press("ctrl+r")
        await chat.until_shown("word 30")


async def test_while_the_server_hangs_an_offline_chat_says_so_and_its_key(tmp_path: Path) -> None:
    server = RoomServer(talk_of(30))
    server.gate.clear()
    async with open_chat(tmp_path, server, loaded=False) as chat:
        note = chat.screen.query_one("#chat-note")
        await chat.until(lambda: "One moment" in str(note.render()))
        chat.link.status_changed(Status(LineState.OFFLINE, 4.0, "the server was not reached"))
        await chat.until(lambda: "ctrl+r tries again" in str(note.render()))
        assert "the server was not reached" in str(note.render())
        server.gate.set()


async def test_memory_does_not_grow_with_what_comes(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(60))) as chat:
        for number in range(KEPT + 300):
            chat.link.says(f"m{number}")
            if number % 100 == 0:
                await chat.pilot.pause()
        await chat.until_shown(f"m{KEPT + 299}")
        assert len(chat.screen.conversation.window) <= KEPT + 200


async def test_offline_jumps_lead_through_the_copies(tmp_path: Path) -> None:
    server = RoomServer(talk_of(300), read_seq=150, unread=150)
    server.refusal = ServerUnreachable("http://server", "refused")
    copies = server.log
    async with open_chat(tmp_path, server, copies=copies, online=False, loaded=False) as chat:
        await chat.until_shown("word 300")
        await chat.press("home")
        await chat.until_shown("the chat begins here")
        assert chat.row("word 1")
        await chat.press("u")
        await chat.until_shown("150 unread")
        await chat.press("G")
        await chat.until(lambda: "word 300" in chat.rows()[-1])
        assert chat.toasts() == []


async def test_offline_a_jump_beyond_the_copies_says_why_it_leads_nowhere(tmp_path: Path) -> None:
    server = RoomServer(talk_of(300))
    server.refusal = ServerUnreachable("http://server", "refused")
    copies = server.log[200:]
    async with open_chat(tmp_path, server, copies=copies, online=False, loaded=False) as chat:
        await chat.until_shown("word 300")
        await chat.press("home")
        await chat.until(lambda: any("refused" in told for told in chat.toasts()))
        assert chat.row("word 300")
