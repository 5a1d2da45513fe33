"""Listings as they go on the wire."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from shared_models.accounts import ProfileCard
from shared_models.listings import Listing, ListingCard, ListingState
from shared_models.market import Method

UNDO_SOLD_ELSEWHERE = timedelta(hours=24)
"""How long a sale elsewhere can be taken back (T15)."""

_LOST_TITLE = "Deleted listing"


def card(row: Any, viewer_id: UUID) -> ListingCard:
    """The card of a row of card columns, as the viewer sees it.

    A listing that is gone or hidden keeps its title for the lists that mention it, but shows its
    cover to its seller only.
    """
    gone = _gone(row)
    covered = (gone or row.hidden_at is not None) and row.seller_id != viewer_id
    return ListingCard(
        id=row.id,
        title=row.title,
        price=row.price,
        state=row.state,
        place=row.place,
        condition=row.condition,
        method=row.method,
        negotiable=row.negotiable,
        cover=None if covered else row.cover,
        like_count=row.like_count,
        chat_count=row.chat_count,
        bumped_at=row.bumped_at,
        liked=row.liked,
        deleted=gone,
    )


def lost_card(listing_id: UUID) -> ListingCard:
    """The card of a listing that there is no row of."""
    return ListingCard(
        id=listing_id,
        title=_LOST_TITLE,
        price=None,
        state=ListingState.SOLD,
        place=None,
        condition=None,
        method=Method.MEET,
        negotiable=False,
        cover=None,
        like_count=0,
        chat_count=0,
        bumped_at=datetime(1970, 1, 1, tzinfo=UTC),
        deleted=True,
    )


def full(
    row: Any,
    seller: ProfileCard,
    *,
    liked: bool,
    chatroom_id: UUID | None,
    actions: list[str],
) -> Listing:
    """A listing in full."""
    return Listing(
        id=row.id,
        version=row.version,
        seller=seller,
        title=row.title,
        description=row.description,
        category=row.category,
        condition=row.condition,
        price=row.price,
        negotiable=row.negotiable,
        method=row.method,
        place=row.place,
        photos=row.photos,
        state=row.state,
        hidden=row.hidden_at is not None,
        deleted=_gone(row),
        like_count=row.like_count,
        chat_count=row.chat_count,
        liked=liked,
        chatroom_id=chatroom_id,
        created_at=row.created_at,
        updated_at=row.updated_at,
        bumped_at=row.bumped_at,
        allowed_actions=actions,
    )


def owner_actions(row: Any, now: datetime) -> list[str]:
    """What the seller may do, by the names of the contract's calls (2.6)."""
    if _gone(row):
        return []
    if can_undo_sold_elsewhere(row, now):
        return ["undo_sold_elsewhere", "delete"]
    return list(_OWNER_ACTIONS[row.state])


def viewer_actions(*, liked: bool, likeable: bool, chattable: bool) -> list[str]:
    """What somebody else may do, by the names of the contract's calls (2.6)."""
    possible = {
        "unlike": liked,
        "like": likeable and not liked,
        "open_chatroom": chattable,
    }
    return [action for action, may in possible.items() if may]


def can_undo_sold_elsewhere(row: Any, now: datetime) -> bool:
    """Whether a sale elsewhere is less than 24 h old (T15)."""
    at = row.sold_elsewhere_at
    return at is not None and now - at <= UNDO_SOLD_ELSEWHERE


def _gone(row: Any) -> bool:
    return row.deleted_at is not None or row.removed_at is not None


_OWNER_ACTIONS = {
    ListingState.DRAFT: ("edit", "publish", "delete"),
    ListingState.SELLING: ("edit", "sold_elsewhere", "delete"),
    ListingState.RESERVED: (),
    ListingState.SOLD: ("delete",),
}
