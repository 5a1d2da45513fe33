"""Whom one blocks; any of them can be unblocked."""

from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from textual import on
from textual.widget import Widget
from textual.widgets import Static

from client_tui.core.errors import ClientError
from client_tui.format import visible_line
from client_tui.keymap import key_of
from client_tui.screens.base import PickyScreen
from client_tui.screens.confirm import ConfirmScreen
from client_tui.screens.further_pages import FurtherPages
from client_tui.widgets.person_rows import PersonRows
from client_tui.widgets.retry_row import RetryRow
from client_tui.widgets.virtual_list import VirtualList
from client_tui.work import start
from shared_models.accounts import ProfileCard
from shared_models.base import Page

PAGE = 50


class BlockedScreen(PickyScreen):
    """Blocked people, newest block first."""

    context = "blocked"
    AUTO_FOCUS: ClassVar[str] = "#blocked"

    def __init__(self) -> None:
        super().__init__()
        self._older = FurtherPages(self, self._read, self._take)
        self._looked_at_somebody = False

    def heading(self) -> str:
        """What it lists."""
        return "‹ blocked people"

    def content(self) -> Iterable[Widget]:
        """The list, or why it is empty."""
        rows = PersonRows(lambda: self.app.theme_variables)
        yield VirtualList[ProfileCard](rows, id="blocked")
        yield RetryRow(id="more")
        yield Static("One moment…", id="blocked-note", classes="empty", markup=False)

    def on_mount(self) -> None:
        """Load."""
        super().on_mount()
        self.do_refresh()

    def on_screen_resume(self) -> None:
        """Back from a profile, on which one may have unblocked."""
        super().on_screen_resume()
        if self._looked_at_somebody:
            self._looked_at_somebody = False
            self.do_refresh()

    @property
    def people(self) -> VirtualList[ProfileCard]:
        """The list."""
        return self.query_one("#blocked", VirtualList)

    def do_refresh(self) -> None:
        """From the top."""
        if not self._older.retry():
            start(self, self._load, group="blocked", exclusive=True)

    async def _read(self, cursor: str | None) -> Page[ProfileCard]:
        return await self.link.api.blocks(cursor=cursor, limit=PAGE)

    async def _load(self) -> None:
        try:
            page = await self._read(None)
        except ClientError as error:
            self.failed(error)
            if len(self.people):
                self.say(str(error), severity="error")
            else:
                self._note(f"{error}{self.hint('refresh tries again')}")
            return
        self._older.begin(page.next_cursor)
        self.people.set_items(page.items)
        if page.items and self.people.cursor is None:
            self.people.jump_to(page.items[0].id.int, "top")
        self._show_list()

    def _take(self, items: list[ProfileCard]) -> bool:
        new = [card for card in items if card.id.int not in self.people]
        self.people.append(new)
        self._show_list()
        return bool(new)

    def _show_list(self) -> None:
        if len(self.people):
            self._note(None)
        elif self._older.more:
            self._note("One moment…")
        else:
            key = key_of("person", "block")
            self._note(f"You block nobody.\n\n{key} on somebody's profile blocks them")
        self.redraw_bars()

    def _note(self, text: str | None) -> None:
        note = self.query_one("#blocked-note", Static)
        note.update(text or "")
        note.display = text is not None
        self.people.display = text is None
        if text is None and self.focused is None:
            self.people.focus()

    @on(VirtualList.NearBottom)
    def _more(self) -> None:
        self._older.load()

    def selected(self) -> ProfileCard | None:
        """The person under the cursor."""
        people = self.people
        return None if people.cursor is None else people.item(people.cursor)

    def why_not(self, action_id: str) -> str | None:
        """What needs somebody."""
        if action_id in {"open_person", "unblock"} and self.selected() is None:
            return "There is nobody here."
        return None

    @on(VirtualList.Activated)
    async def _activated(self) -> None:
        await self.action_do("open_person")

    @on(VirtualList.CursorMoved)
    def _moved(self) -> None:
        self.redraw_bars()

    def do_open_person(self) -> None:
        """Their profile."""
        person = self.selected()
        if person is not None:
            self._looked_at_somebody = True
            self.picky.open_profile(person.id)

    def do_unblock(self) -> None:
        """Unblock after a question."""
        person = self.selected()
        if person is None:
            return
        question = ConfirmScreen(
            f"Unblock {visible_line(person.display_name)}?",
            "Messages go both ways again, and each sees the other's listings. They are not told.",
            yes="Unblock",
        )
        self.app.push_screen(question, partial(self._answered, person))

    def _answered(self, person: ProfileCard, yes: bool | None) -> None:
        if yes:
            start(self, partial(self._unblock, person), group="unblock")

    async def _unblock(self, person: ProfileCard) -> None:
        await self.link.api.unblock(person.id)
        if person.id.int in self.people:
            self.people.remove_item(person.id.int)
        if not len(self.people):
            self._older.load()
        self._show_list()
