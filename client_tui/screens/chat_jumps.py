"""Jumps in a chat: to its ends, a day, what was found. Who moves by hand meanwhile stays there."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID

from textual import on

from client_tui.conversation import GAP
from client_tui.core.errors import ClientError
from client_tui.moments import parse_day
from client_tui.screens.ask import AskScreen
from client_tui.screens.chat_base import ChatBase
from client_tui.screens.message_search import MessageSearchScreen
from client_tui.widgets.chat_rule import ChatRule
from client_tui.widgets.history import History
from client_tui.widgets.virtual_list.viewport import Place
from client_tui.work import start

_HITS: Final = frozenset({"next_hit", "hit_before"})
_GROUP: Final = "jump"
_SAID_AFTER_S: Final = 0.3
"""A jump that takes no longer is seen by itself."""


@dataclass(frozen=True, eq=False, slots=True)
class Jump:
    """Where to, in words; ``go`` tells whether it got there."""

    to: str
    go: Callable[[], Coroutine[None, None, bool]]


class Jumping(ChatBase):
    """The ways to other places of the history."""

    draw_soon: Callable[[], None]

    def __init__(self, room_id: UUID) -> None:
        super().__init__(room_id)
        self.loaded = False
        self.in_vain = False
        """Whether the server was asked and did not answer: there are only copies then."""
        self._hits: list[int] = []
        self._more_hits = False
        self._hit: int | None = None
        self._at_hit = False
        """Whether a hit was the last that was gone to."""
        self._under_way: Jump | None = None
        self._due: Jump | None = None
        """What is still to be done once the server answers, unless the reader goes elsewhere."""

    # How one gets there

    @property
    def under_way(self) -> bool:
        """Whether the view is about to be elsewhere."""
        return self._under_way is not None

    def _jump(self, to: str, go: Callable[[], Coroutine[None, None, bool]]) -> None:
        """Of two jumps the later one counts: it ends what is still on its way, or due."""
        self._due = None
        self._at_hit = False
        self._set_out(Jump(to, go))

    def _set_out(self, jump: Jump) -> None:
        self._under_way = jump
        if self.query_one(ChatRule).going:
            self._show_going()
        self.set_timer(_SAID_AFTER_S, self._show_going)
        start(self, partial(self._carry_out, jump), group=_GROUP, exclusive=True)

    async def _carry_out(self, jump: Jump) -> None:
        try:
            if await jump.go() and self._due is jump:
                self._due = None
        finally:
            if self._under_way is jump:
                self._stop_going()

    def _stop_going(self) -> None:
        self._under_way = None
        self._show_going()
        self.draw_soon()

    def _show_going(self) -> None:
        if self.is_there:
            jump = self._under_way
            self.query_one(ChatRule).going = f"going to {jump.to}…" if jump else ""

    def go_to_due(self) -> bool:
        """Where the view has still to go, if the reader has not gone elsewhere meanwhile."""
        if self._due is not None and self._under_way is not self._due and self.is_there:
            self._set_out(self._due)
        return self._due is not None

    @on(History.MovedByHand)
    def _stay(self) -> None:
        """Who reads on is not called away any more."""
        self._due = None
        if self._under_way is not None:
            self.workers.cancel_group(self, _GROUP)
            self._stop_going()

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

    # The ends

    @on(History.Wanted)
    def _wanted(self, event: History.Wanted) -> None:
        if event.newest:
            self.do_newest()
        else:
            self.do_first()

    def do_newest(self) -> None:
        """To the newest message."""
        self._jump("the newest", self.go_to_newest)

    async def go_to_newest(self) -> bool:
        """Load the newest messages where they are not here, and show the last row."""
        if not self.conversation.at_newest and not await self.pages.newest_there_is():
            return False
        self._show_last_row()
        return True

    def _show_last_row(self) -> None:
        self.history.sync()
        self.history.jump_to_bottom()
        self.history.cursor = self.conversation.keys[-1] if self.history.has_focus else None

    def show_sent(self) -> None:
        """What was written is seen at once, below what is missing; then what is missing comes."""
        self._show_last_row()
        self._at_hit = False
        if not self.conversation.at_newest:
            self._due = Jump("the newest", self._go_to_sent)
            self._set_out(self._due)

    async def _go_to_sent(self) -> bool:
        """It stays due until it succeeds, and the row of what is missing says why it did not."""
        try:
            return await self.go_to_newest()
        except ClientError as error:
            self.pages.fail(GAP, str(error))
            return False

    def do_first(self) -> None:
        """To where the chat begins."""
        self._jump("the beginning", self._go_to_first)

    async def _go_to_first(self) -> bool:
        arrived = await self._go_to(1, "top")
        if arrived:
            self.history.jump_to_top()
        return arrived

    def do_unread(self) -> None:
        """To the first message that was unread when the chat was opened."""
        first = self.conversation.read_seq + 1
        self._jump("the first unread", partial(self._go_to, first, "center"))

    # What was found

    def do_search(self) -> None:
        """For words in this chat."""
        self.app.push_screen(MessageSearchScreen(self.room_id))

    def show_hits(self, seqs: list[int], seq: int, *, more: bool = False) -> None:
        """To a message that a search has found, among others here; the newest first.

        ``more``: the search goes on behind them.
        """
        self._hits, self._hit, self._more_hits = seqs, seq, more
        jump = Jump("what was found", self._go_to_hit)
        self._due = None if self.loaded else jump
        if self.loaded or self.in_vain:
            self._set_out(jump)

    async def _go_to_hit(self) -> bool:
        if self._hit is None or not await self._go_to(self._hit, "center"):
            return False
        self._at_hit = True
        return True

    def hits_note(self) -> str:
        """Which hit is shown and the keys of those beside it; empty where one has gone on."""
        if not self._at_hit or self._hit is None:
            return ""
        more = "+" if self._more_hits else ""
        note = f"hit {self._hits.index(self._hit) + 1} of {len(self._hits)}{more}"
        ways = {"next_hit": "older", "hit_before": "newer"}
        there = [id for id in ways if self._beside(id) is not None]
        return " · ".join([note, *(f"{self.key_here(id)} {ways[id]}" for id in there)])

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
        self._jump("what was found", self._go_to_hit)

    def do_hit_before(self) -> None:
        """To the one found before it."""
        self._hit = self._beside("hit_before")
        self._jump("what was found", self._go_to_hit)

    # A day

    def do_to_date(self) -> None:
        """To a date."""
        now = self.link.now()

        def answered(text: str | None) -> None:
            if text is not None:
                self._jump("that day", partial(self.go_to_day, text))

        screen = AskScreen(
            "To which day?",
            "yesterday, sat, 11-19 or 2026-11-19",
            check=lambda text: parse_day(text, now),
        )
        self.app.push_screen(screen, answered)

    async def go_to_day(self, text: str) -> bool:
        """To the first message of a day, as somebody writes one."""
        seq = await self.pages.first_of(parse_day(text, self.link.now()))
        if seq is not None:
            return await self._go_to(seq, "top")
        self.say("Nothing was written on that day or after it.")
        return await self.go_to_newest()
