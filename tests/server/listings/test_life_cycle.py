"""Rule 3, H1 and H8: reserved, sold, hidden, deleted, and who still sees it."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from server.listings import api as listings
from server.listings.events import (
    ListingBackOnSale,
    ListingChanged,
    ListingDeleted,
)
from server.listings.jobs import RUNNERS
from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.jobs import Worker
from server.platform.unit_of_work import transact
from tests.server.conftest import Person, SignUpPerson, problem
from tests.server.listings.conftest import (
    Neighbours,
    Sell,
    edit,
    id_of,
    mark,
    move,
    reserve,
)


async def test_a_listing_is_reserved_once_at_the_price_that_was_seen(
    context: Context, mina: Person, sell: Sell
) -> None:
    listing = await sell(mina)
    assert not await move(context, listing, "reserve", expected_price=listing["price"] - 1)
    tries = await asyncio.gather(*(reserve(context, listing) for _ in range(8)))
    assert sorted(tries) == [*[False] * 7, True]
    now = (await mina.get(f"/v1/listings/{listing['id']}")).json()
    assert (now["state"], now["version"], now["allowed_actions"]) == ("reserved", 2, [])


@pytest.mark.parametrize("gone", ["removed_at", "deleted_at"])
async def test_a_listing_that_is_gone_is_not_reserved(
    context: Context, mina: Person, sell: Sell, gone: str
) -> None:
    listing = await sell(mina)
    await mark(context, listing, gone)
    assert not await reserve(context, listing)


async def test_a_released_listing_can_be_reserved_and_sold_again(
    context: Context, mina: Person, sell: Sell
) -> None:
    listing = await sell(mina)
    assert not await move(context, listing, "release")
    assert not await move(context, listing, "mark_sold")
    assert await reserve(context, listing)
    assert await move(context, listing, "release")
    assert await reserve(context, listing)
    assert await move(context, listing, "mark_sold")
    assert not await move(context, listing, "release")
    assert (await mina.get(f"/v1/listings/{listing['id']}")).json()["state"] == "sold"


async def test_it_is_told_that_a_listing_is_back_unless_it_is_reserved_again(
    context: Context, mina: Person, sell: Sell, clock: MovableClock, announced: list[Any]
) -> None:
    worker = Worker(context, RUNNERS)
    listing = await sell(mina)
    for again in (True, False):
        await reserve(context, listing)
        await move(context, listing, "release")
        if again:
            await reserve(context, listing)
        clock.advance(timedelta(minutes=9))
        await worker.run_due()
        assert not [event for event in announced if isinstance(event, ListingBackOnSale)]
        clock.advance(timedelta(minutes=2))
        await worker.run_due()
        told = [event for event in announced if isinstance(event, ListingBackOnSale)]
        assert len(told) == (0 if again else 1)
        if again:
            await move(context, listing, "release")
            await reserve(context, listing)
            await move(context, listing, "release")


async def test_a_deleted_listing_is_gone_for_all_but_its_owner_and_its_trade_parties(
    mina: Person,
    joon: Person,
    sign_up: SignUpPerson,
    sell: Sell,
    neighbours: Neighbours,
    announced: list[Any],
) -> None:
    buyer = await sign_up("buyer")
    listing = await sell(mina)
    neighbours.trade_parties.add((id_of(listing), buyer.id))
    announced.clear()
    path = f"/v1/listings/{listing['id']}"
    assert (await mina.delete(path)).status_code == 204
    assert (await mina.delete(path)).status_code == 204
    assert [type(event) for event in announced] == [ListingChanged, ListingDeleted]
    problem(await joon.get(path), 404, "not_found")
    problem(await joon.put(f"{path}/like"), 404, "not_found")
    for person in (mina, buyer):
        seen = (await person.get(path)).json()
        assert (seen["deleted"], seen["allowed_actions"]) == (True, [])
    problem(await edit(mina, (await mina.get(path)).json(), price=1), 409, "listing_deleted")
    for params in ({}, {"q": "guitar"}, {"state": "any"}, {"seller": str(mina.id)}):
        assert (await mina.get("/v1/listings", params=params)).json()["items"] == []


@pytest.mark.parametrize("column", ["hidden_at", "removed_at"])
async def test_a_hidden_or_removed_listing_is_404_to_strangers(
    context: Context,
    mina: Person,
    joon: Person,
    sign_up: SignUpPerson,
    sell: Sell,
    neighbours: Neighbours,
    column: str,
) -> None:
    buyer = await sign_up("buyer")
    listing = await sell(mina)
    neighbours.trade_parties.add((id_of(listing), buyer.id))
    await mark(context, listing, column)
    path = f"/v1/listings/{listing['id']}"
    for method, where in (("GET", ""), ("PUT", "/like"), ("DELETE", "/like"), ("DELETE", "")):
        problem(await joon.request(method, path + where), 404, "not_found")
    for person in (mina, buyer):
        assert (await person.get(path)).status_code == 200
    for params in ({}, {"q": "guitar"}, {"state": "any"}, {"seller": str(mina.id)}):
        assert (await joon.get("/v1/listings", params=params)).json()["items"] == []


async def test_a_reserved_listing_is_not_deleted(
    context: Context, mina: Person, sell: Sell
) -> None:
    listing = await sell(mina)
    await reserve(context, listing)
    path = f"/v1/listings/{listing['id']}"
    refused = problem(await mina.delete(path), 409, "trade_in_progress")
    assert refused["current"]["state"] == "reserved"
    await move(context, listing, "release")
    assert (await mina.delete(path)).status_code == 204


async def test_what_a_deleted_account_offered_goes_with_it(
    context: Context, mina: Person, joon: Person, sell: Sell
) -> None:
    listing = await sell(mina)
    await mina.post("/v1/listings", {"state": "draft"})
    await joon.put(f"/v1/listings/{listing['id']}/like")
    await joon.get(f"/v1/listings/{listing['id']}")
    await transact(context, None, lambda work: listings.delete_all_of(work, mina.id))
    problem(await joon.get(f"/v1/listings/{listing['id']}"), 404, "not_found")
    lists = ("/v1/listings", "/v1/me/likes", "/v1/me/recently-viewed")
    for path in (*lists, f"/v1/accounts/{mina.id}/listings"):
        assert (await joon.get(path)).json() == {"items": [], "next_cursor": None}


async def test_a_listing_offers_a_viewer_what_can_be_done_with_it(
    context: Context, mina: Person, joon: Person, sell: Sell, neighbours: Neighbours
) -> None:
    listing = await sell(mina)
    path = f"/v1/listings/{listing['id']}"

    async def actions() -> list[str]:
        found: list[str] = (await joon.get(path)).json()["allowed_actions"]
        return found

    assert await actions() == ["like", "open_chatroom"]
    await joon.put(f"{path}/like")
    assert await actions() == ["unlike", "open_chatroom"]
    await reserve(context, listing)
    assert await actions() == ["unlike"]
    room_id = uuid4()
    neighbours.rooms[id_of(listing), joon.id] = room_id
    assert await actions() == ["unlike", "open_chatroom"]
    assert (await joon.get(path)).json()["chatroom_id"] == str(room_id)
    await move(context, listing, "release")
    neighbours.rooms.clear()
    await mina.put(f"/v1/accounts/{joon.id}/block")
    assert await actions() == ["unlike"]
    await joon.delete(f"{path}/like")
    assert await actions() == []


async def test_a_listing_that_never_was_is_404(mina: Person) -> None:
    path = f"/v1/listings/{uuid4()}"
    for method, where in (("GET", ""), ("PUT", "/like"), ("DELETE", "/like"), ("DELETE", "")):
        problem(await mina.request(method, path + where), 404, "not_found")
    refused = await mina.patch(path, {"price": 1}, headers={"If-Match": '"1"'})
    problem(refused, 404, "not_found")
