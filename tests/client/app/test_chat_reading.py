from datetime import timedelta
from pathlib import Path

from textual import events

from client_tui.core.changes import Change
from client_tui.core.errors import NotFound, ServerUnreachable
from client_tui.screens.ask import AskScreen
from client_tui.screens.base import PickyScreen
from client_tui.screens.chat import ChatScreen
from client_tui.screens.viewer import ViewerScreen
from client_tui.widgets.chat_rule import ChatRule
from client_tui.widgets.history import KEPT
from shared_models.sync import Bootstrap
from tests.client.app.chat_room import Chat, open_chat
from tests.client.app.chat_rows import message, photo
from tests.client.app.room_server import RoomServer, talk_of
from tests.client.core.fakes import ME, OTHER, ROOM, START, bootstrap, room


def pages_asked(chat: Chat) -> list[tuple[object, ...]]:
    """(before, after, around, limit) of every page that was asked for."""
    return chat.server.asked("messages")


def rule(chat: Chat) -> ChatRule:
    return chat.screen.query_one(ChatRule)


async def test_the_newest_messages_are_in_view_at_once(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(60))) as chat:
        assert "word 60" in chat.rows()[-1]
        assert pages_asked(chat)[0] == (None, None, None, 50)


async def test_copies_are_shown_while_the_server_is_asked(tmp_path: Path) -> None:
    server = RoomServer(talk_of(30))
    server.gate.clear()
    async with open_chat(tmp_path, server, copies=server.log[:25], loaded=False) as chat:
        await chat.until_shown("word 25")
        server.gate.set()
        await chat.until_shown("word 30")
        assert chat.screen.conversation.window == range(1, 31)


async def test_copies_that_do_not_reach_the_newest_give_way(tmp_path: Path) -> None:
    server = RoomServer(talk_of(200))
    async with open_chat(tmp_path, server, copies=server.log[:30]) as chat:
        assert "word 200" in chat.rows()[-1]
        assert 30 not in chat.screen.conversation.window


async def test_offline_shows_the_copies_and_no_error(tmp_path: Path) -> None:
    server = RoomServer(talk_of(20))
    server.refusal = ServerUnreachable("http://server", "refused")
    async with open_chat(tmp_path, server, copies=server.log, online=False, loaded=False) as chat:
        await chat.until_shown("word 20")
        server.refusal = None
        server.log.append(message(21, "word 21"))
        chat.link.connect()
        await chat.until_shown("word 21")


async def test_a_room_that_cannot_be_read_says_so_and_how_to_try_again(tmp_path: Path) -> None:
    server = RoomServer(talk_of(20))
    server.refusal = ServerUnreachable("http://server", "refused")
    async with open_chat(tmp_path, server, loaded=False) as chat:
        note = chat.screen.query_one("#chat-note")
        await chat.until(lambda: "ctrl+r tries again" in str(note.render()))
        server.refusal = None
        await chat.pilot.press("ctrl+r")
        await chat.until_shown("word 20")
        assert not note.display


async def test_a_room_that_is_gone_says_so(tmp_path: Path) -> None:
    server = RoomServer(talk_of(3))
    server.refusal = NotFound(404, "not_found", "There is no such chatroom.")
    async with open_chat(tmp_path, server, loaded=False) as chat:
        note = chat.screen.query_one("#chat-note")
        await chat.until(lambda: "no longer there" in str(note.render()))


async def test_older_pages_come_when_the_top_is_near_fifty_then_a_hundred(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(400))) as chat:
        for _ in range(12):
            await chat.press("pageup")
        await chat.until(lambda: len(pages_asked(chat)) >= 3)
        assert pages_asked(chat)[1] == (351, None, None, 50)
        assert pages_asked(chat)[2] == (301, None, None, 100)


async def test_what_one_reads_does_not_move_when_an_older_page_comes(tmp_path: Path) -> None:
    server = RoomServer(talk_of(300))
    async with open_chat(tmp_path, server) as chat:
        server.gate.clear()
        chat.screen.history.jump_to_top()
        chat.screen.history.scroll_rows(3)
        await chat.until(lambda: len(pages_asked(chat)) == 2)
        before = chat.rows()
        server.gate.set()
        await chat.until(lambda: chat.screen.conversation.window.start < 251)
        assert chat.rows() == before


