"""A listing with many rooms is sold as cheaply as one with few (ARCHITECTURE, rule 7)."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from server.platform import streams
from server.platform.unit_of_work import reading
from tests.server.conftest import Person
from tests.server.trades.market import Deal, Market, check_invariants, done

FEW, MANY = 5, 25
Sale = Callable[[Market, Deal], Awaitable[Any]]


async def sold_elsewhere(market: Market, deal: Deal) -> None:
    path = f"/v1/listings/{deal.listing_id}"
    await done(deal.seller.post(f"{path}/sold-elsewhere"))
    await done(deal.seller.post(f"{path}/undo-sold-elsewhere"))


async def reserved_and_completed(market: Market, deal: Deal) -> None:
    await market.completed(deal)


def but_for_heads(statements: list[str]) -> list[str]:
    """Without the locks of the streams, which are taken one by one in the order of their ids."""
    return [statement for statement in statements if not statement.startswith(HEAD)]


HEAD = "UPDATE platform_stream SET"


@pytest.fixture
async def seller(market: Market) -> Person:
    return await market.person("seller")


@pytest.fixture
async def crowd(market: Market) -> list[Person]:
    """More than enough buyers."""
    return [await market.person(f"buyer_{number}") for number in range(MANY + 1)]


async def with_others(market: Market, seller: Person, buyers: list[Person]) -> Deal:
    """A deal of the first buyer, on a listing that the others have rooms on; some like it."""
    deal = await market.deal_with(seller, buyers[0])
    for number, buyer in enumerate(buyers[1:]):
        await market.open_room(buyer, deal.listing_id)
        if number % 3 == 0:
            await buyer.put(f"/v1/listings/{deal.listing_id}/like")
    return deal


@pytest.mark.parametrize("sell", [sold_elsewhere, reserved_and_completed])
async def test_the_statements_of_a_sale_do_not_grow_with_the_rooms(
    market: Market,
    seller: Person,
    crowd: list[Person],
    count_queries: Callable[[], Any],
    sell: Sale,
) -> None:
    counts = []
    for others in (FEW, MANY):
        deal = await with_others(market, seller, crowd[: others + 1])
        with count_queries() as queries:
            await sell(market, deal)
        counts.append(len(but_for_heads(queries.statements)))
    assert counts[0] == counts[1]
    await check_invariants(market)


async def test_everybody_hears_of_a_sale_with_a_view_of_their_own(
    market: Market, seller: Person, crowd: list[Person]
) -> None:
    liker, *others = crowd[1:4]
    deal = await with_others(market, seller, [crowd[0], liker, *others])
    await done(seller.post(f"/v1/listings/{deal.listing_id}/sold-elsewhere"))
    for person in (seller, crowd[0], liker, *others):
        rooms = (await done(person.get("/v1/sync/bootstrap")))["chatrooms"]
        told = await last_events(market, person)
        assert rooms
        for room in rooms:
            detail = told["chatroom.changed", room["id"]]
            assert {name: detail[name] for name in room} == room
            assert (detail["state"], detail["allowed_actions"]) == ("read_only", ["mute", "leave"])
        card = told["listing.changed", deal.listing_id]
        assert (card["state"], card["liked"]) == ("sold", person is liker)


async def last_events(market: Market, person: Person) -> dict[tuple[str, str], Any]:
    """The last event about each object that the person was told of."""
    async with reading(market.context) as work:
        hints = await streams.read_after(work, person.id, 0, 1000)
    events = [json.loads(hint.data) for hint in hints]
    return {(event["kind"], event["data"].get("id", "")): event["data"] for event in events}
