from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from client_tui.screens.notifications import NotificationsScreen
from shared_models.base import Page
from shared_models.notifications import Notification, NotificationKind, NotificationsSeen
from tests.client.app.chat_room import Chat, RoomServer, open_chat, talk_of
from tests.client.core.fakes import ROOM, bootstrap, notification


class NoticeServer(RoomServer):
    """Has three unread notices, the newest first."""

    def __init__(self) -> None:
        super().__init__(talk_of(1))
        self.numbers: tuple[int, ...] = (3, 2, 1)

    async def notifications(self, **_: Any) -> Page[Notification]:
        items = [notification(number) for number in self.numbers]
        return Page[Notification](items=items, next_cursor=None)


@asynccontextmanager
async def open_notices(directory: Path) -> AsyncIterator[tuple[Chat, NotificationsScreen]]:
    async with open_chat(directory, NoticeServer()) as chat:
        for number in (1, 2, 3):
            chat.link.event(notification(number), "notification.new")
        screen = NotificationsScreen()
        chat.app.push_screen(screen)
        await chat.until(lambda: screen.is_mounted and len(screen.entries) == 3)
        yield chat, screen


def unread(screen: NotificationsScreen) -> list[int]:
    """The numbers of the notices shown as new."""
    items = [screen.entries.item(key) for key in screen.entries.keys]
    return [item.id.int for item in items if not item.read]


async def test_what_is_read_on_another_device_is_no_longer_new_here(tmp_path: Path) -> None:
    async with open_notices(tmp_path) as (chat, screen):
        assert (unread(screen), screen.heading()) == ([3, 2, 1], "notifications · 3 new")
        chat.link.event(NotificationsSeen(up_to_id=UUID(int=2), unread=1), "notification.read")
        assert (unread(screen), screen.heading()) == ([3], "notifications · 1 new")
        chat.link.event(NotificationsSeen(up_to_id=UUID(int=9), unread=0), "notification.read")
        assert screen.heading() == "notifications"


async def test_what_is_read_in_its_chat_is_no_longer_new_here(tmp_path: Path) -> None:
    async with open_notices(tmp_path) as (chat, screen):
        about = {"kind": NotificationKind.CHAT, "data": {"chatroom_id": str(ROOM), "seq": 7}}
        message = notification(4).model_copy(update=about)
        chat.link.event(message, "notification.new")
        assert (unread(screen), screen.heading()) == ([4, 3, 2, 1], "notifications · 4 new")
        seen = NotificationsSeen(up_to_id=message.id, unread=3, chatroom_id=ROOM)
        chat.link.event(seen, "notification.read")
        assert (unread(screen), screen.heading()) == ([3, 2, 1], "notifications · 3 new")


async def test_opening_a_notice_reads_it_and_a_key_reads_all(tmp_path: Path) -> None:
    async with open_notices(tmp_path) as (chat, screen):
        await chat.pilot.press("down", "enter")
        await chat.until(lambda: chat.server.asked("read_notifications"))
        await chat.pilot.press("a")
        await chat.until(lambda: len(chat.server.asked("read_notifications")) == 2)
        assert chat.server.asked("read_notifications") == [(UUID(int=2),), (UUID(int=3),)]
        assert unread(screen) == [3, 2, 1], "shown as read before the server's event said so"


async def test_after_a_reset_the_notices_are_read_again(tmp_path: Path) -> None:
    async with open_notices(tmp_path) as (chat, screen):
        server = chat.server
        assert isinstance(server, NoticeServer)
        server.numbers = (5, 4, 3, 2, 1)
        chat.link.store.reset(bootstrap(50, []))
        await chat.until(lambda: len(screen.entries) == 5)


async def test_what_is_older_than_a_notice_that_is_not_here_is_read_too(tmp_path: Path) -> None:
    async with open_notices(tmp_path) as (chat, screen):
        chat.link.event(NotificationsSeen(up_to_id=UUID(int=9), unread=0), "notification.read")
        assert unread(screen) == []
