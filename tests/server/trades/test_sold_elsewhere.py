"""What a sale elsewhere does to the deals on a listing (T15, I3, I7)."""

from typing import Any
from uuid import uuid4

from tests.server.conftest import problem
from tests.server.trades.market import Deal, Market, check_invariants, done


async def close(deal: Deal, **options: Any) -> Any:
    return await deal.seller.post(f"/v1/listings/{deal.listing_id}/sold-elsewhere", **options)


async def room_of(deal: Deal) -> Any:
    return await done(deal.buyer.get(f"/v1/chatrooms/{deal.room_id}"))


async def lines(deal: Deal) -> list[str]:
    """What the server has said in the room, oldest first."""
    path = f"/v1/chatrooms/{deal.room_id}/messages?limit=100"
    items = (await done(deal.buyer.get(path)))["items"]
    return [item["system"]["event"] for item in items if item["system"]]


async def test_pending_offers_end_before_the_rooms_close(market: Market) -> None:
    deal = await market.deal()
    buyer = await market.person("other")
    room_id = await market.open_room(buyer, deal.listing_id)
    other = Deal(deal.seller, buyer, deal.listing_id, room_id)
    for one in (deal, other):
        await done(one.buyer.post(f"/v1/chatrooms/{one.room_id}/offers", {"amount": 90_000}))
    offer = (await room_of(deal))["offer"]
    await done(close(deal))
    for one in (deal, other):
        room = await room_of(one)
        assert (room["state"], room["offer"]) == ("read_only", None)
        assert (await lines(one))[-2:] == ["offer_superseded", "listing_sold"]
        told = [notice["event"] for notice in await market.notices(one.buyer)]
        assert told == ["offer_superseded"]
    accepted = await deal.seller.post(f"/v1/offers/{offer['id']}/accept")
    assert accepted.status_code == 409
    body = {"chatroom_id": deal.room_id, "expected_price": 100_000, "method": "meet"}
    problem(await deal.seller.post("/v1/trades", body), 409, "not_selling")
    await check_invariants(market)


async def test_what_was_taken_back_can_be_sold_here(market: Market) -> None:
    deal = await market.deal()
    await done(close(deal))
    await done(deal.seller.post(f"/v1/listings/{deal.listing_id}/undo-sold-elsewhere"))
    trade = await market.completed(deal)
    assert trade["state"] == "completed"
    problem(await close(deal), 409, "not_selling")
    await check_invariants(market)


async def test_an_open_trade_forbids_it(market: Market) -> None:
    deal = await market.deal()
    trade = await market.reserved(deal)
    refused = problem(await close(deal), 409, "trade_in_progress")
    assert refused["current"]["state"] == "reserved"
    await market.act(deal.buyer, trade, "cancel", reason="changed_mind")
    await done(close(deal))
    await check_invariants(market)


async def test_the_same_key_gets_the_same_answer(market: Market) -> None:
    deal = await market.deal()
    headers = {"Idempotency-Key": str(uuid4())}
    first = await close(deal, headers=headers)
    await done(deal.seller.post(f"/v1/listings/{deal.listing_id}/undo-sold-elsewhere"))
    again = await close(deal, headers=headers)
    assert (again.json(), again.headers["idempotent-replay"]) == (first.json(), "true")
    listing = await done(deal.seller.get(f"/v1/listings/{deal.listing_id}"))
    assert listing["state"] == "selling"
    assert (await lines(deal)).count("listing_sold") == 1


async def test_a_room_that_was_closed_for_its_buyers_sake_stays_closed(market: Market) -> None:
    deal = await market.deal()
    gone = await market.person("gone")
    room = await market.open_room(gone, deal.listing_id)
    await done(close(deal))
    assert (await gone.delete("/v1/me")).status_code == 204
    await done(deal.seller.post(f"/v1/listings/{deal.listing_id}/undo-sold-elsewhere"))
    seen = await done(deal.seller.get(f"/v1/chatrooms/{room}"))
    assert (seen["state"], (await room_of(deal))["state"]) == ("read_only", "open")
