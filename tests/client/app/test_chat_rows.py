from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from client_tui.conversation import GAP, TOP
from client_tui.core.outbox import OutboxPhoto, OutboxState
from client_tui.core.uploads import Phase, Progress
from client_tui.format import cells
from client_tui.history_pages import End
from shared_models.chat import MessageWarning
from tests.client.app.chat_rows import ME, NOW, HistoryApp, message, note, photo, talk
from tests.client.test_conversation import outgoing


def at(hour: int, minute: int, day: int = 19) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


async def drawn(app: HistoryApp, size: tuple[int, int] = (80, 16)) -> list[str]:
    """The rows, without the empty ones above."""
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        rows = app.rows()
    return [row for index, row in enumerate(rows) if row or any(rows[:index])]


async def test_who_and_when_stand_before_a_message_and_its_lines_align() -> None:
    text = "Yes, both. One has a small mark under the seat, photo below."
    rows = await drawn(
        HistoryApp(
            [
                message(1, "두 개 다 있나요?", created_at=at(14, 2)),
                message(2, text, sender=ME, created_at=at(14, 5)),
            ]
        )
    )
    assert rows[-3:] == [
        "    민지  14:02   두 개 다 있나요?",
        "      me  14:05   Yes, both. One has a small mark under the seat,",
        "                  photo below.                                           sent ✓",
    ]


async def test_messages_of_one_within_minutes_are_a_group() -> None:
    rows = await drawn(
        HistoryApp(
            [
                message(1, "one", created_at=at(14, 2)),
                message(2, "two", created_at=at(14, 4)),
                message(3, "three", created_at=at(14, 20)),
            ]
        )
    )
    assert rows[-3:] == [
        "    민지  14:02   one",
        "                  two",
        "    민지  14:20   three",
    ]


async def test_a_day_separates_messages() -> None:
    rows = await drawn(
        HistoryApp(
            [
                message(1, "one", created_at=at(23, 59, day=17)),
                message(2, "two", created_at=at(0, 1, day=18)),
                message(3, "three", created_at=at(4, 0)),
            ]
        )
    )
    days = [row.strip() for row in rows if "민지" not in row]
    assert days == ["the chat begins here", "Tue 17 Nov", "Yesterday", "Today"]


async def test_the_unread_line_counts() -> None:
    rows = await drawn(HistoryApp([message(seq) for seq in (1, 2, 3)], read_seq=1, unread=2))
    assert rows[-3].strip("─ ") == "2 unread"


async def test_a_state_stands_only_where_it_is_news() -> None:
    messages = [message(seq, f"mine {seq}", sender=ME) for seq in (1, 2, 3)]
    rows = await drawn(HistoryApp(messages, peer_read_seq=2))
    assert [row.split()[-1] for row in rows[-3:]] == ["1", "read", "✓"]


async def test_a_state_that_finds_no_room_stands_below() -> None:
    app = HistoryApp([message(1, "x" * 52, sender=ME)])
    app.online = False
    app.conversation.wait_for(outgoing(1, text="y" * 50, created_at=NOW))
    rows = await drawn(app)
    assert rows[-1].strip() == "queued · offline"


async def test_a_tombstone_and_a_warning_are_said() -> None:
    warning = MessageWarning(code="phone", text="Keep the talk here until you have met.")
    rows = await drawn(
        HistoryApp([message(1, deleted=True), message(2, "010-1234", warning=warning)])
    )
    assert rows[-3].endswith("deleted")
    assert rows[-1].strip() == "! Keep the talk here until you have met."


async def test_a_system_line_has_a_time_and_no_name() -> None:
    rows = await drawn(HistoryApp([note(1, "trade_reserved", "Reserved for 40,000.")]))
    assert rows[-1].split() == ["05:31", "Reserved", "for", "40,000."]


async def test_the_time_of_a_meeting_is_that_of_the_wall() -> None:
    when = (NOW + timedelta(hours=3)).isoformat()
    line = note(1, "appointment_accepted", "… UTC", at=when, place="Mapo", appointment_id="1")
    rows = await drawn(HistoryApp([line]))
    assert rows[-1].endswith("Agreed to meet: today 08:30, Mapo")


