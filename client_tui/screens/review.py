"""A review: stars, tags, a few words."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, OptionList, Static, TextArea
from textual.widgets.option_list import Option
from textual.widgets.selection_list import Selection

from client_tui.screens.dialog import SendingDialog
from client_tui.widgets.ticks import TickList
from shared_models.market import Market
from shared_models.trades import ReviewCreate

_WORDS = ("", "bad", "poor", "all right", "good", "great")


class ReviewScreen(SendingDialog):
    """Seen by nobody until both sides have written one, or 14 days are over."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", show=False),
        Binding("ctrl+s", "send", show=False, priority=True),
    ]

    def __init__(
        self, other: str, market: Market, review: Callable[[ReviewCreate], Awaitable[None]]
    ) -> None:
        """``review`` sends it."""
        super().__init__()
        self._review = review
        self._other = other
        self._market = market

    def compose(self) -> ComposeResult:
        """Stars, tags, comment."""
        limits = self._market.limits
        with Vertical(classes="dialog wide"):
            yield Static(f"Review {self._other}", classes="dialog-title", markup=False)
            yield OptionList(
                *(
                    Option("★" * stars + "☆" * (5 - stars) + f"  {_WORDS[stars]}", id=str(stars))
                    for stars in (5, 4, 3, 2, 1)
                ),
                id="stars",
            )
            yield Static(f"up to {limits.review_tags_max} tags", classes="field-label")
            yield TickList(
                *(Selection(tag.name, tag.id) for tag in self._market.review_tags),
                id="tags",
                compact=True,
            )
            yield TextArea(id="comment", placeholder="A few words (optional)")
            yield Static("", classes="field-error", markup=False)
            with Horizontal(classes="buttons"):
                yield Button("Send (ctrl+s)", id="go", variant="primary")
                yield Button("Cancel", id="cancel")

    def on_mount(self) -> None:
        """Start at five stars."""
        self.query_one("#stars", OptionList).highlighted = 0

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Send or not."""
        if event.button.id == "go":
            self.action_send()
        else:
            self.dismiss()

    def on_option_list_option_selected(self) -> None:
        """On to the tags."""
        self.query_one("#tags").focus()

    def action_send(self) -> None:
        """Check and send."""
        limits = self._market.limits
        tags = self.query_one("#tags", TickList).selected
        comment = self.query_one("#comment", TextArea).text.strip()
        if len(tags) > limits.review_tags_max:
            self.say_wrong(f"At most {limits.review_tags_max} tags.")
        elif len(comment) > limits.review_max:
            self.say_wrong(
                f"The comment has {len(comment)} of at most {limits.review_max} characters."
            )
        else:
            stars = 5 - (self.query_one("#stars", OptionList).highlighted or 0)
            review = ReviewCreate(rating=stars, tags=tags, comment=comment)
            self.send(partial(self._review, review), "Thank you for the review.")
