"""Trades: open ones and what became of the others."""

from collections.abc import Iterable
from typing import ClassVar, Literal

from textual import on
from textual.widget import Widget
from textual.widgets import Static

from client_tui.core.errors import ClientError
from client_tui.screens.base import PickyScreen
from client_tui.screens.choose import ChooseScreen
from client_tui.screens.further_pages import FurtherPages
from client_tui.store import Change, Reset, TradeChanged
from client_tui.widgets.retry_row import RetryRow
from client_tui.widgets.trade_rows import TradeRows
from client_tui.widgets.virtual_list import VirtualList
from client_tui.work import start
from shared_models.base import Page
from shared_models.trades import Trade

PAGE = 40

_NARROWINGS = (
    ("all", "all trades"),
    ("seller", "what I sell"),
    ("buyer", "what I buy"),
)

_ROLES: dict[str, Literal["seller", "buyer"] | None] = {
    "all": None,
    "seller": "seller",
    "buyer": "buyer",
}


class TradesScreen(PickyScreen):
    """One's own trades, newest first."""

    context = "trades"
    AUTO_FOCUS: ClassVar[str] = "#trades"

    def __init__(self) -> None:
        super().__init__()
        self._role: Literal["seller", "buyer"] | None = None
        self._shown: str | None = None
        """The narrowing of the list that is there; None before the first."""
        self._older = FurtherPages(self, self._read, self._take)

    def heading(self) -> str:
        """Which ones."""
        return "trades" if self._role is None else f"trades · {dict(_NARROWINGS)[self._role]}"

    def content(self) -> Iterable[Widget]:
        """The list, or why there is none."""
        rows = TradeRows(self.link.market, self.link.now, lambda: self.app.theme_variables)
        yield VirtualList[Trade](rows, id="trades")
        yield RetryRow(id="more")
        yield Static("One moment…", id="trades-note", classes="empty", markup=False)

    def on_mount(self) -> None:
        """Load."""
        super().on_mount()
        self.do_refresh()

    @property
    def trades(self) -> VirtualList[Trade]:
        """The list."""
        return self.query_one("#trades", VirtualList)

    def do_refresh(self) -> None:
        """From the top."""
        if not self._older.retry():
            start(self, self._load, group="trades", exclusive=True)

    async def _read(self, cursor: str | None) -> Page[Trade]:
        return await self.link.api.trades(role=self._role, cursor=cursor, limit=PAGE)

    async def _load(self) -> None:
        wanted = self._role or "all"
        try:
            page = await self._read(None)
        except ClientError as error:
            self.failed(error)
            if self._shown != wanted or not len(self.trades):
                self._note(f"{error}{self.hint('refresh tries again')}")
            else:
                self.say(str(error), severity="error")
            return
        self._shown = wanted
        self._older.begin(page.next_cursor)
        self.trades.set_items(page.items)
        if page.items and self.trades.cursor is None:
            self.trades.jump_to(page.items[0].id.int, "top")
        self._note(None if len(self.trades) else self._why_empty())
        self.redraw_bars()

    def _why_empty(self) -> str:
        if self._role is None:
            return "No trades yet.\n\nA trade begins in a chat."
        return f"None of {dict(_NARROWINGS)[self._role]}." + self.hint("narrow shows others")

    def _take(self, items: list[Trade]) -> bool:
        new = [trade for trade in items if trade.id.int not in self.trades]
        self.trades.append(new)
        return bool(new)

    def _note(self, text: str | None) -> None:
        note = self.query_one("#trades-note", Static)
        note.update(text or "")
        note.display = text is not None
        self.trades.display = text is None

    @on(VirtualList.NearBottom)
    def _more(self) -> None:
        self._older.load()

    def on_change(self, change: Change) -> None:
        """A trade moved on, or a new one began."""
        if isinstance(change, TradeChanged) and change.trade.id.int in self.trades:
            self.trades.replace(change.trade)
        elif isinstance(change, TradeChanged | Reset):
            self.do_refresh()

    def selected(self) -> Trade | None:
        """The trade under the cursor."""
        trades = self.trades
        return None if trades.cursor is None or not trades.display else trades.item(trades.cursor)

    def why_not(self, action_id: str) -> str | None:
        """What needs a trade."""
        if action_id in {"open_trade", "trade_chat"} and self.selected() is None:
            return "There is no trade here."
        return None

    @on(VirtualList.Activated)
    async def _activated(self) -> None:
        await self.action_do("open_trade")

    @on(VirtualList.CursorMoved)
    def _moved(self) -> None:
        self.redraw_bars()

    def do_open_trade(self) -> None:
        """The trade with its timeline."""
        trade = self.selected()
        if trade is not None:
            self.picky.open_trade(trade.id)

    def do_trade_chat(self) -> None:
        """Its room."""
        trade = self.selected()
        if trade is not None:
            self.picky.open_chat(trade.chatroom_id)

    def do_narrow(self) -> None:
        """Selling, buying or both."""
        question = ChooseScreen("Show", list(_NARROWINGS), self._role or "all")
        self.app.push_screen(question, self._narrowed)

    def _narrowed(self, role: str | None) -> None:
        if role is not None:
            self._role = _ROLES[role]
            self._older.begin(None)
            if self._shown != role:
                self._note("One moment…")
            self.redraw_bars()
            self.do_refresh()