async def test_a_text_can_neither_command_nor_misalign_the_terminal() -> None:
    hostile = "\x1b[2J\x07" + "a" + "\u202e" + "[bold]b[/bold]" + "\tc"
    app = HistoryApp([message(1, hostile)])
    rows = await drawn(app)
    assert rows[-1].endswith("a[bold]b[/bold]    c")


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
async def test_no_row_is_wider_than_the_terminal(width: int) -> None:
    app = HistoryApp([*talk(1, 39), message(40, "의" * 500, sender=ME, photos=[photo()] * 3)])
    app.conversation.wait_for(
        outgoing(1, text="가" * 90, state=OutboxState.FAILED, reason="because " * 30)
    )
    async with app.run_test(size=(width, 60)) as pilot:
        await pilot.pause()
        assert {app.history.render_line(y).cell_length for y in range(60)} == {width - 1}
        rendered = app.history._rendered
        for key in app.conversation.keys:
            for strip in rendered.renderer.render(key, rendered.width):
                assert strip.cell_length == cells(strip.text) <= rendered.width


async def test_photos_stand_side_by_side() -> None:
    app = HistoryApp([message(1, "", photos=[photo(1), photo(2), photo(3, 480, 640)])])
    rows = await drawn(app, (120, 20))
    pictures = [row.split("05:31")[-1].strip() for row in rows if "▀" in row]
    assert pictures[0].split("  ") == ["▀" * 19, "▀" * 19, "▀" * 10]
    assert len(pictures) == 7


async def test_each_photo_on_its_way_has_a_bar(tmp_path: Path) -> None:
    app = HistoryApp([message(1)])
    photos = tuple(OutboxPhoto(tmp_path / name) for name in ("a.jpg", "b.jpg"))
    waiting = outgoing(1, photos=photos, state=OutboxState.QUEUED)
    app.conversation.wait_for(waiting)
    app.conversation.wait_for(waiting, Progress(0, photos[0].path, Phase.SENDING, 50, 100))
    app.conversation.wait_for(waiting, Progress(1, photos[1].path, Phase.PROCESSING))
    rows = await drawn(app, (80, 24))
    assert "50 %" in rows[-1]
    assert "copies" in rows[-1]
    assert rows[-1].count("━") > 10
    assert rows[-1].endswith("sending")


async def test_the_ends_of_the_window_say_how_loading_stands() -> None:
    app = HistoryApp([message(seq) for seq in (50, 51)])
    app.conversation.know_head(60)
    async with app.run_test(size=(80, 16)) as pilot:
        app.history.sync()
        await pilot.pause()
        assert any("· · ·" in row for row in app.rows())
        assert app.rows()[-1].strip() == "9 newer messages"
        app.pages.ends = {TOP: End.LOADING, GAP: End.FAILED}
        app.pages.reasons[GAP] = "It timed out."
        app.conversation.touch(TOP, GAP)
        app.history.sync()
        await pilot.pause()
        assert any("loading older messages…" in row for row in app.rows())
        assert app.rows()[-1].split() == ["It", "timed", "out.", "r", "retry"]


async def test_a_message_that_gets_its_number_keeps_its_place_and_the_cursor() -> None:
    app = HistoryApp([message(seq) for seq in range(1, 40)])
    async with app.run_test(size=(80, 16)) as pilot:
        sent = outgoing(1, created_at=NOW)
        app.conversation.wait_for(sent)
        app.conversation.wait_for(outgoing(2, created_at=NOW))
        app.history.sync()
        app.history.jump_to(-1, "nearest")
        await pilot.pause()
        before = [row.replace("queued", "sent ✓") for row in app.rows()[:-1]]
        app.conversation.take(message(40, sent.text, sender=ME, cid=sent.cid, created_at=NOW))
        app.history.sync()
        await pilot.pause()
        assert app.rows()[:-1] == before
        assert app.history.cursor == 40
        assert app.history.keys == app.conversation.keys


async def test_what_was_on_its_way_when_the_line_went_is_queued(tmp_path: Path) -> None:
    app = HistoryApp([message(1)])
    app.online = False
    photos = (OutboxPhoto(tmp_path / "a.jpg"),)
    for number, state in ((1, OutboxState.SENDING), (2, OutboxState.QUEUED)):
        waiting = outgoing(number, photos=photos, state=state)
        app.conversation.wait_for(waiting)
        app.conversation.wait_for(waiting, Progress(0, photos[0].path, Phase.SENDING, 50, 100))
    rows = await drawn(app, (80, 24))
    assert [row for row in rows if "sending" in row] == []
    assert sum("queued · offline" in row for row in rows) == 2
