"""Listings to sell and look at, over the real routes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, update

from server.listings import api as listings
from server.listings.api import ListingNeighbours
from server.listings.events import (
    ListingBackOnSale,
    ListingChanged,
    ListingDeleted,
    ListingPriceChanged,
    ListingPriceDropped,
    ListingPublished,
)
from server.listings.tables import Listing
from server.media.tables import Upload
from server.platform.context import Context
from server.platform.unit_of_work import UnitOfWork, transact
from tests.server.conftest import Person, SignUpPerson

GUITAR: dict[str, Any] = {
    "title": "Acoustic guitar",
    "description": "A warm old guitar with new strings.",
    "category": "music",
    "condition": "good",
    "price": 80_000,
    "negotiable": True,
    "method": "both",
    "place": "Mapo",
}

EVENTS = (
    ListingBackOnSale,
    ListingChanged,
    ListingDeleted,
    ListingPriceChanged,
    ListingPriceDropped,
    ListingPublished,
)

AddPhoto = Callable[[Person], Awaitable[str]]
Sell = Callable[..., Awaitable[dict[str, Any]]]


@dataclass(slots=True)
class Neighbours:
    """Chats and trades as the listings see them; a test says who has what."""

    trade_parties: set[tuple[UUID, UUID]] = field(default_factory=set)
    rooms: dict[tuple[UUID, UUID], UUID] = field(default_factory=dict)
    settled: int = 0
    """How often what is overdue anywhere was to be settled."""

    async def is_trade_party(self, _w: UnitOfWork, listing_id: UUID, account_id: UUID) -> bool:
        return (listing_id, account_id) in self.trade_parties

    async def room_of(self, _w: UnitOfWork, listing_id: UUID, account_id: UUID) -> UUID | None:
        return self.rooms.get((listing_id, account_id))

    async def settle(self, _context: Context, _listing_id: UUID) -> None:
        """Nothing is overdue."""

    async def settle_due(self, _context: Context) -> None:
        self.settled += 1


@pytest.fixture
def neighbours(context: Context) -> Neighbours:
    """Stand-ins for chats and trades, behind the port."""
    neighbours = Neighbours()
    context.wiring.provide(
        ListingNeighbours,
        ListingNeighbours(
            neighbours.is_trade_party,
            neighbours.room_of,
            neighbours.settle,
            neighbours.settle_due,
        ),
    )
    return neighbours


@pytest.fixture
def add_photo(context: Context) -> AddPhoto:
    """Give somebody a photo that is ready to be attached."""

    async def add_photo(person: Person) -> str:
        async def insert_upload(work: UnitOfWork) -> UUID:
            upload_id = work.new_id()
            values = {
                "id": upload_id,
                "owner_id": person.id,
                "purpose": "listing",
                "state": "ready",
                "name": "photo.jpg",
                "content_type": "image/jpeg",
                "size": 1,
                "sha256": "0" * 64,
                "object_key": str(upload_id),
                "expires_at": work.now,
                "width": 4,
                "height": 3,
                "placeholder": "1x1:fff",
            }
            await work.execute(
                insert(Upload).values(created_at=work.now, updated_at=work.now, **values)
            )
            return upload_id

        return str(await transact(context, None, insert_upload))

    return add_photo


@pytest.fixture
def sell(add_photo: AddPhoto, neighbours: Neighbours) -> Sell:
    """Put something on sale; what is not said is an acoustic guitar."""

    async def sell(person: Person, **fields: Any) -> dict[str, Any]:
        body = GUITAR | {"photo_ids": [await add_photo(person)]} | fields
        answer = await person.post("/v1/listings", body)
        assert answer.status_code == 201, answer.text
        listing: dict[str, Any] = answer.json()
        return listing

    return sell


@pytest.fixture
def announced(context: Context) -> list[Any]:
    """What listings have announced."""
    heard: list[Any] = []

    async def hear(_work: UnitOfWork, event: Any) -> None:
        heard.append(event)

    for event in EVENTS:
        context.wiring.on(event, hear)
    return heard


@pytest.fixture
async def mina(sign_up: SignUpPerson, neighbours: Neighbours) -> Person:
    return await sign_up("mina")


@pytest.fixture
async def joon(sign_up: SignUpPerson, neighbours: Neighbours) -> Person:
    return await sign_up("joon")


async def edit(person: Person, listing: dict[str, Any], **fields: Any) -> Any:
    version = {"If-Match": f'"{listing["version"]}"'}
    return await person.patch(f"/v1/listings/{listing['id']}", fields, headers=version)


async def edited(person: Person, listing: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = await edit(person, listing, **fields)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def move(context: Context, listing: dict[str, Any], step: str, **options: Any) -> bool:
    async def act(work: UnitOfWork) -> bool:
        moved: bool = await getattr(listings, step)(work, id_of(listing), **options)
        return moved

    return await transact(context, None, act)


async def reserve(context: Context, listing: dict[str, Any]) -> bool:
    return await move(context, listing, "reserve", expected_price=listing["price"])


async def mark(context: Context, listing: dict[str, Any], column: str) -> None:
    async def act(work: UnitOfWork) -> None:
        await work.execute(
            update(Listing).where(Listing.id == id_of(listing)).values({column: work.now})
        )

    await transact(context, None, act)


def id_of(listing: dict[str, Any]) -> UUID:
    return UUID(listing["id"])
