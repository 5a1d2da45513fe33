"""What listings need to know of the rooms above them; ``app`` stands the answers behind these."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from server.platform.context import Context
from server.platform.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class ListingNeighbours:
    """The port through which ``trades`` and ``chat`` say who has to do with a listing."""

    is_trade_party: Callable[[UnitOfWork, UUID, UUID], Awaitable[bool]]
    """``(work, listing_id, account_id)``: a party of a trade on it, open or finished (rule 3)."""

    room_of: Callable[[UnitOfWork, UUID, UUID], Awaitable[UUID | None]]
    """``(work, listing_id, account_id)``: the chatroom that the account opened on it."""

    settle: Callable[[Context, UUID], Awaitable[None]]
    """``(context, listing_id)``: run what is overdue of it, before it is read or changed (H5)."""

    settle_due: Callable[[Context], Awaitable[None]]
    """``(context)``: run what is overdue of any listing, before a list is read (H5)."""
