"""The SQL of offers."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Executable, and_, bindparam, func, insert, or_, select, update

from server.platform.columns import live
from server.platform.unit_of_work import UnitOfWork
from server.trades.records import OfferRecord
from server.trades.tables import Offer
from shared_models.trades import OfferState

_COLUMNS: tuple[Any, ...] = (
    Offer.id,
    Offer.chatroom_id,
    Offer.listing_id,
    Offer.seller_id,
    Offer.buyer_id,
    Offer.maker_id,
    Offer.amount,
    Offer.state,
    Offer.expires_at,
    Offer.created_at,
)
_PENDING = Offer.state == OfferState.PENDING.value
_ROOMS: Any = bindparam("rooms", expanding=True)
_PENDING_BY_ROOM = select(*_COLUMNS).where(
    Offer.chatroom_id.in_(_ROOMS), _PENDING, Offer.expires_at > bindparam("now")
)
_SPENT_IN = (
    select(Offer.chatroom_id, func.count().label("spent"))
    .where(
        Offer.chatroom_id.in_(_ROOMS),
        Offer.maker_id == Offer.buyer_id,
        Offer.state != OfferState.SUPERSEDED.value,
    )
    .group_by(Offer.chatroom_id)
)


async def _first(work: UnitOfWork, statement: Executable) -> OfferRecord | None:
    row = await work.first(statement)
    return None if row is None else OfferRecord(*tuple(row))


async def find(work: UnitOfWork, offer_id: UUID) -> OfferRecord | None:
    """An offer, whoever asks: for timers."""
    return await _first(work, select(*_COLUMNS).where(Offer.id == offer_id, live(Offer)))


async def find_own(work: UnitOfWork, offer_id: UUID, account_id: UUID) -> OfferRecord | None:
    """An offer between the account and somebody else."""
    party = or_(Offer.seller_id == account_id, Offer.buyer_id == account_id)
    return await _first(work, select(*_COLUMNS).where(Offer.id == offer_id, live(Offer), party))


async def find_all(work: UnitOfWork, ids: Iterable[UUID]) -> list[OfferRecord]:
    """Many offers, whoever asks: for rendering to their parties."""
    rows = await work.rows(select(*_COLUMNS).where(Offer.id.in_(set(ids)), live(Offer)))
    return [OfferRecord(*tuple(row)) for row in rows]


async def pending_by_room(work: UnitOfWork, room_ids: Iterable[UUID]) -> dict[UUID, OfferRecord]:
    """The pending offers of these rooms that have not run out."""
    rows = await work.rows(_PENDING_BY_ROOM, {"rooms": list(set(room_ids)), "now": work.now})
    return {row.chatroom_id: OfferRecord(*tuple(row)) for row in rows}


async def pending_in(work: UnitOfWork, chatroom_id: UUID) -> OfferRecord | None:
    """The pending offer of a room, expired or not."""
    return await _first(work, select(*_COLUMNS).where(Offer.chatroom_id == chatroom_id, _PENDING))


async def of_account(work: UnitOfWork, account_id: UUID) -> list[OfferRecord]:
    """All offers between the account and anybody, oldest first."""
    party = or_(Offer.seller_id == account_id, Offer.buyer_id == account_id)
    rows = await work.rows(
        select(*_COLUMNS).where(party, live(Offer)).order_by(Offer.created_at, Offer.id)
    )
    return [OfferRecord(*tuple(row)) for row in rows]


async def add(work: UnitOfWork, offer: OfferRecord) -> None:
    """A new pending offer; a second one in the room loses the unique race (rule 11)."""
    await work.execute(
        insert(Offer).values(
            id=offer.id,
            chatroom_id=offer.chatroom_id,
            listing_id=offer.listing_id,
            seller_id=offer.seller_id,
            buyer_id=offer.buyer_id,
            maker_id=offer.maker_id,
            amount=offer.amount,
            state=offer.state,
            expires_at=offer.expires_at,
            created_at=offer.created_at,
            updated_at=offer.created_at,
        )
    )


async def close(work: UnitOfWork, offer_id: UUID, state: OfferState) -> bool:
    """Compare and set: a pending offer that has not run out gets its final state (H9)."""
    return await _close(work, state, Offer.id == offer_id, Offer.expires_at > work.now)


async def expire(work: UnitOfWork, offer_id: UUID) -> bool:
    """Compare and set: a pending offer whose time is over has expired (H5)."""
    return await _close(
        work, OfferState.EXPIRED, Offer.id == offer_id, Offer.expires_at <= work.now
    )


async def _close(work: UnitOfWork, state: OfferState, *where: ColumnElement[bool]) -> bool:
    hit = await work.changed(
        update(Offer).where(_PENDING, *where).values(state=state.value, updated_at=work.now)
    )
    return hit == 1


async def supersede_on(work: UnitOfWork, listing_id: UUID) -> list[OfferRecord]:
    """Close every pending offer on a listing (I7); those that were closed, by room."""
    return await _supersede(work, Offer.listing_id == listing_id)


async def supersede_of(work: UnitOfWork, account_id: UUID) -> list[OfferRecord]:
    """Close every pending offer of an account; those that were closed, by room."""
    return await _supersede(work, or_(Offer.seller_id == account_id, Offer.buyer_id == account_id))


async def supersede_between(work: UnitOfWork, one: UUID, other: UUID) -> list[OfferRecord]:
    """Close every pending offer of two accounts; those that were closed, by room."""
    pair = (one, other)
    return await _supersede(work, and_(Offer.seller_id.in_(pair), Offer.buyer_id.in_(pair)))


async def _supersede(work: UnitOfWork, where: ColumnElement[bool]) -> list[OfferRecord]:
    rows = await work.rows(
        update(Offer)
        .where(_PENDING, where)
        .values(state=OfferState.SUPERSEDED.value, updated_at=work.now)
        .returning(*_COLUMNS)
    )
    return sorted((OfferRecord(*tuple(row)) for row in rows), key=lambda offer: offer.chatroom_id)


async def spent_in(work: UnitOfWork, room_ids: Iterable[UUID]) -> Counter[UUID]:
    """How many offers the buyer of each room has spent on its listing, in one query.

    Superseded ones were not theirs to lose.
    """
    rows = await work.rows(_SPENT_IN, {"rooms": list(set(room_ids))})
    return Counter({row.chatroom_id: row.spent for row in rows})


async def made_since(work: UnitOfWork, buyer_id: UUID, since: datetime) -> list[datetime]:
    """When the offers that the account made as buyer since then were made, newest first."""
    own = (Offer.maker_id == buyer_id, Offer.buyer_id == buyer_id)
    rows = await work.rows(
        select(Offer.created_at)
        .where(*own, Offer.created_at > since)
        .order_by(Offer.created_at.desc())
    )
    return [row.created_at for row in rows]
