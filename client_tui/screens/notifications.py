"""The notification centre."""

from collections.abc import Iterable
from functools import partial
from typing import ClassVar
from uuid import UUID

from textual import on
from textual.widget import Widget
from textual.widgets import Static

from client_tui.core.errors import ClientError
from client_tui.screens.base import PickyScreen
from client_tui.screens.further_pages import FurtherPages
from client_tui.store import Change, NotificationCame, NotificationsRead, Reset
from client_tui.widgets.notice_rows import NoticeRows
from client_tui.widgets.retry_row import RetryRow
from client_tui.widgets.virtual_list import VirtualList
from client_tui.work import start
from shared_models.base import Page
from shared_models.notifications import Notification

PAGE = 50


class NotificationsScreen(PickyScreen):
    """Notices, newest first."""

    context = "notifications"
    AUTO_FOCUS: ClassVar[str] = "#notices"

    def __init__(self) -> None:
        super().__init__()
        self._older = FurtherPages(self, self._read, self._take)

    def heading(self) -> str:
        """How many are new."""
        unread = self.store.state.unread_notifications
        return f"notifications · {unread} new" if unread else "notifications"

    def content(self) -> Iterable[Widget]:
        """The list, or why it is empty."""
        rows = NoticeRows(self.link.now, lambda: self.app.theme_variables)
        yield VirtualList[Notification](rows, id="notices")
        yield RetryRow(id="more")
        yield Static("One moment…", id="notices-note", classes="empty", markup=False)

    @property
    def notices(self) -> VirtualList[Notification]:
        """The list."""
        return self.query_one("#notices", VirtualList)

    def on_mount(self) -> None:
        """Load."""
        super().on_mount()
        self.do_refresh()

    def do_refresh(self) -> None:
        """From the top."""
        if not self._older.retry():
            start(self, self._load, group="notices", exclusive=True)

    async def _read(self, cursor: str | None) -> Page[Notification]:
        return await self.link.api.notifications(cursor=cursor, limit=PAGE)

    async def _load(self) -> None:
        try:
            page = await self._read(None)
        except ClientError as error:
            self.failed(error)
            if not len(self.notices):
                self._note(f"{error}{self.hint('refresh tries again')}")
            else:
                self.say(str(error), severity="error")
            return
        self._older.begin(page.next_cursor)
        self.notices.set_items(page.items)
        if page.items and self.notices.cursor is None:
            self.notices.jump_to(page.items[0].id.int, "top")
        self._note(
            None if len(self.notices) else "Nothing new.\n\nTrades, offers and reviews tell here."
        )
        self.redraw_bars()

    def _take(self, items: list[Notification]) -> bool:
        new = [item for item in items if item.id.int not in self.notices]
        self.notices.append(new)
        return bool(new)

    def _note(self, text: str | None) -> None:
        note = self.query_one("#notices-note", Static)
        note.update(text or "")
        note.display = text is not None
        self.notices.display = text is None

    @on(VirtualList.NearBottom)
    def _more(self) -> None:
        self._older.load()

    def on_change(self, change: Change) -> None:
        """A new one comes on top; what was read on any device is no longer new."""
        match change:
            case NotificationCame(notice) if notice.id.int not in self.notices:
                self.notices.prepend([notice])
                self._note(None)
            case NotificationsRead(up_to_id):
                self._show_read(up_to_id.int)
            case Reset():
                self._older.begin(None)
                self.do_refresh()

    def _show_read(self, newest: int) -> None:
        """Ids rise with time; the one that was read may be on a page that is not here."""
        for key in self.notices.keys:
            item = self.notices.item(key)
            if key <= newest and not item.read:
                self.notices.replace(item.model_copy(update={"read": True}))

    def selected(self) -> Notification | None:
        """The notice under the cursor."""
        notices = self.notices
        return None if notices.cursor is None else notices.item(notices.cursor)

    def why_not(self, action_id: str) -> str | None:
        """What needs a notice."""
        if action_id == "open_notice" and self.selected() is None:
            return "There is no notice here."
        if action_id == "all_read" and not len(self.notices):
            return "There is nothing to mark."
        return None

    @on(VirtualList.Activated)
    async def _activated(self) -> None:
        await self.action_do("open_notice")

    @on(VirtualList.CursorMoved)
    def _moved(self) -> None:
        self.redraw_bars()

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
        self._read_up_to(self.notices.item(self.notices.keys[0]))

    def _read_up_to(self, notice: Notification) -> None:
        """Tell the server; its event shows it here and on the account's other devices."""
        start(self, partial(self.link.api.read_notifications, notice.id), group="read")
