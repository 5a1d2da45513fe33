"""What a client begins from is all of it, at the price of a little of it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from server.accounts import api as accounts
from server.chat import repository
from server.platform.context import Context
from server.platform.unit_of_work import UnitOfWork, transact
from tests.realtime.clients import Client
from tests.realtime.conftest import OpenRoom, Person, Sell
from tests.realtime.test_state import tell
from tests.server.chat.conftest import say

ROOMS = 230


async def test_every_room_is_in_it_with_the_queries_of_one(
    context: Context,
    seller: Person,
    buyer: Person,
    sell: Sell,
    open_room: OpenRoom,
    count_queries: Callable[[], Any],
) -> None:
    first = await open_room(buyer, await sell(seller))
    with count_queries() as one:
        assert await rooms_of(buyer) == {first}

    async def open_many(work: UnitOfWork) -> set[str]:
        ids = [
            await repository.insert_room(work, listing_id, seller.id, buyer.id)
            for listing_id in listings
        ]
        return set(map(str, ids))

    listings = [await sell(seller) for _ in range(ROOMS)]
    opened = await transact(context, None, open_many)
    with count_queries() as many:
        assert await rooms_of(buyer) == {first, *opened}
    assert one.count == many.count


async def test_what_happens_amid_it_counts_once(
    context: Context, seller: Person, buyer: Person, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        await say(buyer, room, f"before {number}")
    read = accounts.own_account

    async def meanwhile(work: UnitOfWork, account_id: UUID) -> Any:
        found = await read(work, account_id)
        monkeypatch.setattr(accounts, "own_account", read)
        await tell(context, seller, "amid it")
        await seller.put(f"/v1/chatrooms/{room}/read", {"seq": 3})
        await say(buyer, room, "amid it")
        return found

    client = Client(context, seller)
    monkeypatch.setattr(accounts, "own_account", meanwhile)
    await client.begin()
    await client.check(after="what happened amid the bootstrap")


async def rooms_of(person: Person) -> set[str]:
    """The rooms in the person's bootstrap."""
    return {room["id"] for room in (await person.get("/v1/sync/bootstrap")).json()["chatrooms"]}
