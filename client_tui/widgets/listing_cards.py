"""Listings as rows of a virtual list: picture, title, price, place, age, state."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.strip import Strip

from client_tui.format import (
    ago,
    card_state,
    cells,
    counted,
    fit,
    hand_over,
    money,
    truncate,
    visible_line,
)
from client_tui.widgets.palette import color_style
from client_tui.widgets.strips import strip_of
from shared_models.listings import ListingCard
from shared_models.market import Market
from shared_models.media import Photo

THUMB_COLUMNS = 10
THUMB_ROWS = 3
CARD_ROWS = THUMB_ROWS + 1
PRICE_COLUMNS = 12
ROOMY_COLUMNS = 50
"""From this width on prices stand in a column; below it the title needs the room."""

DrawThumb = Callable[[Photo, int, int], list[Strip]]


@dataclass(slots=True)
class CardColors:
    """Styles of a card, from the theme."""

    price: Style
    dim: Style
    accent: Style
    title: Style

    @classmethod
    def of(cls, colors: Mapping[str, str]) -> "CardColors":
        """From theme variables."""
        return cls(
            price=color_style(colors["primary"]) + Style(bold=True),
            dim=color_style(colors.get("dim", "ansi_bright_black")),
            accent=color_style(colors["primary"]),
            title=Style(bold=True),
        )


class ListingCards:
    """Draws a :class:`ListingCard` in four rows, the last one empty."""

    def __init__(
        self,
        market: Market,
        draw_thumb: DrawThumb,
        now: Callable[[], datetime],
        colors: Callable[[], CardColors],
        changed: Callable[[ListingCard], bool] = lambda _: False,
    ) -> None:
        """``changed``: whether a card has changed under the eyes of the reader."""
        self._market = market
        self._draw_thumb = draw_thumb
        self._now = now
        self._colors = colors
        self._changed = changed

    def key(self, item: ListingCard) -> int:
        """The listing's id."""
        return item.id.int

    def estimate(self, item: ListingCard, width: int) -> int:
        """Always the same."""
        return CARD_ROWS

    def render(self, item: ListingCard, width: int) -> list[Strip]:
        """Picture on the left, three lines of text beside it."""
        text_width = max(10, width - THUMB_COLUMNS - 3)
        colors = self._colors()
        badge = Text("✱ changed just now" if self._changed(item) else "", colors.accent)
        lines = [
            self._first(item, text_width, colors),
            self._second(item, text_width, colors),
            badge,
        ]
        thumb = self._thumb(item, colors)
        rows = []
        for picture, line in zip(thumb, lines, strict=True):
            gap = Strip([Segment("  ")])
            rows.append(Strip.join([picture, gap, strip_of(line)]))
        rows.append(Strip.blank(width))
        return rows

    def _thumb(self, item: ListingCard, colors: CardColors) -> list[Strip]:
        if item.cover is None:
            empty = Segment("·" * THUMB_COLUMNS, colors.dim)
            return [Strip([empty]) for _ in range(THUMB_ROWS)]
        return self._draw_thumb(item.cover, THUMB_COLUMNS, THUMB_ROWS)

    def _first(self, item: ListingCard, width: int, colors: CardColors) -> Text:
        price = "—" if item.price is None else self.price(item.price)
        age = fit(ago(item.bumped_at, self._now()), 4, "right")
        price = fit(price, PRICE_COLUMNS if width >= ROOMY_COLUMNS else cells(price), "right")
        right = f"{price}  {age}"
        title = fit(visible_line(item.title) or "(no title yet)", width - cells(right) - 2)
        line = Text(no_wrap=True, end="")
        line.append(title, colors.title)
        line.append("  ")
        line.append(price, colors.price)
        line.append(f"  {age}", colors.dim)
        return line

    def _second(self, item: ListingCard, width: int, colors: CardColors) -> Text:
        state = card_state(item)
        facts = [item.condition.replace("_", " ") if item.condition else None]
        facts.append(hand_over(item.method))
        if item.place:
            facts.append(visible_line(item.place))
        if item.like_count:
            facts.append(f"{'♥' if item.liked else '♡'} {item.like_count}")
        elif item.liked:
            facts.append("♥")
        if item.chat_count:
            facts.append(counted(item.chat_count, "chat"))
        left = truncate(" · ".join(str(fact) for fact in facts if fact), width - len(state) - 2)
        line = Text(no_wrap=True, end="")
        line.append(fit(left, width - len(state) - 1), colors.dim)
        line.append(" " + state, colors.accent if item.state == "selling" else colors.dim)
        return line

    def price(self, amount: int) -> str:
        """An amount for people; 0 is a giveaway."""
        if amount == 0:
            return "free"
        return money(amount, self._market.currency_exponent)