async def test_only_one_older_page_is_asked_for_at_a_time(tmp_path: Path) -> None:
    server = RoomServer(talk_of(300))
    async with open_chat(tmp_path, server) as chat:
        server.gate.clear()
        for _ in range(5):
            chat.screen.history.jump_to_top()
            chat.screen.history.scroll_rows(3)
            await chat.pilot.pause()
        assert len(pages_asked(chat)) == 2
        server.gate.set()


async def test_an_older_page_that_fails_is_a_row_with_a_key(tmp_path: Path) -> None:
    server = RoomServer(talk_of(300))
    async with open_chat(tmp_path, server) as chat:
        server.refusal = ServerUnreachable("http://server", "timed out")
        chat.screen.history.jump_to_top()
        row = await chat.until_shown("r retry")
        assert "timed out" in row
        server.refusal = None
        await chat.press("r")
        await chat.until(lambda: chat.screen.conversation.window.start < 251)
        assert not chat.row("timed out")


async def test_the_beginning_of_the_chat_is_told(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(120))) as chat:
        await chat.press("home")
        await chat.until_shown("the chat begins here")
        assert chat.row("word 1")


async def test_memory_does_not_grow_with_the_room(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(KEPT + 600))) as chat:
        while chat.screen.conversation.window.start > 1:
            start = chat.screen.conversation.window.start
            chat.screen.history.jump_to_top()
            await chat.until(lambda start=start: chat.screen.conversation.window.start < start)  # type: ignore[misc]
        await chat.until(lambda: len(chat.screen.conversation.window) <= KEPT)
        assert not chat.screen.conversation.at_newest
        while chat.screen.conversation.window.stop <= KEPT + 600:
            stop = chat.screen.conversation.window.stop
            chat.screen.history.jump_to_bottom()
            await chat.until(lambda stop=stop: chat.screen.conversation.window.stop > stop)  # type: ignore[misc]
        assert len(chat.screen.conversation.window) <= KEPT


async def test_newer_pages_fill_what_lies_between(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(1000))) as chat:
        await chat.press("home")
        await chat.until_shown("word 1")
        window = chat.screen.conversation.window
        assert not chat.screen.conversation.at_newest
        chat.screen.history.jump_to_bottom()
        await chat.until(lambda: chat.screen.conversation.window.stop > window.stop)
        seqs = list(chat.screen.conversation.window)
        assert seqs == list(range(seqs[0], seqs[-1] + 1))


async def test_events_beyond_the_window_are_not_drawn_until_the_gap_is_filled(
    tmp_path: Path,
) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(10))) as chat:
        for seq in range(11, 15):
            chat.server.log.append(message(seq, f"word {seq}"))
        chat.link.event(chat.server.log[-1])
        await chat.until_shown("word 14")
        assert chat.screen.conversation.window == range(1, 15)
        assert (None, 10, None, 100) in pages_asked(chat)


async def test_the_view_follows_the_bottom_only_when_it_is_there(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(60))) as chat:
        chat.link.says("right here")
        await chat.until(lambda: "right here" in chat.rows()[-1])
        await chat.press("pageup")
        before = chat.rows()
        chat.link.says("not seen")
        await chat.until(lambda: rule(chat).jump[0] == "↓ 1 new · G")
        assert chat.rows() == before
        await chat.press("G")
        await chat.until(lambda: "not seen" in chat.rows()[-1])
        assert rule(chat).jump == ("", "")


async def test_what_i_write_elsewhere_is_not_new_to_me(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(60))) as chat:
        await chat.press("pageup")
        mine = message(61, "from my phone", sender=ME)
        chat.server.log.append(mine)
        chat.link.event(mine)
        await chat.until(lambda: chat.screen.conversation.head == 61)
        await chat.pilot.pause()
        assert rule(chat).jump[0] == "↓ newest · G"
        chat.link.says("an answer")
        await chat.until(lambda: rule(chat).jump[0] == "↓ 1 new · G")


