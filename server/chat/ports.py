"""What the chat needs to know of the rooms above it, and how it names a chatroom to them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from server.platform.context import Context
from server.platform.unit_of_work import UnitOfWork
from shared_models.trades import Appointment, Offer, Trade


@dataclass(frozen=True, slots=True)
class RoomFacts:
    """A chatroom as other rooms of the house see it; ``state`` is ``open`` or ``read_only``.

    ``blocked``: one of the two blocks the other, and nothing can be said here (rule 15).
    """

    id: UUID
    listing_id: UUID
    seller_id: UUID
    buyer_id: UUID
    state: str
    last_seq: int
    blocked: bool

    @property
    def parties(self) -> tuple[UUID, UUID]:
        """Seller and buyer."""
        return self.seller_id, self.buyer_id

    def other(self, account_id: UUID) -> UUID:
        """The party that ``account_id`` is not."""
        return self.buyer_id if account_id == self.seller_id else self.seller_id


@dataclass(frozen=True, slots=True)
class RoomExtra:
    """What the header of a room shows of its trade, as one party sees it."""

    trade: Trade | None = None
    offer: Offer | None = None
    appointment: Appointment | None = None
    no_show: Appointment | None = None
    actions: list[str] = field(default_factory=list)
    """What the party may do now, by the names of the contract's calls."""


@dataclass(frozen=True, slots=True)
class RoomExtras:
    """The port through which ``trades`` fills the headers of rooms."""

    settle: Callable[[Context, UUID, UUID], Awaitable[None]]
    """``(context, room_id, viewer_id)``: run what is overdue of it, before it is read (H5)."""

    settle_due: Callable[[Context], Awaitable[None]]
    """The same for all rooms, before a list of them is read."""

    load: Callable[[UnitOfWork, Sequence[tuple[RoomFacts, UUID]]], Awaitable[list[RoomExtra]]]
    """``(work, [(room, viewer_id), ...])``: the extras in that order; a constant number of queries
    whatever their number.
    """
