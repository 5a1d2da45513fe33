from pathlib import Path

import pytest
from PIL import Image
from textual import events

from client_tui.core.errors import StorageFailed
from client_tui.core.outbox import OutboxState
from client_tui.screens.chat import ChatScreen
from client_tui.screens.confirm import ConfirmScreen
from client_tui.widgets.chat_rule import ChatRule
from shared_models.realtime import Err
from tests.client.app.chat_room import open_chat
from tests.client.app.room_server import RoomServer, talk_of
from tests.client.core.fakes import ME, ROOM


def refusal(code: str, detail: str, *, retryable: bool = False) -> Err:
    return Err(id="1", code=code, retryable=retryable, detail=detail)


async def test_a_message_is_on_the_screen_before_the_server_has_it(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3)), online=False) as chat:
        await chat.write("hello there")
        assert "queued · offline" in await chat.until_shown("hello there")
        assert chat.server.asked("send") == []


async def test_a_message_is_sent_then_read(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        await chat.write("hello there")
        await chat.until(lambda: "sent ✓" in chat.row("hello there"))
        assert chat.rows()[-1].startswith("      me")
        chat.link.peer_reads(4)
        await chat.until(lambda: "read" in chat.row("hello there"))
        assert [row for row in chat.rows() if row.endswith("sent ✓")] == []


async def test_ok_before_its_event_moves_nothing(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        chat.line.hold_events = True
        await chat.write("one")
        await chat.write("two")
        await chat.until(lambda: len(chat.line.held) == 2 and chat.row("two").endswith("sent ✓"))
        before = chat.rows()
        for stored in chat.line.held:
            chat.link.event(stored)
        await chat.until(lambda: chat.screen.conversation.head == 5)
        assert chat.rows() == before


async def test_enter_sends_and_ctrl_j_begins_a_line(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        await chat.write("one", send=False)
        await chat.pilot.press("ctrl+j")
        await chat.write("two")
        await chat.until(lambda: chat.server.asked("send"))
        assert chat.server.asked("send") == [("one\ntwo", False)]
        assert chat.screen.composer.text == ""


async def test_shift_enter_begins_a_line_where_the_terminal_knows_it(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        await chat.pilot.press("a", "shift+enter", "b")
        assert chat.screen.composer.text == "a\nb"


async def test_the_composer_grows_to_five_rows(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        heights = []
        for _ in range(7):
            heights.append(chat.screen.composer.size.height)
            await chat.pilot.press("ctrl+j")
            await chat.pilot.pause()
        assert heights == [1, 2, 3, 4, 5, 5, 5]


async def test_nothing_is_sent_where_nothing_is_written(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        await chat.write("   ")
        await chat.pilot.pause()
        assert await chat.link.outbox.waiting() == []


async def test_a_text_beyond_the_limit_is_counted_and_stays(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        chat.screen.composer.text = "의" * 1_900
        await chat.until(lambda: chat.screen.query_one(ChatRule).warning == "1,900 / 2,000")
        chat.screen.composer.text = "의" * 2_001
        await chat.pilot.press("enter")
        await chat.until(lambda: chat.toasts() == ["A message has at most 2,000 characters."])
        assert len(chat.screen.composer.text) == 2_001


async def test_a_draft_is_there_when_the_room_is_opened_again(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        await chat.write("half a thou", send=False)
        await chat.pilot.press("escape", "escape")
        await chat.until(lambda: not isinstance(chat.app.screen, ChatScreen))
        assert (await chat.link.outbox.drafts.read(ROOM)).text == "half a thou"
        chat.app.open_chat(ROOM)
        await chat.until(lambda: isinstance(chat.app.screen, ChatScreen) and chat.screen.loaded)
        assert chat.screen.composer.text == "half a thou"
        await chat.write("ght")
        await chat.until(lambda: chat.server.asked("send"))
        assert chat.server.asked("send") == [("half a thought", False)]
        await chat.pilot.press("escape", "escape")
        await chat.until(lambda: not isinstance(chat.app.screen, ChatScreen))
        assert (await chat.link.outbox.drafts.read(ROOM)).text == ""


async def test_leaving_at_once_sends_all_the_same(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        await chat.write("bye", send=False)
        await chat.pilot.press("enter", "escape", "escape")
        await chat.until(lambda: chat.server.asked("send"))
        assert chat.server.asked("send") == [("bye", False)]


async def test_the_queue_of_an_offline_time_drains_in_order(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        chat.link.cut()
        for text in ("first", "second", "third"):
            await chat.write(text)
        await chat.until(lambda: "queued · offline" in chat.row("third"))
        chat.link.connect()
        await chat.until(lambda: "sent ✓" in chat.row("third"))
        sent = [text for text, _ in chat.server.asked("send")]
        assert sent == ["first", "second", "third"]
        assert not any("queued" in row for row in chat.rows())


async def test_a_queued_message_can_be_edited_before_it_goes(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        chat.link.cut()
        await chat.write("tommorow")
        await chat.until_shown("tommorow")
        await chat.write("kept draft", send=False)
        chat.select(-1)
        await chat.press("e")
        assert chat.screen.composer.text == "tommorow"
        chat.screen.composer.text = "tomorrow"
        await chat.pilot.press("enter")
        await chat.until_shown("tomorrow")
        assert chat.screen.composer.text == "kept draft"
        chat.link.connect()
        await chat.until(lambda: chat.server.asked("send"))
        assert chat.server.asked("send") == [("tomorrow", False)]


async def test_footer_and_rule_say_the_same_of_the_keys_while_a_message_is_edited(
    tmp_path: Path,
) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3)), online=False) as chat:
        await chat.write("as it was")
        await chat.until_shown("as it was")
        assert "enter send" in chat.footer()
        chat.select(-1)
        await chat.press("e")
        assert "enter saves · esc leaves it as it was" in chat.screen.query_one(ChatRule).note
        assert "enter save  " in chat.footer()
        assert "esc leave it" in chat.footer()
        await chat.pilot.press("ctrl+o")
        assert chat.toasts() == ["Only the text of an older message can be changed."]
        await chat.pilot.press("escape")
        await chat.until(lambda: not chat.screen.editing)
        assert chat.screen.query_one(ChatRule).note == ""
        assert "enter send" in chat.footer()
        assert "esc history" in chat.footer()


async def test_escape_leaves_an_edited_message_as_it_was(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3)), online=False) as chat:
        await chat.write("as it was")
        await chat.until_shown("as it was")
        chat.select(-1)
        await chat.press("e")
        await chat.pilot.press("x", "escape")
        await chat.until(lambda: not chat.screen.editing)
        assert chat.row("as it was")
        assert chat.screen.composer.text == ""


async def test_a_queued_message_can_be_discarded(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3)), online=False) as chat:
        await chat.write("never mind")
        await chat.until_shown("never mind")
        chat.select(-1)
        await chat.press("x")
        await chat.pilot.press("n")
        assert chat.row("never mind")
        await chat.press("x")
        await chat.pilot.press("y")
        await chat.until(lambda: not chat.row("never mind"))
        assert await chat.link.outbox.waiting() == []


async def test_a_refused_message_says_why_and_can_be_sent_again(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        chat.line.answer = lambda cid, text: refusal("message_blocked", "No links here.")
        await chat.write("www.example.com")
        await chat.until(lambda: "failed" in chat.row("www.example.com"))
        assert chat.row("No links here.")
        assert chat.row("r retry   e edit   x discard")
        chat.line.answer = lambda cid, text: None
        chat.select(-1)
        await chat.press("r")
        await chat.until(lambda: "sent ✓" in chat.row("www.example.com"))


async def test_a_click_on_the_word_does_what_its_key_does(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        chat.line.answer = lambda cid, text: refusal("message_blocked", "No links here.")
        await chat.write("oops")
        await chat.until_shown("x discard")
        rows = chat.rows()
        y = next(y for y, row in enumerate(rows) if "x discard" in row)
        await chat.pilot.click("#history", offset=(rows[y].index("discard") + 1, y))
        await chat.until(lambda: isinstance(chat.app.screen, ConfirmScreen))
        await chat.pilot.click("#yes")
        await chat.until(lambda: not chat.row("oops"))


async def test_what_the_scam_guard_asks_is_asked_and_sent_as_confirmed(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        chat.line.answer = lambda cid, text: refusal("confirm_needed", "A telephone number.")
        await chat.write("call me")
        await chat.until(lambda: isinstance(chat.app.screen, ConfirmScreen))
        await chat.pilot.press("y")
        await chat.until(lambda: "sent ✓" in chat.row("call me"))
        assert chat.server.asked("send") == [("call me", False), ("call me", True)]


async def test_who_says_no_to_the_scam_guard_is_asked_again_on_retry(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        chat.line.answer = lambda cid, text: refusal("confirm_needed", "A telephone number.")
        await chat.write("call me")
        await chat.until(lambda: isinstance(chat.app.screen, ConfirmScreen))
        await chat.pilot.press("n")
        await chat.until(lambda: isinstance(chat.app.screen, ChatScreen))
        assert "failed" in chat.row("call me")
        chat.select(-1)
        await chat.press("r")
        await chat.until(lambda: isinstance(chat.app.screen, ConfirmScreen))
        await chat.pilot.press("y")
        await chat.until(lambda: "sent ✓" in chat.row("call me"))


async def test_typing_is_told_to_the_line_and_an_empty_composer_is_not(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        await chat.write("a", send=False)
        await chat.until(lambda: chat.line.typed == [True])
        await chat.press("backspace")
        await chat.write("b", send=False)
        await chat.until(lambda: chat.line.typed == [True, True])


async def test_a_message_of_mine_can_be_deleted_within_five_minutes(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        await chat.write("too soon")
        await chat.until(lambda: "sent ✓" in chat.row("too soon"))
        chat.select(4)
        await chat.press("x")
        await chat.pilot.press("y")
        await chat.until(lambda: chat.server.asked("delete_message") == [(ROOM, 4)])
        tombstone = chat.server.log[3].model_copy(update={"deleted": True, "text": ""})
        chat.link.event(tombstone, "message.deleted")
        await chat.until(lambda: not chat.row("too soon"))
        assert chat.row("deleted")


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (1, "A message can be deleted within 5 minutes."),
        (2, "Select a message of your own."),
    ],
)
async def test_it_is_said_why_a_message_cannot_be_deleted(
    tmp_path: Path, key: int, reason: str
) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        chat.select(key)
        await chat.press("x")
        await chat.until(lambda: chat.toasts() == [reason])
        assert chat.server.asked("delete_message") == []


def picture(directory: Path, name: str) -> Path:
    path = directory / name
    Image.new("RGB", (64, 48), "orange").save(path)
    return path


async def test_dropped_pictures_wait_beside_the_text_and_go_with_it(tmp_path: Path) -> None:
    one, two = picture(tmp_path, "one chair.jpg"), picture(tmp_path, "two.png")
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        composer = chat.screen.composer
        chat.app.post_message(events.Paste(f"'{one}' {two}"))
        await chat.until(lambda: len(chat.screen.attachments.files) == 2)
        assert chat.screen.query_one("#attachments").display
        assert composer.text == ""
        await chat.write("look")
        await chat.until(lambda: chat.row("%"))
        assert "40 %" in chat.row("%")
        assert "60 %" in chat.row("%")
        assert not chat.screen.query_one("#attachments").display
        chat.link.uploads.go.set()
        await chat.until(lambda: chat.server.asked("send"))
        await chat.until(lambda: len(chat.server.log) == 4 and not chat.row("%"))
        assert len(chat.server.log[-1].photos) == 2
        assert chat.rows()[-1].endswith("sent ✓")


async def test_a_fourth_picture_is_refused(tmp_path: Path) -> None:
    paths = " ".join(str(picture(tmp_path, f"{number}.png")) for number in range(4))
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        chat.app.post_message(events.Paste(paths))
        await chat.until(lambda: chat.toasts() == ["A message has at most 3 photos."])
        assert len(chat.screen.attachments.files) == 3


async def test_a_file_that_is_no_picture_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_text("no picture")
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        chat.app.post_message(events.Paste(str(broken)))
        await chat.until(lambda: chat.toasts() == ["broken.png is no JPEG, PNG or WebP picture."])
        assert chat.screen.attachments.files == []


async def test_backspace_in_an_empty_text_takes_the_last_picture_away(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        chat.app.post_message(events.Paste(str(picture(tmp_path, "one.png"))))
        await chat.until(lambda: len(chat.screen.attachments.files) == 1)
        await chat.pilot.press("backspace")
        await chat.until(lambda: chat.screen.attachments.files == [])


async def test_other_pasted_text_is_text(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        chat.app.post_message(events.Paste("two\nlines"))
        await chat.until(lambda: chat.screen.composer.text == "two\nlines")


async def test_a_closed_room_says_why_nothing_can_be_written(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3), state="read_only")) as chat:
        assert not chat.screen.query_one("#writing").display
        told = str(chat.screen.query_one("#read-only").render())
        assert told.startswith("This chat is closed:")
        await chat.press("i")
        await chat.until(lambda: chat.toasts() == ["This chat is closed."])


async def test_what_waited_when_the_app_was_closed_is_there_when_it_starts(tmp_path: Path) -> None:
    server = RoomServer(talk_of(3))
    async with open_chat(tmp_path, server, online=False) as chat:
        await chat.write("before the end")
        await chat.until_shown("before the end")
    async with open_chat(tmp_path, server, online=False) as chat:
        assert "queued · offline" in await chat.until_shown("before the end")
        chat.link.connect()
        await chat.until(lambda: "sent ✓" in chat.row("before the end"))
    assert [(one.text, one.sender_id) for one in server.log[3:]] == [("before the end", ME)]


async def test_a_message_on_its_way_cannot_be_edited(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        chat.line.hold_events = True
        await chat.write("gone")
        await chat.until(lambda: "sent ✓" in chat.row("gone"))
        chat.select(-1)
        await chat.press("e")
        await chat.until(lambda: chat.toasts() == ["It may have been sent already."])
        waiting = next(iter(chat.screen.conversation.all_waiting()))
        assert waiting.message.state is OutboxState.SENDING


async def test_what_the_disk_does_not_take_stands_in_the_composer_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object, **__: object) -> None:
        raise StorageFailed("The disk is full.")

    async with open_chat(tmp_path, RoomServer(talk_of(3))) as chat:
        monkeypatch.setattr(chat.link.outbox, "put", full)
        await chat.write("do not lose me")
        await chat.until(lambda: chat.screen.composer.text == "do not lose me")
        assert chat.server.asked("send") == []
