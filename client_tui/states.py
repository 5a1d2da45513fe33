"""The states of the models as :mod:`client_tui.format` writes them."""

from client_tui.format import LISTING_STATES, TRADE_STATES
from shared_models.listings import ListingCard, ListingState
from shared_models.trades import TradeState

LISTING = {state: LISTING_STATES[state] for state in ListingState}
TRADE = {state: TRADE_STATES[state] for state in TradeState}


def listing_state(card: ListingCard) -> str:
    """The state of a listing card."""
    return "✕ deleted" if card.deleted else LISTING[card.state]


def trade_state(state: TradeState) -> str:
    """The state of a trade."""
    return TRADE[state]
