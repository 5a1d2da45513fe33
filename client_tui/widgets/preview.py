"""Beside the list on a wide terminal: the listing under the cursor, larger."""

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from client_tui.app_of import link_of
from client_tui.format import card_state, counted, hand_over, money, visible_line
from client_tui.widgets.photo import PhotoView
from shared_models.listings import ListingCard


class Preview(VerticalScroll, can_focus=False):
    """Picture, title, price and facts of one card."""

    def compose(self) -> ComposeResult:
        """A picture and a text."""
        yield PhotoView(id="preview-photo")
        yield Static(id="preview-text", markup=False)

    def show(self, card: ListingCard) -> None:
        """Show this card."""
        self.query_one(PhotoView).show(card.cover)
        market = link_of(self).market
        price = "free" if card.price == 0 else money(card.price or 0, market.currency_exponent)
        colors = self.app.theme_variables
        text = Text()
        text.append(visible_line(card.title) + "\n", "bold")
        text.append(price, f"bold {colors['primary']}")
        text.append("  negotiable\n" if card.negotiable else "\n")
        text.append(card_state(card) + "\n")
        facts = [
            card.condition.replace("_", " ") if card.condition else None,
            hand_over(card.method),
            visible_line(card.place) if card.place else None,
        ]
        text.append(" · ".join(fact for fact in facts if fact) + "\n", colors.get("dim", ""))
        text.append(
            f"♥ {card.like_count}   {counted(card.chat_count, 'chat')}", colors.get("dim", "")
        )
        self.query_one("#preview-text", Static).update(text)
