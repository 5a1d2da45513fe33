"""Chats: every room, newest activity first."""

from collections.abc import Iterable, Mapping
from typing import ClassVar
from uuid import UUID

from textual import on
from textual.widget import Widget
from textual.widgets import Static

from client_tui.core.status import LineState
from client_tui.keymap import key_of
from client_tui.screens.further_pages import FurtherPages
from client_tui.screens.message_search import MessageSearchScreen
from client_tui.screens.room_actions import ROOM_ACTIONS, RoomActions
from client_tui.store import Change, Reset, RoomChanged
from client_tui.widgets.retry_row import RetryRow
from client_tui.widgets.room_rows import RoomRows
from client_tui.widgets.virtual_list import VirtualList
from shared_models.base import Page
from shared_models.chat import Chatroom

PAGE = 50


class ChatsScreen(RoomActions):
    """The room list, live."""

    context = "chats"
    AUTO_FOCUS: ClassVar[str] = "#rooms"

    def __init__(self) -> None:
        super().__init__()
        self._older = FurtherPages(self, self._read, self._take)
        self._shown_failed: Mapping[UUID, int] = {}

    def heading(self) -> str:
        """How many are unread."""
        unread = self.store.unread_total()
        return f"chats · {unread} unread" if unread else "chats"

    def content(self) -> Iterable[Widget]:
        """The list, or why it is empty."""
        rows = RoomRows(
            lambda: self.store.me,
            self.link.now,
            lambda: self.app.theme_variables,
            lambda: self.link.failed,
        )
        yield VirtualList[Chatroom](rows, id="rooms")
        yield RetryRow(id="more")
        yield Static("", id="no-rooms", classes="empty", markup=False)

    def on_mount(self) -> None:
        """Show what is known, then ask for older rooms when scrolled to."""
        super().on_mount()
        self._older.begin(None, from_start=True)
        self._redraw()

    def redraw_bars(self) -> None:
        """Also hears here that the line has come or gone, which an empty list tells of, and that
        a message was not sent.
        """
        super().redraw_bars()
        if self.is_there and self.query("#no-rooms"):
            self.query_one("#no-rooms", Static).update(self._why_empty())
            if self._shown_failed != self.link.failed:
                self._shown_failed = self.link.failed
                self.rooms.invalidate()

    def _why_empty(self) -> str:
        status = self.link.status
        if self.store.me is not None:
            opens = f"{key_of('listing', 'chat')} on a listing opens one"
            return f"No chats yet.\n\n{opens}   {self.key('jump')} b browses"
        if status.state in (LineState.CONNECTING, LineState.ONLINE):
            return "One moment…"
        return f"Your chats are not here yet: {status.reason or 'offline'}." + self.hint(
            "refresh tries again"
        )

    @property
    def rooms(self) -> VirtualList[Chatroom]:
        """The list."""
        return self.query_one("#rooms", VirtualList)

    def _redraw(self) -> None:
        rooms = self.store.rooms_by_activity()
        self.rooms.set_items(rooms)
        if rooms and self.rooms.cursor is None:
            self.rooms.jump_to(rooms[0].id.int, "top")
        self.rooms.display = bool(rooms)
        self.query_one("#no-rooms").display = not rooms

    def on_change(self, change: Change) -> None:
        """A room moved to the top, or changed where it is."""
        if isinstance(change, RoomChanged | Reset):
            self.call_after_refresh(self._redraw)

    @on(VirtualList.NearBottom)
    def _more(self) -> None:
        self._older.load()

    async def _read(self, cursor: str | None) -> Page[Chatroom]:
        return await self.link.api.rooms(cursor=cursor, limit=PAGE)

    def _take(self, items: list[Chatroom]) -> bool:
        new = [room for room in items if room.id not in self.store.state.rooms]
        for room in items:
            known = self.store.state.rooms.get(room.id)
            read = known.model_copy(update=dict(room)) if known else room
            if read != known:
                self.store.put_room(read)
        return bool(new)

    def meant_room(self) -> Chatroom | None:
        """The room under the cursor."""
        rooms = self.rooms
        return None if rooms.cursor is None else rooms.item(rooms.cursor)

    def why_not(self, action_id: str) -> str | None:
        """What needs a room."""
        if action_id in {"open_room", *ROOM_ACTIONS}:
            return self.why_no_room(action_id)
        return None

    @on(VirtualList.Activated)
    async def _activated(self) -> None:
        await self.action_do("open_room")

    @on(VirtualList.CursorMoved)
    def _moved(self) -> None:
        self.redraw_bars()

    def do_open_room(self) -> None:
        """Into the room."""
        room = self.meant_room()
        if room is not None:
            self.picky.open_chat(room.id)

    def do_room_listing(self) -> None:
        """The listing it is about."""
        room = self.meant_room()
        if room is not None:
            self.picky.open_listing(room.listing.id)

    def do_search(self) -> None:
        """In all chats."""
        self.app.push_screen(MessageSearchScreen())

    def do_refresh(self) -> None:
        """From the top."""
        if not self._older.retry():
            self._older.begin(None, from_start=True)
            self._older.load()
