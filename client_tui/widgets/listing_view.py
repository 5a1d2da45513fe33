"""A listing as it is read: photos, facts, the whole text, and who sells it."""

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Static

from client_tui.app_of import link_of
from client_tui.format import (
    ago,
    counted,
    hand_over,
    listing_state,
    money,
    visible,
    visible_line,
)
from client_tui.pictures import AnyPhoto
from client_tui.widgets.photo_strip import PhotoStrip
from client_tui.widgets.scroll import ScrollColumn
from shared_models.listings import Listing
from shared_models.market import Market


class ListingView(ScrollColumn):
    """One listing, the same for those who buy it and for the one who is about to sell it."""

    def compose(self) -> ComposeResult:
        """Photos and three texts."""
        yield PhotoStrip(id="listing-photos")
        yield Static(id="listing-facts", markup=False)
        yield Static(id="listing-text", markup=False)
        yield Static(id="listing-seller", markup=False)

    def show(self, listing: Listing, photos: Sequence[AnyPhoto], *, mine: bool) -> None:
        """Show this one; ``mine`` says so where the seller would be."""
        strip = self.query_one(PhotoStrip)
        strip.display = bool(photos)
        strip.show(photos)
        self.query_one("#listing-facts", Static).update(self._facts(listing))
        self.query_one("#listing-text", Static).update(visible(listing.description))
        seller = Text("This is yours.", self._dim) if mine else self._seller(listing)
        self.query_one("#listing-seller", Static).update(seller)

    @property
    def _dim(self) -> str:
        return self.app.theme_variables.get("dim", "")

    def _facts(self, listing: Listing) -> Text:
        link = link_of(self)
        text = Text()
        text.append(visible_line(listing.title) or "(no title yet)", "bold")
        text.append("\n")
        text.append(_price(listing, link.market), f"bold {self.app.theme_variables['primary']}")
        text.append("  negotiable" if listing.negotiable else "")
        text.append(f"   {listing_state(listing.state)}")
        if listing.hidden:
            text.append("  hidden")
        text.append("\n")
        facts = [*_choices(listing, link.market), ago(listing.bumped_at, link.now())]
        text.append(" · ".join(fact for fact in facts if fact), self._dim)
        heart = "♥" if listing.liked else "♡"
        chats = counted(listing.chat_count, "chat")
        text.append(f"\n{heart} {listing.like_count}   {chats}", self._dim)
        return text

    def _seller(self, listing: Listing) -> Text:
        seller = listing.seller
        handle = f" @{seller.handle}" if seller.handle else ""
        return Text.assemble(
            ("sold by ", self._dim),
            (visible_line(seller.display_name), "bold"),
            handle,
            f"   ★ {seller.manner_score:.1f}",
        )


def _price(listing: Listing, market: Market) -> str:
    if listing.price is None:
        return "no price yet"
    if listing.price == 0:
        return "free"
    return money(listing.price, market.currency_exponent, market.currency)


def _choices(listing: Listing, market: Market) -> list[str | None]:
    """Category, condition, method and place, in words."""
    categories = {category.id: category.name for category in market.categories}
    conditions = {choice.id: choice.name for choice in market.conditions}
    return [
        categories.get(listing.category or ""),
        conditions.get(listing.condition or ""),
        hand_over(listing.method),
        visible_line(listing.place) if listing.place else None,
    ]
