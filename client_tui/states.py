"""States as a glyph and a word, never colour alone."""

from shared_models.listings import ListingCard, ListingState
from shared_models.trades import TradeState

LISTING = {
    ListingState.DRAFT: "◌ draft",
    ListingState.SELLING: "● selling",
    ListingState.RESERVED: "◐ reserved",
    ListingState.SOLD: "○ sold",
}

TRADE = {
    TradeState.RESERVED: "◐ reserved",
    TradeState.SHIPPED: "▸ shipped",
    TradeState.HANDED_OVER: "◕ handed over",
    TradeState.DISPUTED: "! problem",
    TradeState.COMPLETED: "● completed",
    TradeState.CANCELED: "○ canceled",
}


def listing_state(card: ListingCard) -> str:
    """The state of a listing card."""
    return "✕ deleted" if card.deleted else LISTING[card.state]


def trade_state(state: TradeState) -> str:
    """The state of a trade."""
    return TRADE[state]
