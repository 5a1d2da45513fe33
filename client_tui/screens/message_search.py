"""Search in one's messages: as one types, over all chats or in one."""

from collections.abc import Iterable
from functools import partial
from typing import ClassVar
from uuid import UUID

from textual import on
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Static

from client_tui.core.errors import ClientError
from client_tui.format import truncate, visible_line
from client_tui.keymap import Action, footer_of
from client_tui.screens.base import PickyScreen
from client_tui.screens.further_pages import FurtherPages
from client_tui.widgets.hit_rows import HitRows
from client_tui.widgets.retry_row import RetryRow
from client_tui.widgets.virtual_list import VirtualList
from client_tui.work import start
from shared_models.base import Page
from shared_models.bounds import SEARCH_MAX
from shared_models.chat import Chatroom, Message

PAGE = 30
TYPING_PAUSE_S = 0.2


class MessageSearchScreen(PickyScreen):
    """What was found is opened in its chat, with what was said before and after."""

    context = "message_search"
    AUTO_FOCUS: ClassVar[str] = "#words"

    def __init__(self, room_id: UUID | None = None) -> None:
        """In one room, if given."""
        super().__init__()
        self._room_id = room_id
        self._words = ""
        self._shown = ""
        self._older = FurtherPages(self, self._read, self._take)
        self._generation = 0
        self._pause: Timer | None = None

    def heading(self) -> str:
        """Where is looked."""
        if self._room_id is None:
            return "‹ search all chats"
        room = self._room(self._room_id)
        name = truncate(visible_line(room.other.display_name), 20) if room else "…"
        return f"‹ search the chat with {name}"

    def _room(self, room_id: UUID) -> Chatroom | None:
        return self.store.state.rooms.get(room_id)

    def content(self) -> Iterable[Widget]:
        """The search line, and what was found or why there is nothing."""
        yield Input(placeholder="words, -word to leave out", id="words", max_length=SEARCH_MAX)
        rows = HitRows(
            self._room,
            lambda: self.store.me,
            lambda: self._shown,
            self.link.now,
            lambda: self.app.theme_variables,
        )
        yield VirtualList[Message](rows, id="hits")
        yield RetryRow(id="more")
        yield Static("", id="hits-note", classes="empty", markup=False)

    def on_mount(self) -> None:
        """Nothing is looked for yet."""
        super().on_mount()
        self._note("Type a word that was said.")

    @property
    def hits(self) -> VirtualList[Message]:
        """What was found."""
        return self.query_one("#hits", VirtualList)

    # Loading

    @on(Input.Changed, "#words")
    def _typed(self) -> None:
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(TYPING_PAUSE_S, self._search)

    def _search(self) -> None:
        words = self.query_one("#words", Input).value.strip()
        if words != self._words:
            self._words = words
            self._reload()

    def _reload(self) -> None:
        """Start over; an answer to other words is dropped."""
        self._generation += 1
        self._older.begin(None)
        if not self._words:
            self._show([])
            self._note("Type a word that was said.")
            return
        if not len(self.hits):
            self._note("Looking…")
        start(self, partial(self._load, self._generation), group="hits", exclusive=True)

    async def _load(self, generation: int) -> None:
        try:
            page = await self._read(None)
        except ClientError as error:
            if generation == self._generation:
                self.failed(error)
                self._show([])
                self._note(f"{error}{self.hint('refresh tries again')}")
            return
        if generation == self._generation:
            self._older.begin(page.next_cursor)
            self._show(page.items)
            self._note(None if page.items else "Nobody said that here.")

    async def _read(self, cursor: str | None) -> Page[Message]:
        return await self.link.api.search_messages(
            self._words, room_id=self._room_id, cursor=cursor, limit=PAGE
        )

    def _show(self, items: list[Message]) -> None:
        self._shown = self._words
        self.hits.set_items(items)
        if items:
            self.hits.jump_to(items[0].id.int, "top")

    def _take(self, items: list[Message]) -> bool:
        new = [item for item in items if item.id.int not in self.hits]
        self.hits.append(new)
        return bool(new)

    def _note(self, text: str | None) -> None:
        note = self.query_one("#hits-note", Static)
        note.update(text or "")
        note.display = text is not None
        self.hits.display = text is None
        self.redraw_bars()

    @on(VirtualList.NearBottom)
    def _more(self) -> None:
        self._older.load()

    def do_refresh(self) -> None:
        """Again; or the page that failed."""
        if not self._older.retry():
            self._reload()

    # Actions

    def footer_actions(self) -> list[Action]:
        """Those of the search line while one is in it."""
        return footer_of("words") if self.is_typing else super().footer_actions()

    @on(Input.Submitted, "#words")
    def do_to_hits(self) -> None:
        """To what was found."""
        self._search()
        if len(self.hits):
            self.hits.focus()

    def do_search(self) -> None:
        """Back to the search line."""
        self.query_one("#words").focus()

    def why_not(self, action_id: str) -> str | None:
        """What needs a hit."""
        if action_id in {"open_hit", "to_hits"} and not len(self.hits):
            return "Nothing is found."
        return None

    @on(VirtualList.Activated)
    async def _activated(self) -> None:
        await self.action_do("open_hit")

    def do_open_hit(self) -> None:
        """Its chat, at the message; the others found there are a key away."""
        hits = self.hits
        if hits.cursor is None:
            return
        hit, found = hits.item(hits.cursor), [hits.item(key) for key in hits.keys]
        room_id = hit.chatroom_id
        self.picky.open_chat(room_id)
        here = [one.seq for one in found if one.chatroom_id == room_id]
        for chat in self.picky.chats_of(room_id):
            chat.show_hits(here, hit.seq, more=self._older.more)
