"""Narrowing the market: category, condition, price, how it changes hands, state."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Button, Input, Select, Static
from textual.widgets.selection_list import Selection

from client_tui.format import money, parse_money
from client_tui.screens.dialog import Dialog
from client_tui.widgets.choice import choice, chosen_in
from client_tui.widgets.field import ErrorLine
from client_tui.widgets.ticks import Tick, TickList
from shared_models.listings import ListingFilter, ListingState
from shared_models.market import Condition, Market, Method

_STATES = (
    ("for sale", ListingState.SELLING.value),
    ("reserved", ListingState.RESERVED.value),
    ("sold", ListingState.SOLD.value),
    ("any", "any"),
)
_METHODS = (("meet in person", Method.MEET.value), ("by post", Method.POST.value))


def filter_line(narrowed: ListingFilter, market: Market) -> str:
    """A filter in a few words, for the top bar."""
    exponent = market.currency_exponent
    names = {category.id: category.name for category in market.categories}
    parts = [f"/ {narrowed.q}"] if narrowed.q else []
    if narrowed.category:
        parts.append(names.get(narrowed.category, narrowed.category))
    parts += [condition.replace("_", " ") for condition in narrowed.condition]
    if narrowed.giveaway:
        parts.append("free")
    low = money(narrowed.min_price, exponent) if narrowed.min_price is not None else ""
    high = money(narrowed.max_price, exponent) if narrowed.max_price is not None else ""
    if low or high:
        parts.append(f"{low}~{high}")
    if narrowed.method:
        parts.append(str(narrowed.method))
    if narrowed.negotiable:
        parts.append("negotiable")
    if narrowed.place:
        parts.append(narrowed.place)
    if narrowed.state != ListingState.SELLING:
        parts.append(str(narrowed.state))
    if narrowed.sort != "newest":
        parts.append(f"by {narrowed.sort.replace('_', ' ')}")
    return " · ".join(parts)


class FilterScreen(Dialog[ListingFilter | None]):
    """The filter as a form; search text and order stay as they are."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", show=False),
        Binding("ctrl+s", "apply", show=False),
    ]

    def __init__(self, narrowed: ListingFilter, market: Market) -> None:
        super().__init__()
        self._filter = narrowed
        self._market = market

    def compose(self) -> ComposeResult:
        """One row a question."""
        now, exponent = self._filter, self._market.currency_exponent
        with VerticalScroll(classes="dialog wide filters"):
            yield Static("Filter", classes="dialog-title")
            categories = [(category.name, category.id) for category in self._market.categories]
            yield choice(categories, now.category, prompt="every category", id="category")
            yield TickList(
                *(
                    Selection(choice.name, choice.id, choice.id in now.condition)
                    for choice in self._market.conditions
                ),
                id="condition",
                compact=True,
            )
            with Horizontal(classes="row"):
                yield Input(_amount(now.min_price, exponent), placeholder="price from", id="min")
                yield Input(_amount(now.max_price, exponent), placeholder="price to", id="max")
            yield ErrorLine(id="price-error")
            with Horizontal(classes="row"):
                yield choice(_METHODS, now.method, prompt="meet or post", id="method")
                yield choice(_STATES, str(now.state), prompt="for sale", id="state")
            with Horizontal(classes="row"):
                yield Input(now.place or "", placeholder="neighbourhood", id="place")
                yield Tick("negotiable", bool(now.negotiable), id="negotiable", compact=True)
                yield Tick("free", bool(now.giveaway), id="giveaway", compact=True)
            with Horizontal(classes="buttons"):
                yield Button("Show (ctrl+s)", id="apply", variant="primary")
                yield Button("Clear", id="clear")
                yield Button("Cancel", id="cancel")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Show, clear, or leave it as it is."""
        if event.button.id == "cancel":
            self.dismiss(None)
        elif event.button.id == "clear":
            self.dismiss(ListingFilter(q=self._filter.q, sort=self._filter.sort))
        else:
            self.action_apply()

    def on_input_submitted(self) -> None:
        """Enter in a field shows."""
        self.action_apply()

    def action_apply(self) -> None:
        """Read the form; a price that is none is said so."""
        try:
            low, high = self._price("min"), self._price("max")
            if low is not None and high is not None and low > high:
                raise ValueError("The lower price is above the higher one.")
        except ValueError as problem:
            self.query_one(ErrorLine).say(str(problem))
            return
        state = chosen_in(self.query_one("#state", Select)) or ListingState.SELLING
        method = chosen_in(self.query_one("#method", Select))
        self.dismiss(
            ListingFilter(
                q=self._filter.q,
                sort=self._filter.sort,
                category=chosen_in(self.query_one("#category", Select)),
                condition=tuple(Condition(c) for c in self.query_one(TickList).selected),
                min_price=low,
                max_price=high,
                method=Method(method) if method else None,
                state="any" if state == "any" else ListingState(state),
                place=self.query_one("#place", Input).value.strip() or None,
                negotiable=self.query_one("#negotiable", Tick).value or None,
                giveaway=self.query_one("#giveaway", Tick).value or None,
            )
        )

    def _price(self, field: str) -> int | None:
        text = self.query_one(f"#{field}", Input).value.strip()
        return parse_money(text, self._market.currency_exponent) if text else None


def _amount(amount: int | None, exponent: int) -> str:
    return "" if amount is None else money(amount, exponent)
