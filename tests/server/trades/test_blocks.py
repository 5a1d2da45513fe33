"""What a block leaves of the deals of two people (rule 15, T14, H11)."""

from typing import Any

import pytest

from tests.server.conftest import Person, problem
from tests.server.trades.market import Deal, Market, check_invariants, done
from tests.server.trades.test_offers import offer, pending


async def block(person: Person, other: Person) -> None:
    answer = await person.put(f"/v1/accounts/{other.id}/block")
    assert answer.status_code == 204, answer.text


async def unblock(person: Person, other: Person) -> None:
    assert (await person.delete(f"/v1/accounts/{other.id}/block")).status_code == 204


async def actions_of(market: Market, deal: Deal, trade: dict[str, Any]) -> list[list[str]]:
    """What the seller may do with the trade, wherever it is shown."""
    alone = await market.trade(deal.seller, trade["id"])
    [listed] = (await done(deal.seller.get("/v1/trades")))["items"]
    room = await done(deal.seller.get(f"/v1/chatrooms/{deal.room_id}"))
    return [shown["allowed_actions"] for shown in (alone, listed, room["trade"])]


@pytest.mark.parametrize("blocker", ["seller", "buyer"])
async def test_no_reservation_comes_back_between_blocked_people(
    market: Market, blocker: str
) -> None:
    deal = await market.deal()
    trade = await market.act(deal.seller, await market.reserved(deal), "confirm")
    assert await actions_of(market, deal, trade) == [["undo", "problem"]] * 3
    one, other = deal.party(blocker), deal.buyer if blocker == "seller" else deal.seller
    await block(one, other)
    assert await actions_of(market, deal, trade) == [["problem"]] * 3
    problem(await market.try_to(deal.seller, trade, "undo"), 403, "blocked")
    assert (await market.trade(deal.buyer, trade["id"]))["state"] == "handed_over"
    await unblock(one, other)
    assert await actions_of(market, deal, trade) == [["undo", "problem"]] * 3
    undone = await market.act(deal.seller, trade, "undo")
    assert undone["state"] == "reserved"
    await check_invariants(market)


@pytest.mark.parametrize("blocker", ["seller", "buyer"])
async def test_a_block_ends_the_offers_of_the_two(market: Market, blocker: str) -> None:
    deal = await market.deal()
    rival = await market.person("rival")
    others = Deal(
        deal.seller, rival, deal.listing_id, await market.open_room(rival, deal.listing_id)
    )
    made, kept = await offer(market, deal), await offer(market, others)
    one, other = deal.party(blocker), deal.buyer if blocker == "seller" else deal.seller
    before = [len(await market.notices(person)) for person in (deal.seller, deal.buyer)]
    await block(one, other)
    assert await pending(deal) is None
    assert (await pending(others))["id"] == kept["id"]  # type: ignore[index]
    assert (await market.lines(deal.buyer, deal.room_id))[-1] == "offer_superseded"
    after = [len(await market.notices(person)) for person in (deal.seller, deal.buyer)]
    assert after == before, "a block is announced to nobody"
    await unblock(one, other)
    problem(await deal.seller.post(f"/v1/offers/{made['id']}/accept"), 409, "offer_superseded")
    assert (await offer(market, deal))["state"] == "pending"
    await check_invariants(market)


async def test_blocked_people_make_no_offers(market: Market) -> None:
    deal = await market.deal()
    await block(deal.seller, deal.buyer)
    path = f"/v1/chatrooms/{deal.room_id}/offers"
    problem(await deal.buyer.post(path, {"amount": 95_000}), 403, "blocked")
