"""Rooms: one by one, those of a listing, and opening and closing them."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, insert, select, update

from server.chat.ports import RoomFacts
from server.chat.repository.records import FACTS, ROOM, facts_of, involves
from server.chat.tables import Member, Room
from server.platform.unit_of_work import UnitOfWork

_ROOM = select(*FACTS).where(ROOM.c.id == bindparam("room"), involves(bindparam("account")))
_LOCKED_ROOM = _ROOM.with_for_update()
_ANY_ROOM = select(*FACTS).where(ROOM.c.id == bindparam("room")).with_for_update()


async def room(
    work: UnitOfWork, room_id: UUID, account_id: UUID, *, lock: bool = False
) -> RoomFacts | None:
    """The room, if the account is a party of it."""
    wanted = {"room": room_id, "account": account_id}
    row = await work.first(_LOCKED_ROOM if lock else _ROOM, wanted)
    return facts_of(row) if row else None


async def lock_room(work: UnitOfWork, room_id: UUID) -> RoomFacts | None:
    """Hold the room until the commit."""
    row = await work.first(_ANY_ROOM, {"room": room_id})
    return facts_of(row) if row else None


async def room_of(work: UnitOfWork, listing_id: UUID, buyer_id: UUID) -> UUID | None:
    """The buyer's room on the listing."""
    found: UUID | None = await work.scalar(
        select(Room.id).where(Room.listing_id == listing_id, Room.buyer_id == buyer_id)
    )
    return found


async def rooms_on(work: UnitOfWork, listing_ids: Collection[UUID]) -> list[RoomFacts]:
    """Every room on the listings."""
    rows = await work.rows(select(*FACTS).where(Room.listing_id.in_(listing_ids)))
    return [facts_of(row) for row in rows]


def _between(one: UUID, other: UUID) -> ColumnElement[bool]:
    return and_(ROOM.c.seller_id.in_((one, other)), ROOM.c.buyer_id.in_((one, other)))


async def rooms_between(work: UnitOfWork, one: UUID, other: UUID) -> list[RoomFacts]:
    """Every room of the two."""
    return [facts_of(row) for row in await work.rows(select(*FACTS).where(_between(one, other)))]


async def hold_rooms(work: UnitOfWork, *which: ColumnElement[bool]) -> None:
    """Hold many rooms until the commit, in the order in which the message log holds them (H15)."""
    await work.execute(select(ROOM.c.id).where(*which).order_by(ROOM.c.id).with_for_update())


async def set_blocked(work: UnitOfWork, one: UUID, other: UUID, *, on: bool) -> list[RoomFacts]:
    """Mark every room of the two as blocked or not; all of them."""
    await hold_rooms(work, _between(one, other))
    changed = await work.execute(
        update(Room)
        .where(_between(one, other))
        .values(blocked=on, updated_at=work.now)
        .returning(*FACTS)
    )
    return [facts_of(row) for row in changed]


async def blocked_among(work: UnitOfWork, room_ids: Collection[UUID]) -> set[UUID]:
    """Those of the rooms whose two parties do not deal with each other, in one query."""
    rows = await work.rows(select(Room.id).where(Room.id.in_(room_ids), Room.blocked))
    return {row.id for row in rows}


async def openings_since(work: UnitOfWork, buyer_id: UUID, since: datetime) -> list[datetime]:
    """When the buyer opened rooms, newest first."""
    rows = await work.rows(
        select(Room.created_at)
        .where(Room.buyer_id == buyer_id, Room.created_at > since)
        .order_by(Room.created_at.desc())
    )
    return [row.created_at for row in rows]


async def insert_room(work: UnitOfWork, listing_id: UUID, seller_id: UUID, buyer_id: UUID) -> UUID:
    """A new room with its two members; a second one of the same buyer loses the unique race."""
    room_id = work.new_id()
    born = {"active_at": work.now, "created_at": work.now, "updated_at": work.now}
    parties = {"seller_id": seller_id, "buyer_id": buyer_id}
    await work.execute(
        insert(Room).values(
            id=room_id,
            listing_id=listing_id,
            state="open",
            blocked=False,
            last_seq=0,
            **parties,
            **born,
        )
    )
    counters = {"read_seq": 0, "receipt_seq": 0, "unread": 0, "muted": False}
    member = {"room_id": room_id, "cleared_before_seq": 0, **counters, **born}
    await work.execute(
        insert(Member), [{**member, "account_id": id_} for id_ in (seller_id, buyer_id)]
    )
    return room_id


async def set_state(
    work: UnitOfWork,
    state: str,
    *,
    listing_id: UUID | None = None,
    room_ids: Collection[UUID] | None = None,
    party: UUID | None = None,
    but: UUID | None = None,
) -> list[RoomFacts]:
    """Open or close the rooms of a listing or of an account, or just these; those that changed."""
    which = [ROOM.c.state != state]
    if listing_id is not None:
        which.append(ROOM.c.listing_id == listing_id)
    if room_ids is not None:
        which.append(ROOM.c.id.in_(room_ids))
    if party is not None:
        which.append(involves(party))
    if but is not None:
        which.append(ROOM.c.id != but)
    await hold_rooms(work, *which)
    changed = await work.execute(
        update(Room).where(*which).values(state=state, updated_at=work.now).returning(*FACTS)
    )
    return [facts_of(row) for row in changed]


async def response_times(
    work: UnitOfWork, account_id: UUID, since: datetime
) -> list[tuple[datetime, datetime | None]]:
    """When buyers first wrote in the account's rooms, and when it first answered (rule 20)."""
    rows = await work.rows(
        select(Room.asked_at, Room.answered_at).where(
            Room.seller_id == account_id, Room.asked_at > since
        )
    )
    return [(row.asked_at, row.answered_at) for row in rows]
