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

from client_tui.format import stars
from client_tui.screens.dialog import SendingDialog
from client_tui.widgets.field import ErrorLine
from client_tui.widgets.ticks import TickList
from shared_models.market import Market
from shared_models.trades import ReviewCreate

_WORDS = ("", "bad", "poor", "all right", "good", "great")
_NO_SHOW = ReviewCreate(rating=1, tags=["no_show"])


def _in_words(rating: int) -> str:
    return f"{stars(rating)}  {_WORDS[rating]}"


class ReviewScreen(SendingDialog):
    """Seen by nobody until both sides have written one, or the days for it are over.

    Of a canceled trade, only that the other side did not come; that is seen at once (rule 13).
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", show=False),
        Binding("ctrl+s", "send", show=False, priority=True),
    ]

    def __init__(
        self,
        other: str,
        market: Market,
        review: Callable[[ReviewCreate], Awaitable[None]],
        *,
        only_no_show: bool = False,
    ) -> None:
        """``review`` sends it."""
        super().__init__()
        self._only_no_show = only_no_show
        self._review = review
        self._other = other
        self._market = market

    def compose(self) -> ComposeResult:
        """Stars, tags, comment; or that somebody did not come."""
        with Vertical(classes="dialog wide"):
            yield Static(f"Review {self._other}", classes="dialog-title", markup=False)
            yield from self._no_show() if self._only_no_show else self._form()
            yield ErrorLine()
            with Horizontal(classes="buttons"):
                yield Button("Send (ctrl+s)", id="go", variant="primary")
                yield Button("Cancel", id="cancel")

    def _form(self) -> ComposeResult:
        yield OptionList(
            *(Option(_in_words(rating), id=str(rating)) for rating in (5, 4, 3, 2, 1)), id="stars"
        )
        most = self._market.limits.review_tags_max
        yield Static(f"up to {most} tags", classes="field-label")
        yield TickList(
            *(Selection(tag.name, tag.id) for tag in self._market.review_tags),
            id="tags",
            compact=True,
        )
        yield TextArea(id="comment", placeholder="A few words (optional)")

    def _no_show(self) -> ComposeResult:
        names = {tag.id: tag.name for tag in self._market.review_tags}
        tag = names.get(_NO_SHOW.tags[0], "Did not come")
        yield Static(f"{_in_words(_NO_SHOW.rating)} · {tag}", id="no-show", markup=False)
        about = "The trade was canceled: nothing else is said of it. Everybody sees it at once."
        yield Static(about, classes="field-label", markup=False)

    def on_mount(self) -> None:
        """Start at five stars."""
        if self._only_no_show:
            self.query_one("#go").focus()
        else:
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
        if self._only_no_show:
            self.send(partial(self._review, _NO_SHOW), "Thank you for the review.")
            return
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
            rating = 5 - (self.query_one("#stars", OptionList).highlighted or 0)
            review = ReviewCreate(rating=rating, tags=tags, comment=comment)
            self.send(partial(self._review, review), "Thank you for the review.")
