"""What listings need to know of the rooms above them; ``app`` stands the answers behind these."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from server.platform.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class ListingNeighbours:
    """The port through which ``trades`` and ``chat`` say who has to do with a listing."""

    is_trade_party: Callable[[UnitOfWork, UUID, UUID], Awaitable[bool]]
    """``(work, listing_id, account_id)``: a party of a trade on it, open or finished (rule 3)."""

    room_of: Callable[[UnitOfWork, UUID, UUID], Awaitable[UUID | None]]
    """``(work, listing_id, account_id)``: the chatroom that the account opened on it."""

    interested: Callable[[UnitOfWork, UUID], Awaitable[list[UUID]]]
    """``(work, listing_id)``: everybody who has a chatroom on it."""
