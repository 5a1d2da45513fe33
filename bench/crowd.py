"""What one change costs where many are told of it: a listing of thousands of rooms and likers."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from bench.figures import Figures, measured, timed
from bench.market import Market, Person, sell, sign_up
from server.accounts.api import START_SCORE
from server.accounts.tables import Account
from server.chat.tables import Member, Room
from server.listings.tables import Like
from server.platform.database import Database
from server.platform.ids import seeded_uuid7
from server.platform.tables import Stream
from shared_models.listings import Listing, ListingPatch

Row = dict[str, Any]
_ROUNDS = 3
_BATCH = 2_000
_NOBODY_SIGNS_IN = "-"


async def measure_crowd(market: Market, *, rooms: int, likers: int) -> list[Figures]:
    """A new description, and a price cut."""
    seller = await sign_up(market, "crowd_seller")
    people, now = [*_people(max(rooms, likers))], datetime.now(UTC)
    rooms_of = await sell(market, seller, "A chair that everybody asks about")
    liked = [
        await sell(market, seller, f"A chair that everybody likes, {n}") for n in range(_ROUNDS)
    ]
    database = Database(market.database_url)
    try:
        await _write(database, Account, [_account(id_, n, now) for n, id_ in enumerate(people)])
        await _write(database, Stream, [_stream(id_, now) for id_ in people])
        talks = [(id_, rooms_of.id, seller.id, now) for id_ in people[:rooms]]
        await _write(database, Room, [_room(*talk) for talk in talks])
        await _write(database, Member, [row for talk in talks for row in _members(*talk)])
        for listing in liked:
            await _write(database, Like, [_like(id_, listing.id, now) for id_ in people[:likers]])
        # Without fresh statistics PostgreSQL's part of a change was fifteen times as dear.
        async with database.writer.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.exec_driver_sql("ANALYZE")
    finally:
        await database.close()
    found = [
        await _change(market, seller, rooms_of, rooms),
        await _cut_prices(market, seller, liked, likers),
    ]
    await seller.api.aclose()
    return found


async def _change(market: Market, seller: Person, listing: Listing, rooms: int) -> Figures:
    with measured(f"a change of a listing with {rooms:,} rooms", market.watched) as figures:
        for number in range(_ROUNDS):
            patch = ListingPatch(description=f"It is as good as new, and that for {number} years.")
            with timed(figures):
                listing = await seller.api.update_listing(
                    listing.id, patch, version=listing.version
                )
    return figures


async def _cut_prices(
    market: Market, seller: Person, listings: Sequence[Listing], likers: int
) -> Figures:
    with measured(f"a price cut of a listing with {likers:,} likers", market.watched) as figures:
        for listing in listings:
            patch = ListingPatch(price=30_000)
            with timed(figures):
                await seller.api.update_listing(listing.id, patch, version=listing.version)
    return figures


async def _write(database: Database, table: type[Any], rows: Sequence[Row]) -> None:
    for start in range(0, len(rows), _BATCH):
        async with database.writer.begin() as connection:
            await connection.execute(insert(table), rows[start : start + _BATCH])


def _people(count: int) -> Iterator[UUID]:
    make_id: Callable[[datetime], UUID] = seeded_uuid7(11)
    return (make_id(datetime.now(UTC)) for _ in range(count))


def _account(id_: UUID, number: int, now: datetime) -> Row:
    return {
        "id": id_,
        "handle": f"crowd_{number}",
        "display_name": f"Crowd {number}",
        "password_hash": _NOBODY_SIGNS_IN,
        "manner_score": START_SCORE,
        "consents": {},
        "notification_switches": {},
        **_born(now),
    }


def _stream(id_: UUID, now: datetime) -> Row:
    return {"id": id_, "epoch": id_, "head": 0, "oldest": 1, **_born(now)}


def _room(buyer_id: UUID, listing_id: UUID, seller_id: UUID, now: datetime) -> Row:
    """With the id of its buyer, who has no other."""
    return {
        "id": buyer_id,
        "listing_id": listing_id,
        "seller_id": seller_id,
        "buyer_id": buyer_id,
        "state": "open",
        "blocked": False,
        "last_seq": 0,
        "active_at": now,
        **_born(now),
    }


def _members(room_id: UUID, _listing_id: UUID, seller_id: UUID, now: datetime) -> Iterator[Row]:
    for account_id in (seller_id, room_id):
        yield {"room_id": room_id, "account_id": account_id, "active_at": now, **_born(now)}


def _like(account_id: UUID, listing_id: UUID, now: datetime) -> Row:
    return {"listing_id": listing_id, "account_id": account_id, **_born(now)}


def _born(now: datetime) -> Row:
    return {"created_at": now, "updated_at": now}
