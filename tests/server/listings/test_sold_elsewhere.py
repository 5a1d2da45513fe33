"""T15: a sale outside the market."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from server.listings import api as listings
from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.unit_of_work import transact
from tests.server.conftest import Person, SignUpPerson, problem
from tests.server.listings.conftest import GUITAR, AddPhoto, Sell


@pytest.fixture
async def mina(sign_up: SignUpPerson) -> Person:
    return await sign_up("mina")


@pytest.fixture
async def joon(sign_up: SignUpPerson) -> Person:
    return await sign_up("joon")


@pytest.fixture
async def listing(mina: Person, add_photo: AddPhoto) -> dict[str, Any]:
    """A guitar on sale, in a house where all rooms are wired."""
    body = GUITAR | {"photo_ids": [await add_photo(mina)]}
    made: dict[str, Any] = (await mina.post("/v1/listings", body)).json()
    return made


async def close(person: Person, listing: dict[str, Any]) -> Any:
    return await person.post(f"/v1/listings/{listing['id']}/sold-elsewhere")


async def undo(person: Person, listing: dict[str, Any]) -> Any:
    return await person.post(f"/v1/listings/{listing['id']}/undo-sold-elsewhere")


async def test_it_is_sold_for_everybody_and_can_be_taken_back_for_a_day(
    mina: Person, joon: Person, listing: dict[str, Any], clock: MovableClock
) -> None:
    for _ in range(2):
        answer = await close(mina, listing)
        assert answer.status_code == 200, answer.text
        sold = answer.json()
        assert (sold["state"], sold["version"]) == ("sold", 2)
        assert sold["allowed_actions"] == ["undo_sold_elsewhere", "delete"]
    assert (await joon.get("/v1/listings")).json()["items"] == []
    clock.advance(timedelta(hours=24))
    for _ in range(2):
        back = (await undo(mina, listing)).json()
        assert (back["state"], back["version"]) == ("selling", 3)
        assert back["allowed_actions"] == ["edit", "sold_elsewhere", "delete"]
    assert len((await joon.get("/v1/listings")).json()["items"]) == 1
    await close(mina, listing)
    clock.advance(timedelta(hours=24, seconds=1))
    refused = problem(await undo(mina, listing), 409, "too_late")
    assert refused["current"]["allowed_actions"] == ["delete"]


async def test_its_rooms_say_so_and_turn_read_only_until_it_is_taken_back(
    mina: Person, joon: Person, listing: dict[str, Any]
) -> None:
    opened = await joon.post("/v1/chatrooms", {"listing_id": listing["id"]})
    room = f"/v1/chatrooms/{opened.json()['id']}"
    cid = "0198f000-0000-7000-8000-00000000000"
    await close(mina, listing)
    refused = await joon.post(f"{room}/messages", {"cid": f"{cid}1", "text": "Still there?"})
    assert refused.status_code == 409
    await undo(mina, listing)
    sent = await joon.post(f"{room}/messages", {"cid": f"{cid}2", "text": "Still there?"})
    assert sent.status_code == 201, sent.text
    items = (await joon.get(f"{room}/messages")).json()["items"]
    events = [item["system"]["event"] for item in items if item["kind"] == "system"]
    assert events[-2:] == ["listing_sold", "listing_on_sale"]


async def test_only_what_is_on_sale_and_ones_own_can_be_closed(
    context: Context, mina: Person, joon: Person, listing: dict[str, Any]
) -> None:
    problem(await close(joon, listing), 403, "not_owner")
    problem(await undo(joon, listing), 403, "not_owner")
    draft = (await mina.post("/v1/listings", {"state": "draft"})).json()
    problem(await close(joon, draft), 404, "not_found")
    problem(await close(mina, draft), 409, "not_selling")
    problem(await undo(mina, draft), 409, "not_sold_elsewhere")
    listing_id, price = UUID(listing["id"]), listing["price"]
    assert await transact(context, None, lambda work: listings.reserve(work, listing_id, price))
    problem(await close(mina, listing), 409, "trade_in_progress")
    assert await transact(context, None, lambda work: listings.mark_sold(work, listing_id))
    problem(await close(mina, listing), 409, "not_selling")
    problem(await undo(mina, listing), 409, "not_sold_elsewhere")


async def test_it_is_either_reserved_or_sold_elsewhere(
    context: Context, mina: Person, sell: Sell
) -> None:
    for _ in range(3):
        listing = await sell(mina)
        listing_id, price = UUID(listing["id"]), listing["price"]

        async def reserve(id_: UUID = listing_id, price: int = price) -> bool:
            return await transact(context, None, lambda work: listings.reserve(work, id_, price))

        closed, reserved = await asyncio.gather(close(mina, listing), reserve())
        assert (closed.status_code == 200) is not reserved
        state = (await mina.get(f"/v1/listings/{listing['id']}")).json()["state"]
        assert state == ("reserved" if reserved else "sold")


async def test_a_deleted_listing_is_not_sold_any_more(
    mina: Person, listing: dict[str, Any]
) -> None:
    await close(mina, listing)
    await mina.delete(f"/v1/listings/{listing['id']}")
    problem(await undo(mina, listing), 409, "not_sold_elsewhere")
