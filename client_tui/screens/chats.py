"""Chats: every room, newest activity first."""

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.widget import Widget
from textual.widgets import Static

from client_tui.core.errors import ServerUnreachable
from client_tui.screens.base import PickyScreen
from client_tui.store import Change, Reset, RoomChanged
from client_tui.widgets.room_rows import RoomRows
from client_tui.widgets.virtual_list import VirtualList
from client_tui.work import start
from shared_models.chat import Chatroom

PAGE = 50


class ChatsScreen(PickyScreen):
    """The room list, live."""

    context = "chats"
    AUTO_FOCUS: ClassVar[str] = "#rooms"

    def __init__(self) -> None:
        super().__init__()
        self._next_cursor: str | None = None
        self._all_loaded = False

    def heading(self) -> str:
        """How many are unread."""
        unread = self.store.unread_total()
        return f"chats · {unread} unread" if unread else "chats"

    def content(self) -> Iterable[Widget]:
        """The list, or why it is empty."""
        rows = RoomRows(lambda: self.store.me, self.link.now, lambda: self.app.theme_variables)
        yield VirtualList[Chatroom](rows, id="rooms")
        yield Static(
            "No chats yet.\n\nc on a listing opens one   g b browses",
            id="no-rooms",
            classes="empty",
            markup=False,
        )

    def on_mount(self) -> None:
        """Show what is known, then ask for older rooms when scrolled to."""
        super().on_mount()
        self._redraw()

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
        if not self._all_loaded:
            start(self, self._load, group="rooms", exclusive=True)

    async def _load(self) -> None:
        try:
            page = await self.link.api.rooms(cursor=self._next_cursor, limit=PAGE)
        except ServerUnreachable as error:
            self.failed(error)  # the rooms that are known stay, and the status cell says why
            return
        self._next_cursor = page.next_cursor
        self._all_loaded = page.next_cursor is None
        for room in page.items:
            if room.id not in self.store.state.rooms:
                self.store.put_room(room)

    def selected(self) -> Chatroom | None:
        """The room under the cursor."""
        rooms = self.rooms
        return None if rooms.cursor is None else rooms.item(rooms.cursor)

    def why_not(self, action_id: str) -> str | None:
        """What needs a room."""
        if action_id in {"open_room", "mute", "room_listing"} and self.selected() is None:
            return "There is no chat here."
        return None

    @on(VirtualList.Activated)
    async def _activated(self) -> None:
        await self.action_do("open_room")

    @on(VirtualList.CursorMoved)
    def _moved(self) -> None:
        self.redraw_bars()

    def do_open_room(self) -> None:
        """Into the room."""
        room = self.selected()
        if room is not None:
            self.picky.open_chat(room.id)

    def do_room_listing(self) -> None:
        """The listing it is about."""
        room = self.selected()
        if room is not None:
            self.picky.open_listing(room.listing.id)

    def do_mute(self) -> None:
        """No notices from it, or again."""
        start(self, self._mute, group="mute")

    async def _mute(self) -> None:
        room = self.selected()
        if room is None:
            return
        await (self.link.api.unmute if room.muted else self.link.api.mute)(room.id)
        self.store.put_room(room.model_copy(update={"muted": not room.muted}))
        self.say("Muted: it still counts, but tells nothing." if not room.muted else "Unmuted.")

    def do_refresh(self) -> None:
        """From the top."""
        self._next_cursor, self._all_loaded = None, False
        self._more()
