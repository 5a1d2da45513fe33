"""A seller, a buyer, a listing between them, and the rooms they talk in."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert

from server.listings.tables import Listing
from server.media.tables import Upload
from server.platform.context import Context
from server.platform.unit_of_work import UnitOfWork, transact
from tests.server.conftest import Person, SignUpPerson

Sell = Callable[..., Awaitable[UUID]]
OpenRoom = Callable[[Person, UUID], Awaitable[str]]
Upload1 = Callable[..., Awaitable[str]]


@pytest.fixture
async def seller(sign_up: SignUpPerson) -> Person:
    return await sign_up("seller", display_name="판매자")


@pytest.fixture
async def buyer(sign_up: SignUpPerson) -> Person:
    return await sign_up("buyer")


@pytest.fixture
async def stranger(sign_up: SignUpPerson) -> Person:
    return await sign_up("stranger")


@pytest.fixture
def sell(context: Context) -> Sell:
    """Put a listing up for sale."""

    async def sell(seller: Person, **fields: Any) -> UUID:
        async def run(work: UnitOfWork) -> UUID:
            listing_id = work.new_id()
            values = {
                "state": "selling",
                "title": "Acoustic guitar",
                "description": "A warm old guitar.",
                "category": "music",
                "condition": "good",
                "price": 80_000,
                "negotiable": True,
                "method": "both",
                "photos": [],
                **fields,
            }
            now = {"bumped_at": work.now, "created_at": work.now, "updated_at": work.now}
            counters = {"like_count": 0, "chat_count": 0, "bump_count": 0, "version": 1}
            await work.execute(
                insert(Listing).values(
                    id=listing_id, seller_id=seller.id, **counters, **now, **values
                )
            )
            return listing_id

        return await transact(context, None, run)

    return sell


@pytest.fixture
async def listing(sell: Sell, seller: Person) -> UUID:
    return await sell(seller)


@pytest.fixture
def open_room() -> OpenRoom:
    """Open a room on a listing; its id."""

    async def open_room(buyer: Person, listing_id: UUID) -> str:
        answer = await buyer.post("/v1/chatrooms", {"listing_id": str(listing_id)})
        assert answer.status_code in (200, 201), answer.text
        return str(answer.json()["id"])

    return open_room


@pytest.fixture
async def room(open_room: OpenRoom, buyer: Person, listing: UUID) -> str:
    return await open_room(buyer, listing)


@pytest.fixture
def upload(context: Context) -> Upload1:
    """A photo that is ready to be attached."""

    async def upload(owner: Person, **fields: Any) -> str:
        async def run(work: UnitOfWork) -> str:
            upload_id = work.new_id()
            values = {
                "purpose": "message",
                "state": "ready",
                "name": "photo.jpg",
                "content_type": "image/jpeg",
                "size": 1000,
                "sha256": "0" * 64,
                "object_key": f"originals/{upload_id}",
                "expires_at": work.now,
                "width": 1280,
                "height": 960,
                "placeholder": "1x1:fff",
                "created_at": work.now,
                "updated_at": work.now,
                **fields,
            }
            await work.execute(insert(Upload).values(id=upload_id, owner_id=owner.id, **values))
            return str(upload_id)

        return await transact(context, None, run)

    return upload


def message(text: str = "hello", **fields: Any) -> dict[str, Any]:
    """The body of a message with a ``cid`` of its own."""
    return {"cid": str(uuid4()), "text": text, **fields}


async def say(person: Person, room: str, text: str = "hello", **fields: Any) -> dict[str, Any]:
    """Send a message that must be taken."""
    answer = await person.post(f"/v1/chatrooms/{room}/messages", message(text, **fields))
    assert answer.status_code == 201, answer.text
    sent: dict[str, Any] = answer.json()
    return sent