async def test_the_jump_can_be_clicked(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(60))) as chat:
        await chat.press("pageup")
        await chat.until(lambda: rule(chat).jump[0] == "↓ newest · G")
        await chat.pilot.click(ChatRule, offset=(72, 0))
        await chat.until(lambda: "word 60" in chat.rows()[-1])


async def test_sending_from_far_away_comes_back_to_the_newest(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(1000))) as chat:
        await chat.press("home")
        await chat.until_shown("word 1")
        await chat.write("here I am")
        await chat.until(lambda: "here I am" in chat.rows()[-1] and "sent" in chat.rows()[-1])
        assert chat.screen.conversation.at_newest


async def test_reading_is_marked_at_the_bottom_with_the_focus(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(60))) as chat:
        await chat.until(lambda: chat.line.marks[-1:] == [60])
        chat.app.post_message(events.AppBlur())
        await chat.until(lambda: not chat.app.app_focus)
        chat.link.says("unseen")
        await chat.until_shown("unseen")
        assert chat.line.marks[-1] == 60
        chat.app.post_message(events.AppFocus())
        await chat.until(lambda: chat.line.marks[-1] == 61)


async def test_reading_is_not_marked_above_the_bottom_or_behind_a_screen(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(60))) as chat:
        await chat.until(lambda: chat.line.marks[-1:] == [60])
        await chat.press("pageup")
        chat.link.says("below")
        await chat.until(lambda: chat.screen.conversation.head == 61)
        await chat.press("G")
        await chat.until(lambda: chat.line.marks[-1] == 61)
        chat.app.push_screen(PickyScreen())
        await chat.until(lambda: not isinstance(chat.app.screen, ChatScreen))
        chat.link.says("behind")
        await chat.until(lambda: chat.screen.conversation.head == 62)
        assert chat.line.marks[-1] == 61
        chat.app.pop_screen()
        await chat.until(lambda: chat.line.marks[-1] == 62)


async def test_the_unread_line_stays_and_can_be_jumped_to(tmp_path: Path) -> None:
    server = RoomServer(talk_of(100), read_seq=40, unread=30)
    async with open_chat(tmp_path, server) as chat:
        assert rule(chat).jump == ("↑ 30 unread · esc u", "unread")
        await chat.press("u")
        row = await chat.until_shown("30 unread")
        assert row.strip().startswith("─")
        rows = chat.rows()
        assert "word 42" in rows[rows.index(row) + 1]
        await chat.press("G")
        await chat.until(lambda: "word 100" in chat.rows()[-1])
        assert rule(chat).jump == ("", "")
        await chat.press("u")
        await chat.until_shown("30 unread")
        chat.link.says("one more")
        await chat.until(lambda: chat.screen.conversation.head == 101)
        assert chat.row("30 unread")


async def test_who_has_passed_the_unread_line_is_not_shown_the_way_to_it(tmp_path: Path) -> None:
    server = RoomServer(talk_of(100), read_seq=90, unread=5)
    async with open_chat(tmp_path, server, size=(80, 12)) as chat:
        assert rule(chat).jump == ("↑ 5 unread · esc u", "unread")
        await chat.press(*["pageup"] * 4)
        await chat.press(*["pagedown"] * 5)
        await chat.until(lambda: "word 100" in chat.rows()[-1])
        assert rule(chat).jump == ("", "")


async def test_without_unread_messages_there_is_no_line(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(100), read_seq=100)) as chat:
        await chat.press("u")
        await chat.until(lambda: chat.toasts() == ["Everything was read when you came."])


