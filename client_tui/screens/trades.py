"""Trades: open ones and what became of the others."""

from typing import ClassVar, Literal

from client_tui.screens.choose import ChooseScreen
from client_tui.screens.list_screen import ListScreen
from client_tui.store import Change, Reset, TradeChanged
from client_tui.widgets.trade_rows import TradeRows
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


class TradesScreen(ListScreen[Trade]):
    """One's own trades, newest first."""

    context = "trades"
    opens: ClassVar[str] = "open_trade"

    def __init__(self) -> None:
        super().__init__()
        self._role: Literal["seller", "buyer"] | None = None

    def heading(self) -> str:
        """Which ones."""
        return "trades" if self._role is None else f"trades · {dict(_NARROWINGS)[self._role]}"

    def rows(self) -> TradeRows:
        """Three rows each."""
        return TradeRows(self.link.market, self.link.now, lambda: self.app.theme_variables)

    def wanted(self) -> str:
        """The narrowing."""
        return self._role or "all"

    async def read(self, cursor: str | None) -> Page[Trade]:
        """Of this narrowing."""
        return await self.link.api.trades(role=self._role, cursor=cursor, limit=PAGE)

    def why_empty(self) -> str:
        """Of all, or of this narrowing."""
        if self._role is None:
            return "No trades yet.\n\nA trade begins in a chat."
        return f"None of {dict(_NARROWINGS)[self._role]}." + self.hint("narrow shows others")

    def on_change(self, change: Change) -> None:
        """A trade moved on, or a new one began."""
        if isinstance(change, TradeChanged) and change.trade.id.int in self.entries:
            self.entries.replace(change.trade)
        elif isinstance(change, TradeChanged | Reset):
            self.do_refresh()

    def why_not(self, action_id: str) -> str | None:
        """What needs a trade."""
        if action_id in {"open_trade", "trade_chat"} and self.selected() is None:
            return "There is no trade here."
        return None

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
            self.older.begin(None)
            if self.shown != role:
                self.note("One moment…")
            self.redraw_bars()
            self.do_refresh()
