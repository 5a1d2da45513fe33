"""The façade of listings: what is for sale, and the moves that a trade makes with it."""

from server.listings.export import export_rows
from server.listings.facts import (
    ListingFacts,
    cards,
    cards_seen,
    facts,
    facts_by_id,
    liker_ids,
    may_see,
    may_see_facts,
)
from server.listings.ports import ListingNeighbours
from server.listings.service import delete_all_of
from server.listings.trading import count_chat, mark_sold, release, reserve, touch

__all__ = [
    "ListingFacts",
    "ListingNeighbours",
    "cards",
    "cards_seen",
    "count_chat",
    "delete_all_of",
    "export_rows",
    "facts",
    "facts_by_id",
    "liker_ids",
    "mark_sold",
    "may_see",
    "may_see_facts",
    "release",
    "reserve",
    "touch",
]
