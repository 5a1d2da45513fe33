"""Reading in a chat: pages as they are needed, jumps, read marks, and who is typing."""

import asyncio
from collections.abc import Callable, Coroutine
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
from client_tui.moments import parse_day
from client_tui.screens.ask import AskScreen
from client_tui.screens.chat_base import ChatBase
from client_tui.screens.message_search import MessageSearchScreen
from client_tui.screens.viewer import ViewerScreen
from client_tui.widgets.chat_rule import ChatRule
from client_tui.widgets.history import KEPT, History
from client_tui.widgets.virtual_list import VirtualList
from client_tui.widgets.virtual_list.viewport import Place
from client_tui.work import start

_HITS: Final = frozenset({"next_hit", "hit_before"})
_SLACK: Final = 100
"""So many more messages may come before the oldest are forgotten."""


class Reading(ChatBase):
    """The history's side of the chat."""

    def __init__(self, room_id: UUID) -> None:
        super().__init__(room_id)
        self.missing = ""
        """Why there is no chat here, if there is none."""
        self.loaded = False
        self._in_vain = False
        """Whether the server was asked and did not answer: there are only copies then."""
        self._seen = 0
        self._hits: list[int] = []
        self._more_hits = False
        self._hit: int | None = None
        self._hit_due = False
        """Whether the view has still to go to it: the server has not answered yet."""
        self._peer_typing: Timer | None = None
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
            self._in_vain = True
            self.draw_soon()
            return
        first, self.loaded = not self.loaded, True
        if self.room is None:
            self.conversation.read_seq, self.conversation.unread = room.read_seq, room.unread
        self.store.put_room(room)
        if first:
            await self.go_to_due_hit()

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
            self.do_in_background(self.ask_server(again=True), "chat")

    def _top_seq(self) -> int | None:
        window = self.conversation.window
        return next((key for key in self.history.visible_keys if key in window), None)

    def _supply(self) -> None:
        """The next page, where an end of the window is near."""
        if not (self.loaded or self._in_vain) or not self.history.size.height:
            return
        ends, conversation = self.pages.ends, self.conversation
        if self.history.near_top and conversation.more_before and ends[TOP] is End.IDLE:
            self.load(TOP)
        if self.history.near_bottom and not conversation.at_newest and ends[GAP] is End.IDLE:
            self.load(GAP)

    def load(self, end: int) -> None:
        """The page beyond an end of the window."""
        self.do_in_background(self._load(end), "page")

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
        rule, conversation = self.query_one(ChatRule), self.conversation
        new = conversation.head - self._seen if self._seen else 0
        if not at_end and conversation.window:
            rule.jump = (
                f"↓ {new} new · {self.key_here('newest')}"
                if new > 0
                else f"↓ newest · {self.key_here('newest')}",
                "newest",
            )
        elif conversation.unread and conversation.read_seq + 1 < (self._top_seq() or 0):
            rule.jump = (f"↑ {conversation.unread} unread · {self.key_here('unread')}", "unread")
        else:
            rule.jump = ("", "")

    def peer_types(self, seconds: float) -> None:
        """The other side types for so long, unless a message comes first."""
        if self._peer_typing is not None:
            self._peer_typing.stop()
            self._peer_typing = None
        typing = ""
        if seconds > 0:
            typing = f"{truncate(self.other_name(), 20)} is typing…"
            self._peer_typing = self.set_timer(seconds, lambda: self.peer_types(0))
        self.query_one(ChatRule).typing = typing

    # Jumps

    @on(History.Wanted)
    def _wanted(self, event: History.Wanted) -> None:
        if event.newest:
            self.do_newest()
        else:
            self.do_first()

    def do_newest(self) -> None:
        """To the newest message."""
        self._jump(self.go_to_newest)

    async def go_to_newest(self) -> None:
        """Load the newest messages where they are not here, and show the last row."""
        if not self.conversation.at_newest and not await self.pages.newest_there_is():
            return
        self.history.sync()
        self.history.jump_to_bottom()
        self.history.cursor = self.conversation.keys[-1] if self.history.has_focus else None

    def do_first(self) -> None:
        """To where the chat begins."""
        self._jump(self._go_to_first)

    async def _go_to_first(self) -> None:
        if await self._go_to(1, "top"):
            self.history.jump_to_top()

    def do_unread(self) -> None:
        """To the first message that was unread when the chat was opened."""
        self._jump(partial(self._go_to, self.conversation.read_seq + 1, "center"))

    def _jump(self, go: Callable[[], Coroutine[None, None, object]]) -> None:
        """Of two jumps the later one counts: it ends what is still on its way, or due."""
        self._hit_due = False
        start(self, go, group="jump", exclusive=True)

    async def _go_to(self, seq: int, place: Place) -> bool:
        """To a message, or the nearest there is; False where a later jump went elsewhere."""
        if not await self.pages.around(seq):
            return False
        self.history.sync()
        window = self.conversation.window
        if window:
            key = min(max(seq, window.start), window.stop - 1)
            self.history.jump_to(key, place)
            self.history.focus()
        return True

    def do_search(self) -> None:
        """For words in this chat."""
        self.app.push_screen(MessageSearchScreen(self.room_id))

    def show_hits(self, seqs: list[int], seq: int, *, more: bool = False) -> None:
        """To a message that a search has found, among others here; the newest first.

        ``more``: the search goes on behind them.
        """
        self._hits, self._hit, self._more_hits = seqs, seq, more
        if self.loaded or self._in_vain:
            self._jump(self.go_to_hit)
        self._hit_due = not self.loaded

    async def go_to_due_hit(self) -> None:
        """To the message that was found, if the reader has not gone elsewhere meanwhile."""
        if self._hit_due:
            await self.go_to_hit()

    async def go_to_hit(self) -> None:
        """To the message that was found, if one was."""
        if self._hit is not None and await self._go_to(self._hit, "center"):
            self._hit_due = False

    def why_not(self, action_id: str) -> str | None:
        """What needs something found by a search."""
        if action_id not in _HITS:
            return super().why_not(action_id)
        if self._hit is None:
            return f"{self.key('search')} searches in this chat."
        if self._beside(action_id) is not None:
            return None
        if action_id == "next_hit" and self._more_hits:
            return "There may be older ones: scroll on in the search."
        return "There is no further one."

    def _beside(self, action_id: str) -> int | None:
        assert self._hit is not None
        at = self._hits.index(self._hit) + (1 if action_id == "next_hit" else -1)
        return self._hits[at] if 0 <= at < len(self._hits) else None

    def do_next_hit(self) -> None:
        """To the next message that was found, an older one."""
        self._hit = self._beside("next_hit")
        self._jump(self.go_to_hit)

    def do_hit_before(self) -> None:
        """To the one found before it."""
        self._hit = self._beside("hit_before")
        self._jump(self.go_to_hit)

    def do_to_date(self) -> None:
        """To a date."""
        now = self.link.now()

        def answered(text: str | None) -> None:
            if text is not None:
                self._jump(partial(self.go_to_day, text))

        screen = AskScreen(
            "To which day?",
            "yesterday, sat, 11-19 or 2026-11-19",
            check=lambda text: parse_day(text, now),
        )
        self.app.push_screen(screen, answered)

    async def go_to_day(self, text: str) -> None:
        """To the first message of a day, as somebody writes one."""
        seq = await self.pages.first_of(parse_day(text, self.link.now()))
        if seq is None:
            self.say("Nothing was written on that day or after it.")
            await self.go_to_newest()
        else:
            await self._go_to(seq, "top")

    # Photos

    def do_open_message(self) -> None:
        """The photos of the message under the cursor, full-screen."""
        self.view_photos(0)

    def view_photos(self, index: int) -> None:
        """One of the photos of the message under the cursor."""
        message = self.selected_message()
        if message is not None and message.photos:
            title = visible_line(message.text) or self.other_name()
            self.app.push_screen(ViewerScreen(title, message.photos, index))

    def picture_ready(self, photo_id: UUID) -> None:
        """A picture can be drawn now."""
        rows = self.conversation.rows_with(photo_id)
        if rows:
            self.conversation.touch(*rows)
            self.draw_soon()
