"""Listings as they go on the wire."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared_models.accounts import ProfileCard
from shared_models.listings import Listing, ListingCard, ListingState
from shared_models.market import Method

_LOST_TITLE = "Deleted listing"


def card(row: Any, viewer_id: UUID) -> ListingCard:
    """The card of a row of card columns, as the viewer sees it.

    A listing that is gone or hidden keeps its title for the lists that mention it, but shows its
    cover to its seller only.
    """
    gone = row.deleted_at is not None or row.removed_at is not None
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
        deleted=row.deleted_at is not None or row.removed_at is not None,
        like_count=row.like_count,
        chat_count=row.chat_count,
        liked=liked,
        chatroom_id=chatroom_id,
        created_at=row.created_at,
        updated_at=row.updated_at,
        bumped_at=row.bumped_at,
        allowed_actions=actions,
    )


def allowed_actions(row: Any, viewer_id: UUID, *, liked: bool, chattable: bool) -> list[str]:
    """What the viewer may do, by the names of the contract's calls (2.6)."""
    gone = row.deleted_at is not None or row.removed_at is not None
    if row.seller_id == viewer_id:
        if gone:
            return []
        return list(_OWNER_ACTIONS[row.state])
    actions = ["unlike"] if liked else ["like"]
    if gone or row.hidden_at is not None:
        actions = ["unlike"] if liked else []
    if chattable:
        actions.append("open_chatroom")
    return actions


_OWNER_ACTIONS = {
    ListingState.DRAFT: ("edit", "publish", "delete"),
    ListingState.SELLING: ("edit", "delete"),
    ListingState.RESERVED: (),
    ListingState.SOLD: ("delete",),
}
