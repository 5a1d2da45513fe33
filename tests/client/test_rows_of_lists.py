from datetime import timedelta
from uuid import UUID

import pytest
from textual.strip import Strip

from client_tui.themes import DARK
from client_tui.widgets.notice_rows import NoticeRows
from client_tui.widgets.room_rows import RoomRows
from shared_models.chat import MessageKind
from tests.snapshots import scene

COLORS = DARK.to_color_system().generate() | DARK.variables


def room_rows(failed: dict[UUID, int]) -> RoomRows:
    return RoomRows(lambda: scene.ME.id, lambda: scene.NOW, lambda: COLORS, lambda: failed)


def text_of(rows: list[Strip]) -> str:
    return "\n".join(row.text for row in rows)


@pytest.fixture
def meeting() -> str:
    at = scene.NOW + timedelta(days=1)
    return f"Agreed to meet: {at:%Y-%m-%d %H:%M} UTC, exit 3."


def test_a_notice_tells_when_to_meet_in_local_time(meeting: str) -> None:
    notice = scene.notifications()[0].model_copy(update={"text": meeting})
    drawn = text_of(NoticeRows(lambda: scene.NOW, lambda: COLORS).render(notice, 80))
    assert "Agreed to meet: Tomorrow " in drawn
    assert "UTC" not in drawn


def test_a_room_tells_when_to_meet_in_local_time(meeting: str) -> None:
    line = scene.messages()[0].model_copy(update={"text": meeting, "kind": MessageKind.SYSTEM})
    drawn = text_of(room_rows({}).render(scene.room(1, last_message=line), 80))
    assert "Agreed to meet: Tomorrow " in drawn
    assert "UTC" not in drawn


@pytest.mark.parametrize(
    ("unread", "badge"), [(0, "  2 not sent"), (3, "  2 not sent  3 new")], ids=str
)
def test_a_room_tells_how_many_messages_were_not_sent(unread: int, badge: str) -> None:
    room = scene.room(1, unread=unread)
    drawn = room_rows({room.id: 2}).render(room, 80)
    assert drawn[1].text.endswith(badge)
    assert drawn[1].cell_length == 80
