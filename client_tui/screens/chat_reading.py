"""Reading in a chat: pages as they are needed, read marks, and what the other side does."""

import asyncio
from functools import partial
from typing import Final
from uuid import UUID

from textual import on
from textual.timer import Timer
from textual.widgets import Static

from client_tui.conversation import GAP, TOP
from client_tui.core.errors import ClientError, NotFound
from client_tui.core.status import LineState
from client_tui.format import truncate, visible_line
from client_tui.history_pages import End
from client_tui.screens.chat_jumps import Jumping
from client_tui.screens.viewer import ViewerScreen
from client_tui.store import PeerHere, PeerTyping
from client_tui.widgets.chat_rule import ChatRule
from client_tui.widgets.history import KEPT, History
from client_tui.widgets.virtual_list import VirtualList
from client_tui.work import start

_SLACK: Final = 100
"""So many more messages may come before the oldest are forgotten."""


class Reading(Jumping):
    """The history's side of the chat."""

    def __init__(self, room_id: UUID) -> None:
        super().__init__(room_id)
        self.missing = ""
        """Why there is no chat here, if there is none."""
        self._seen = 0
        self._unread_line_seen = False
        self._peer_does: dict[type[PeerTyping | PeerHere], Timer] = {}
        self._drawing_soon = False

    # Drawing

    def draw_soon(self) -> None:
        """Draw once for all the changes that come together."""
        if not self._drawing_soon and self.is_there:
            self._drawing_soon = True
            self.call_later(self.show_changes)

    def show_changes(self) -> None:
        """Draw what has changed in the conversation, and get the pages it leads to."""
        self._drawing_soon = False
        if self.is_there:
            self.history.sync()
            if len(self.conversation.window) > KEPT + _SLACK:
                self.history.prune()
            self.show_note()
            self.mark_read()
            self._supply()

    def show_note(self) -> None:
        """Say what is going on where there is no history."""
        if not self.is_there:
            return
        note = ""
        if self.missing:
            note = self.missing + self.hint("back goes back")
        elif not self.conversation.window and not any(self.conversation.all_waiting()):
            note = self._why_nothing()
        self.query_one("#chat-note", Static).update(note)
        self.query_one("#chat-note").display = bool(note)
        self.history.display = not note

    def _why_nothing(self) -> str:
        status, tries = self.link.status, self.hint("refresh tries again", "back goes back")
        if self.pages.ends[TOP] is End.FAILED:
            return self.pages.reasons[TOP] + tries
        if self.loaded:
            return "Nothing was said here yet."
        if status.state in (LineState.CONNECTING, LineState.ONLINE):
            return "One moment…" + self.hint("back goes back")
        return f"The messages are not here yet: {status.reason or 'offline'}.{tries}"

    # Pages

    async def show_copies(self) -> None:
        """What is known on this machine, at once."""
        for message in await self.link.outbox.waiting(self.room_id):
            self.conversation.wait_for(message)
        await self.pages.open()
        self.draw_soon()

    async def ask_server(self, *, again: bool = False) -> None:
        """The room and its newest page; ``again``: what is in view, which may be wrong now."""
        try:
            reading = self._read_again() if again else self._read_newest()
            room, _ = await asyncio.gather(self.link.api.room(self.room_id), reading)
        except NotFound:
            self.missing = "This chat is no longer there."
            self.show_note()
            return
        except ClientError as error:
            if self.conversation.window and self.online:
                self.say(str(error), severity="warning")
            self.in_vain = True
            self.draw_soon()
            return
        first, self.loaded = not self.loaded, True
        if self.room is None:
            self.conversation.read_seq, self.conversation.unread = room.read_seq, room.unread
        self.store.put_room(room)
        if first:
            self.go_to_due()

    async def _read_newest(self) -> None:
        """The newest page; who is at the bottom by then goes on to the newest message."""
        if await self.pages.newest(stays=lambda: not self.history.at_bottom):
            self._show_newest_at_bottom()

    async def _read_again(self) -> None:
        """What is in view; the newest page where the newest message is."""
        if await self.pages.renew(self._in_view) and self._in_view() is None:
            self._show_newest_at_bottom()

    def _in_view(self) -> int | None:
        return None if self.history.at_bottom and self.history.follow else self._top_seq()

    def _show_newest_at_bottom(self) -> None:
        """Before the page is drawn, which would leave the reader where something was missing."""
        if self.is_there and self.history.at_bottom:
            self.history.sync()
            self.history.jump_to_bottom()

    def notice_leaving(self) -> None:
        """It was left, here or on another device; or a new message has brought it back."""
        left = self.room is not None and self.room.left
        if left and not self.missing:
            self.missing = "You left this chat. A new message brings it back."
            self.pages.empty()
            self.draw_soon()
        elif not left and self.missing:
            self.missing = ""
            start(self, partial(self.ask_server, again=True), group="chat")

    def _top_seq(self) -> int | None:
        window = self.conversation.window
        return next((key for key in self.history.visible_keys if key in window), None)

    def _supply(self) -> None:
        """The next page, where an end of the window is near and is not about to be left."""
        if not (self.loaded or self.in_vain) or not self.history.size.height or self.under_way:
            return
        ends, conversation = self.pages.ends, self.conversation
        if self.history.near_top and conversation.more_before and ends[TOP] is End.IDLE:
            self.load(TOP)
        if self.history.near_bottom and not conversation.at_newest and ends[GAP] is End.IDLE:
            self.load(GAP)

    def load(self, end: int) -> None:
        """The page beyond an end of the window."""
        start(self, partial(self._load, end), group="page")

    async def _load(self, end: int) -> None:
        await (self.pages.older() if end == TOP else self.pages.newer())
        if self.is_there:
            self.history.sync()
            self.history.prune()

    @on(VirtualList.NearTop)
    @on(VirtualList.NearBottom)
    def _near_an_end(self) -> None:
        self._supply()

    # Seen

    @on(VirtualList.BottomChanged)
    def _bottom_changed(self) -> None:
        self.mark_read()

    def mark_read(self) -> None:
        """Seen is what is at the bottom of a screen in front of somebody (rule 7)."""
        if not self.is_there:
            return
        conversation, room = self.conversation, self.room
        at_end = self.history.at_bottom and conversation.at_newest and bool(conversation.window)
        if at_end and self.in_front and self.app.app_focus:
            self._seen = conversation.head
            if room is not None and room.read_seq < conversation.head:
                self.link.session.mark_read(self.room_id, conversation.head)
        self._show_jump(at_end)

    def _show_jump(self, at_end: bool) -> None:
        self._see_unread_line()
        rule, conversation = self.query_one(ChatRule), self.conversation
        rule.found = self.hits_note()
        begins_above = conversation.read_seq + 1 < (self._top_seq() or 0)
        new = conversation.news_after(self._seen) if self._seen else 0
        if not at_end and conversation.window:
            rule.jump = (
                f"↓ {new} new · {self.key_here('newest')}"
                if new > 0
                else f"↓ newest · {self.key_here('newest')}",
                "newest",
            )
        elif conversation.unread and begins_above and not self._unread_line_seen:
            rule.jump = (f"↑ {conversation.unread} unread · {self.key_here('unread')}", "unread")
        else:
            rule.jump = ("", "")

    @on(History.MovedByHand)
    def _see_unread_line(self) -> None:
        """Who has had it in view, if only in passing, knows where the unread ones began."""
        line = self.conversation.unread_line
        self._unread_line_seen |= line is not None and line in self.history.visible_keys

    def do_unread(self) -> None:
        """To the first message that was unread when the chat was opened."""
        self._unread_line_seen = True
        super().do_unread()

    # The other side

    def peer_does(self, what: type[PeerTyping | PeerHere], seconds: float) -> None:
        """The other side types or looks at this for so long, unless it is said again or ended."""
        if (before := self._peer_does.pop(what, None)) is not None:
            before.stop()
        if seconds > 0:
            self._peer_does[what] = self.set_timer(seconds, partial(self.peer_does, what, 0))
        self._show_peer()

    def peer_is_lost(self) -> None:
        """Without a line nobody knows what the other side does."""
        for what in tuple(self._peer_does):
            self.peer_does(what, 0)

    def _show_peer(self) -> None:
        name, does = truncate(self.other_name(), 20), ""
        if PeerTyping in self._peer_does:
            does = f"{name} is typing…"
        elif PeerHere in self._peer_does:
            does = f"{name} is here"
        self.query_one(ChatRule).peer = does

    # Photos

    def do_open_message(self) -> None:
        """The photos of the message under the cursor, full-screen."""
        self.view_photos(0)

    def view_photos(self, index: int) -> None:
        """One of the photos of the message under the cursor."""
        message = self.selected_message()
        if message is not None and message.photos:
            mine = message.sender_id == self.conversation.me
            title = visible_line(message.text) or ("me" if mine else self.other_name())
            self.app.push_screen(ViewerScreen(title, message.photos, index))

    def picture_ready(self, photo_id: UUID) -> None:
        """A picture can be drawn now."""
        rows = self.conversation.rows_with(photo_id)
        if rows:
            self.conversation.touch(*rows)
            self.draw_soon()
