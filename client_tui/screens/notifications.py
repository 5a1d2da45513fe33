"""The notification centre."""

from functools import partial
from typing import ClassVar
from uuid import UUID

from client_tui.screens.list_screen import ListScreen
from client_tui.store import Change, NotificationCame, NotificationsRead, Reset
from client_tui.widgets.notice_rows import NoticeRows
from client_tui.work import start
from shared_models.base import Page
from shared_models.notifications import Notification, NotificationKind

PAGE = 50


class NotificationsScreen(ListScreen[Notification]):
    """Notices, newest first."""

    context = "notifications"
    opens: ClassVar[str] = "open_notice"

    def heading(self) -> str:
        """How many are new."""
        unread = self.store.state.unread_notifications
        return f"notifications · {unread} new" if unread else "notifications"

    def rows(self) -> NoticeRows:
        """One row each."""
        return NoticeRows(self.link.now, lambda: self.app.theme_variables)

    async def read(self, cursor: str | None) -> Page[Notification]:
        """Newest first."""
        return await self.link.api.notifications(cursor=cursor, limit=PAGE)

    def why_empty(self) -> str:
        """What would be here."""
        return "Nothing new.\n\nTrades, offers and reviews tell here."

    def on_change(self, change: Change) -> None:
        """A new one comes on top; what was read on any device is no longer new."""
        match change:
            case NotificationCame(notice) if notice.id.int not in self.entries:
                self.entries.prepend([notice])
                self.show_list()
            case NotificationsRead():
                self._show_read(change)
            case Reset():
                self.older.begin(None)
                self.do_refresh()

    def _show_read(self, read: NotificationsRead) -> None:
        """Ids rise with time; the one that was read may be on a page that is not here."""
        for key in self.entries.keys:
            item = self.entries.item(key)
            meant = read.chatroom_id is None or _is_message_of(item, read.chatroom_id)
            if key <= read.up_to_id.int and meant and not item.read:
                self.entries.replace(item.model_copy(update={"read": True}))

    def why_not(self, action_id: str) -> str | None:
        """What needs a notice."""
        if action_id == "open_notice" and self.selected() is None:
            return "There is no notice here."
        if action_id == "all_read" and not len(self.entries):
            return "There is nothing to mark."
        return None

    def do_open_notice(self) -> None:
        """Go to what it is about; it is read then, and what is older with it (rule 16)."""
        notice = self.selected()
        if notice is None:
            return
        if not notice.read:
            self._read_up_to(notice)
        for name, go in (
            ("trade_id", self.picky.open_trade),
            ("chatroom_id", self.picky.open_chat),
            ("listing_id", self.picky.open_listing),
            ("account_id", self.picky.open_profile),
        ):
            if notice.data.get(name):
                go(UUID(str(notice.data[name])))
                return
        self.say("This notice leads nowhere.")

    def do_all_read(self) -> None:
        """Everything was seen."""
        self._read_up_to(self.entries.item(self.entries.keys[0]))

    def _read_up_to(self, notice: Notification) -> None:
        """Tell the server; its event shows it here and on the account's other devices."""
        start(self, partial(self.link.api.read_notifications, notice.id), group="read")


def _is_message_of(notice: Notification, room_id: UUID) -> bool:
    return notice.kind is NotificationKind.CHAT and notice.data.get("chatroom_id") == str(room_id)
