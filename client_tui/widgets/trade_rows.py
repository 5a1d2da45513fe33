"""Trades as rows of a virtual list."""

from collections.abc import Callable, Mapping
from datetime import datetime

from rich.text import Text
from textual.strip import Strip

from client_tui.format import ago, cells, fit, money, time_left, trade_state, visible_line
from client_tui.widgets.strips import strip_of
from shared_models.market import Market
from shared_models.trades import OPEN_TRADE_STATES, Trade


def other_party(trade: Trade) -> str:
    """The name of the other side."""
    card = trade.buyer if trade.role == "seller" else trade.seller
    return visible_line(card.display_name)


class TradeRows:
    """Draws a :class:`Trade` in three rows, the last one empty."""

    def __init__(
        self,
        market: Market,
        now: Callable[[], datetime],
        colors: Callable[[], Mapping[str, str]],
    ) -> None:
        self._market = market
        self._now = now
        self._colors = colors

    def key(self, item: Trade) -> int:
        """The trade's id."""
        return item.id.int

    def estimate(self, item: Trade, width: int) -> int:
        """Always the same."""
        return 3

    def render(self, item: Trade, width: int) -> list[Strip]:
        """What for how much; with whom and how it stands."""
        colors = self._colors()
        dim = colors.get("dim", "")
        price = fit(money(item.agreed_price, self._market.currency_exponent), 12, "right")
        age = fit(ago(item.updated_at, self._now()), 4, "right")
        title = fit(visible_line(item.snapshot.title), max(6, width - cells(price) - 8))
        first = Text.assemble((title, "bold"), "  ", (price, f"bold {colors['primary']}"))
        first.append(f"  {age}", dim)
        state = trade_state(item.state)
        open_now = item.state in OPEN_TRADE_STATES
        verb = "selling to" if item.role == "seller" else "buying from"
        left = f"{verb} {other_party(item)} · {'by post' if item.method == 'post' else 'in person'}"
        if open_now and item.due_at is not None:
            left += f" · {time_left(item.due_at, self._now())}"
        if "review" in item.allowed_actions:
            left += " · review it"
        second = Text(fit(left, max(6, width - cells(state) - 1)), dim)
        second.append(" " + state, colors["primary"] if open_now else dim)
        return [strip_of(first), strip_of(second), Strip.blank(width)]
