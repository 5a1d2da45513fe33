"""A screen that is one list of the server's: read from the top, going on where its end is near."""

from abc import abstractmethod
from collections.abc import Iterable
from typing import ClassVar, Generic, Protocol, TypeVar
from uuid import UUID

from textual import on
from textual.widget import Widget
from textual.widgets import Static

from client_tui.core.errors import ClientError
from client_tui.screens.base import PickyScreen
from client_tui.screens.further_pages import FurtherPages
from client_tui.widgets.retry_row import RetryRow
from client_tui.widgets.virtual_list import ItemRenderer, VirtualList
from client_tui.work import start
from shared_models.base import Page


class Listed(Protocol):
    """What has an id, which is its key in the list."""

    @property
    def id(self) -> UUID:
        """The id."""
        ...


T = TypeVar("T", bound=Listed)


class ListScreen(PickyScreen, Generic[T]):
    """Subclasses say how an item is drawn, which page follows, and why there is nothing.

    What fails is said in place of a list that is not there, and beside one that is.
    """

    AUTO_FOCUS: ClassVar[str] = "#list"
    opens: ClassVar[str]
    """The action of enter."""

    def __init__(self) -> None:
        super().__init__()
        self.older = FurtherPages(self, self.read, self._take)
        self.shown: str | None = None
        """Which list is there; None before the first."""

    @abstractmethod
    def rows(self) -> ItemRenderer[T]:
        """How items are drawn."""

    @abstractmethod
    async def read(self, cursor: str | None) -> Page[T]:
        """The page from this cursor on, the first for None."""

    @abstractmethod
    def why_empty(self) -> str:
        """What is said in place of a list with nothing in it."""

    def wanted(self) -> str:
        """Which list is wanted, where there are several."""
        return ""

    def content(self) -> Iterable[Widget]:
        """The list, or why it is empty."""
        yield VirtualList[T](self.rows(), id="list")
        yield RetryRow(id="more")
        yield Static("One moment…", id="list-note", classes="empty", markup=False)

    def on_mount(self) -> None:
        """Load."""
        super().on_mount()
        self.do_refresh()

    @property
    def entries(self) -> VirtualList[T]:
        """The list."""
        return self.query_one("#list", VirtualList)

    def selected(self) -> T | None:
        """The item under the cursor."""
        entries = self.entries
        if entries.cursor is None or not entries.display:
            return None
        return entries.item(entries.cursor)

    def do_refresh(self) -> None:
        """From the top; or the page that failed."""
        if not self.older.retry():
            start(self, self._load, group="list", exclusive=True)

    async def _load(self) -> None:
        wanted = self.wanted()
        try:
            page = await self.read(None)
        except ClientError as error:
            self.failed(error)
            if self.shown == wanted and len(self.entries):
                self.say(str(error), severity="error")
            else:
                self.note(f"{error}{self.hint('refresh tries again')}")
            return
        self.shown = wanted
        self.older.begin(page.next_cursor)
        self.entries.set_items(page.items)
        if page.items and self.entries.cursor is None:
            self.entries.jump_to(page.items[0].id.int, "top")
        self.show_list()

    def _take(self, items: list[T]) -> bool:
        new = [item for item in items if item.id.int not in self.entries]
        self.entries.append(new)
        self.show_list()
        return bool(new)

    def show_list(self) -> None:
        """The list; while nothing is in it, what is still to come, or why it is empty."""
        if len(self.entries):
            self.note(None)
        elif self.older.more:
            self.note("One moment…")
            self.older.load()
        else:
            self.note(self.why_empty())
        self.redraw_bars()

    def note(self, text: str | None) -> None:
        """Say something in place of the list; None for the list."""
        note = self.query_one("#list-note", Static)
        note.update(text or "")
        note.display = text is not None
        self.entries.display = text is None
        if text is None and self.focused is None:
            self.entries.focus()

    @on(VirtualList.NearBottom)
    def _more(self) -> None:
        self.older.load()

    @on(VirtualList.Activated)
    async def _activated(self) -> None:
        await self.action_do(self.opens)

    @on(VirtualList.CursorMoved)
    def _moved(self) -> None:
        self.redraw_bars()
