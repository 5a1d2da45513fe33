"""What listings announce."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ListingChanged:
    """What its card shows has changed."""

    listing_id: UUID


@dataclass(frozen=True, slots=True)
class ListingTaken:
    """It is reserved, or no longer: who may do what about it has changed for everybody."""

    listing_id: UUID


@dataclass(frozen=True, slots=True)
class ListingPublished:
    """A listing is on sale for the first time."""

    listing_id: UUID
    seller_id: UUID


@dataclass(frozen=True, slots=True)
class ListingPriceChanged:
    """The owner has set another price: pending offers are superseded (rule 11, H6)."""

    listing_id: UUID
    old: int
    new: int


@dataclass(frozen=True, slots=True)
class ListingPriceDropped:
    """The price was cut far enough below the lowest one announced that likers are told (rule 9)."""

    listing_id: UUID
    old: int
    new: int


@dataclass(frozen=True, slots=True)
class ListingBackOnSale:
    """A reservation fell through and for ten minutes nothing has replaced it (T6).

    ``version`` is what that made of the listing; it tells one such time from another.
    """

    listing_id: UUID
    version: int


@dataclass(frozen=True, slots=True)
class ListingLiked:
    """Somebody likes the listing who did not before."""

    listing_id: UUID
    seller_id: UUID
    account_id: UUID


@dataclass(frozen=True, slots=True)
class ListingSoldElsewhere:
    """The seller has sold it outside the market (T15): its chatrooms turn read-only."""

    listing_id: UUID
    seller_id: UUID


@dataclass(frozen=True, slots=True)
class ListingOnSaleAgain:
    """The seller has taken a sale elsewhere back: its chatrooms are open again."""

    listing_id: UUID
    seller_id: UUID


@dataclass(frozen=True, slots=True)
class ListingDeleted:
    """The listing is gone: its chatrooms turn read-only (rule 3)."""

    listing_id: UUID