async def test_a_day_can_be_jumped_to(tmp_path: Path) -> None:
    old = [
        message(seq, f"word {seq}", created_at=START - timedelta(days=400 - seq // 10))
        for seq in range(1, 3001)
    ]
    day = old[1499].created_at.astimezone()
    async with open_chat(tmp_path, RoomServer(old)) as chat:
        await chat.press("D")
        await chat.until(lambda: isinstance(chat.app.screen, AskScreen))
        for character in f"{day:%Y-%m-%d}":
            await chat.pilot.press("minus" if character == "-" else character)
        await chat.pilot.press("enter")
        first = next(one for one in old if one.created_at.astimezone().date() == day.date())
        await chat.until_shown(f"word {first.seq}")
        assert f"word {first.seq}" in chat.rows()[1]
        assert len(pages_asked(chat)) < 20


async def test_a_day_that_is_none_is_refused_in_words(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(5))) as chat:
        await chat.press("D")
        await chat.until(lambda: isinstance(chat.app.screen, AskScreen))
        await chat.pilot.press("x", "enter")
        error = chat.app.screen.query_one(".field-error")
        assert str(error.render()).startswith("Write a day, such as")


async def test_typing_is_shown_until_it_ends_or_a_message_comes(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(5))) as chat:
        chat.link.peer_types()
        await chat.until(lambda: rule(chat).peer == "민지 is typing…")
        chat.link.says("done")
        await chat.until(lambda: rule(chat).peer == "")
        chat.link.peer_types(ttl_ms=50)
        assert rule(chat).peer
        await chat.until(lambda: rule(chat).peer == "")


async def test_who_is_here_is_shown_until_they_go_or_nobody_knows(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(5))) as chat:
        chat.link.peer_looks()
        await chat.until(lambda: rule(chat).peer == "민지 is here")
        chat.link.peer_types()
        assert rule(chat).peer == "민지 is typing…"
        chat.link.says("done")
        await chat.until(lambda: rule(chat).peer == "민지 is here")
        chat.link.peer_looks(on=False)
        assert rule(chat).peer == ""
        chat.link.peer_looks(ttl_ms=50)
        assert rule(chat).peer
        await chat.until(lambda: rule(chat).peer == "")
        chat.link.peer_looks()
        chat.link.cut()
        await chat.until(lambda: rule(chat).peer == "")
        chat.link.connect()
        await chat.pilot.pause()
        assert rule(chat).peer == ""


async def test_the_server_knows_which_room_is_looked_at(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(5))) as chat:
        assert chat.line.opened == ["open"]
        await chat.pilot.press("escape", "escape")
        await chat.until(lambda: chat.line.opened == ["open", "close"])


async def test_after_a_reset_what_is_in_view_is_read_again(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(30))) as chat:
        gone = chat.server.log[29].model_copy(update={"deleted": True, "text": ""})
        chat.server.log[29] = gone
        chat.link.rebased(_fresh())
        await chat.until(lambda: not chat.row("word 30"))
        assert chat.row("deleted")


def _fresh() -> Bootstrap:
    return bootstrap(100, [room(last_seq=30)])


async def test_enter_opens_the_photos_of_a_message(tmp_path: Path) -> None:
    talk = [*talk_of(3), message(4, "look", photos=[photo(1), photo(2)])]
    async with open_chat(tmp_path, RoomServer(talk)) as chat:
        chat.select(4)
        await chat.press("enter")
        await chat.until(lambda: isinstance(chat.app.screen, ViewerScreen))
        assert "photo 1 of 2" in chat.app.screen.heading()  # type: ignore[attr-defined]


async def test_a_click_opens_the_photo_that_was_clicked(tmp_path: Path) -> None:
    talk = [*talk_of(3), message(4, "", photos=[photo(1), photo(2)])]
    async with open_chat(tmp_path, RoomServer(talk)) as chat:
        y = next(y for y, row in enumerate(chat.rows()) if "▀" in row)
        await chat.pilot.click("#history", offset=(45, y + 1))
        await chat.until(lambda: isinstance(chat.app.screen, ViewerScreen))
        assert "photo 2 of 2" in chat.app.screen.heading()  # type: ignore[attr-defined]


async def test_a_room_can_be_muted(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        await chat.press("m")
        await chat.until(lambda: chat.server.asked("mute") == [(ROOM,)])
        await chat.until(lambda: "muted" in chat.screen.heading())


async def test_other_rooms_do_not_touch_this_one(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        other = message(4, "elsewhere", chatroom_id=OTHER)
        chat.link.store.apply(Change(1, "message.new", other))
        chat.link.says("here")
        await chat.until_shown("here")
        assert not chat.row("elsewhere")
        assert chat.screen.conversation.me == ME
