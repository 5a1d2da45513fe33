"""Offers: who may make which, how they end, and what accepting one does (rule 11, T2, T4)."""

from datetime import timedelta
from typing import Any

import pytest

from tests.server.conftest import problem
from tests.server.trades.market import Deal, Market, check_invariants, done


async def offer(market: Market, deal: Deal, amount: int = 90_000) -> dict[str, Any]:
    made = deal.buyer.post(f"/v1/chatrooms/{deal.room_id}/offers", {"amount": amount})
    return await done(made)


async def pending(deal: Deal, role: str = "buyer") -> dict[str, Any] | None:
    room = await done(deal.party(role).get(f"/v1/chatrooms/{deal.room_id}"))
    found: dict[str, Any] | None = room["offer"]
    return found


async def room_actions(deal: Deal, role: str = "buyer") -> list[str]:
    """What one may do in the room."""
    room = await done(deal.party(role).get(f"/v1/chatrooms/{deal.room_id}"))
    actions: list[str] = room["allowed_actions"]
    return actions


async def test_an_offer_waits_48_hours_and_is_the_others_to_answer(market: Market) -> None:
    deal = await market.deal()
    made = await offer(market, deal)
    assert (made["state"], made["amount"]) == ("pending", 90_000)
    assert made["expires_at"].startswith("2026-03-04T09:00")
    assert made["allowed_actions"] == ["withdraw"]
    seen = await pending(deal, "seller")
    assert seen is not None
    assert seen["allowed_actions"] == ["accept", "decline", "counter"]
    assert (await market.lines(deal.seller, deal.room_id))[-1] == "offer_made"
    assert [notice["event"] for notice in await market.notices(deal.seller)] == ["offer_made"]
    assert await market.notices(deal.buyer) == []


@pytest.mark.parametrize(
    ("amount", "fields", "code"),
    [
        (49_999, {}, "offer_too_low"),
        (100_001, {}, "offer_too_high"),
        (99_999, {"negotiable": False}, "not_negotiable"),
        (1, {"price": 0}, "offer_too_high"),
    ],
)
async def test_an_amount_out_of_bounds_is_refused(
    market: Market, amount: int, fields: dict[str, Any], code: str
) -> None:
    deal = await market.deal(**fields)
    answer = await deal.buyer.post(f"/v1/chatrooms/{deal.room_id}/offers", {"amount": amount})
    assert answer.status_code == 422
    assert [error["code"] for error in answer.json()["errors"]] == [code]


@pytest.mark.parametrize(
    ("amount", "fields"),
    [(50_000, {}), (100_000, {"negotiable": False}), (0, {"price": 0}), (2, {"price": 3})],
)
async def test_an_amount_within_bounds_is_taken(
    market: Market, amount: int, fields: dict[str, Any]
) -> None:
    deal = await market.deal(**fields)
    assert (await offer(market, deal, amount))["state"] == "pending"


async def test_the_seller_makes_no_offers_but_counters(market: Market) -> None:
    deal = await market.deal()
    path = f"/v1/chatrooms/{deal.room_id}/offers"
    problem(await deal.seller.post(path, {"amount": 90_000}), 403, "wrong_role")
    first = await offer(market, deal, 80_000)
    counter = await done(deal.seller.post(f"/v1/offers/{first['id']}/counter", {"amount": 95_000}))
    assert (counter["state"], counter["maker_id"]) == ("pending", str(deal.seller.id))
    assert (await pending(deal))["id"] == counter["id"]  # type: ignore[index]
    problem(await deal.seller.post(f"/v1/offers/{first['id']}/accept"), 409, "offer_countered")
    await check_invariants(market)


async def test_the_buyer_answers_a_counter_by_accepting_or_with_an_offer(market: Market) -> None:
    deal = await market.deal()
    first = await offer(market, deal, 80_000)
    await done(deal.seller.post(f"/v1/offers/{first['id']}/counter", {"amount": 95_000}))
    second = await offer(market, deal, 85_000)
    assert second["state"] == "pending"
    counter = await done(deal.seller.post(f"/v1/offers/{second['id']}/counter", {"amount": 90_000}))
    accepted = await done(deal.buyer.post(f"/v1/offers/{counter['id']}/accept"))
    assert accepted["state"] == "accepted"
    trades = await done(deal.buyer.get("/v1/trades"))
    assert [trade["agreed_price"] for trade in trades["items"]] == [90_000]
    await check_invariants(market)


async def test_one_offer_of_ones_own_waits_in_a_room(market: Market) -> None:
    deal = await market.deal()
    first = await offer(market, deal)
    path = f"/v1/chatrooms/{deal.room_id}/offers"
    again = await deal.buyer.post(path, {"amount": 90_000})
    assert (again.status_code, again.json()) == (200, first)
    refused = problem(await deal.buyer.post(path, {"amount": 91_000}), 409, "offer_pending")
    assert refused["current"]["id"] == first["id"]


async def test_three_offers_a_listing_however_they_end(market: Market) -> None:
    deal = await market.deal()
    withdrawn = await offer(market, deal)
    await done(deal.buyer.post(f"/v1/offers/{withdrawn['id']}/withdraw"))
    declined = await offer(market, deal)
    await done(deal.seller.post(f"/v1/offers/{declined['id']}/decline"))
    await offer(market, deal)
    await market.later(hours=48)
    path = f"/v1/chatrooms/{deal.room_id}/offers"
    problem(await deal.buyer.post(path, {"amount": 90_000}), 409, "offer_limit")


async def test_what_the_limit_would_refuse_is_not_offered(market: Market) -> None:
    deal = await market.deal()
    for amount in (80_000, 81_000, 82_000):
        assert "offer" in await room_actions(deal)
        made = await offer(market, deal, amount)
        await done(deal.seller.post(f"/v1/offers/{made['id']}/counter", {"amount": 95_000}))
    assert "offer" not in await room_actions(deal)
    countered = await pending(deal)
    assert countered is not None
    assert countered["allowed_actions"] == ["accept", "decline"]
    path = f"/v1/offers/{countered['id']}/counter"
    problem(await deal.buyer.post(path, {"amount": 90_000}), 409, "offer_limit")
    assert (await done(deal.buyer.post(f"/v1/offers/{countered['id']}/decline")))["state"]
    assert "offer" not in await room_actions(deal)


async def test_a_seller_may_counter_whatever_the_buyers_number(market: Market) -> None:
    deal = await market.deal()
    for amount in (80_000, 81_000, 82_000):
        made = await offer(market, deal, amount)
        assert (await pending(deal, "seller"))["allowed_actions"] == [  # type: ignore[index]
            "accept",
            "decline",
            "counter",
        ]
        await done(deal.seller.post(f"/v1/offers/{made['id']}/decline"))


async def test_another_price_gives_the_lost_offers_back(market: Market) -> None:
    deal = await market.deal()
    for amount in (80_000, 81_000):
        made = await offer(market, deal, amount)
        await done(deal.seller.post(f"/v1/offers/{made['id']}/decline"))
    await offer(market, deal, 82_000)
    assert "offer" not in await room_actions(deal)
    listing = await done(deal.seller.get(f"/v1/listings/{deal.listing_id}"))
    headers = {"If-Match": f'"{listing["version"]}"'}
    path = f"/v1/listings/{deal.listing_id}"
    await done(deal.seller.patch(path, {"price": 95_000}, headers=headers))
    assert "offer" in await room_actions(deal)


async def test_25_offers_a_day(market: Market) -> None:
    deal = await market.deal()
    yesterday = await market.deal_with(deal.seller, deal.buyer)
    made_at = market.clock.now()
    await market.insert_offers(yesterday, count=25, made_at=made_at)
    market.clock.advance(timedelta(hours=23))
    market.context.rates.enabled = True
    path = f"/v1/chatrooms/{deal.room_id}/offers"
    refused = await deal.buyer.post(path, {"amount": 90_000})
    problem(refused, 429, "rate_limited")
    assert refused.headers["retry-after"] == "3600"
    market.clock.advance(timedelta(hours=1))
    assert (await offer(market, deal))["state"] == "pending"


async def test_counters_are_no_offers_of_the_day(market: Market) -> None:
    deal = await market.deal()
    as_seller = await market.deal_with(deal.buyer, deal.seller)
    made_at = market.clock.now()
    await market.insert_offers(as_seller, count=25, made_at=made_at, maker=deal.buyer)
    market.context.rates.enabled = True
    assert (await offer(market, deal))["state"] == "pending"


async def test_accepting_reserves_at_that_price_for_that_buyer(market: Market) -> None:
    deal = await market.deal()
    rival = await market.person("rival")
    other = Deal(
        deal.seller, rival, deal.listing_id, await market.open_room(rival, deal.listing_id)
    )
    lost = await offer(market, other, 95_000)
    made = await offer(market, deal, 80_000)
    accepted = await done(deal.seller.post(f"/v1/offers/{made['id']}/accept"))
    assert (accepted["state"], accepted["allowed_actions"]) == ("accepted", [])
    again = await done(deal.seller.post(f"/v1/offers/{made['id']}/accept"))
    assert again == accepted
    trade = (await done(deal.buyer.get("/v1/trades")))["items"][0]
    assert (trade["agreed_price"], trade["state"], trade["version"]) == (80_000, "reserved", 1)
    assert (await market.lines(rival, other.room_id))[-1] == "listing_reserved"
    refused = await deal.seller.post(f"/v1/offers/{lost['id']}/accept")
    assert problem(refused, 409, "already_reserved")["current"]["id"] == trade["id"]
    told = [notice["event"] for notice in await market.notices(rival)]
    assert told == ["offer_superseded"]
    await check_invariants(market)


@pytest.mark.parametrize(
    ("offered", "wanted", "method"),
    [
        ("both", None, "meet"),
        ("both", {}, "meet"),
        ("both", {"method": None}, "meet"),
        ("both", {"method": "meet"}, "meet"),
        ("both", {"method": "post"}, "post"),
        ("post", None, "post"),
        ("post", {"method": "post"}, "post"),
    ],
)
async def test_who_accepts_says_how_it_changes_hands(
    market: Market, offered: str, wanted: dict[str, Any] | None, method: str
) -> None:
    deal = await market.deal(method=offered)
    made = await offer(market, deal)
    await done(deal.seller.post(f"/v1/offers/{made['id']}/accept", wanted))
    trade = (await done(deal.buyer.get("/v1/trades")))["items"][0]
    assert (trade["method"], trade["agreed_price"]) == (method, 90_000)


async def test_nothing_is_accepted_by_a_way_that_the_listing_does_not_offer(market: Market) -> None:
    deal = await market.deal(method="meet")
    made = await offer(market, deal)
    path = f"/v1/offers/{made['id']}/accept"
    answer = await deal.seller.post(path, {"method": "post"})
    problem(answer, 422, "not_offered")
    assert (await pending(deal))["state"] == "pending"  # type: ignore[index]


async def test_an_offer_expires_after_48_hours(market: Market) -> None:
    deal = await market.deal()
    made = await offer(market, deal)
    await market.later(hours=47, minutes=59)
    assert await pending(deal) is not None
    await market.later(minutes=1)
    assert await pending(deal) is None
    assert (await market.lines(deal.buyer, deal.room_id))[-1] == "offer_expired"
    problem(await deal.seller.post(f"/v1/offers/{made['id']}/accept"), 409, "offer_expired")
    told = [notice["event"] for notice in await market.notices(deal.buyer)]
    assert told == ["offer_expired"]


async def test_an_expired_offer_reads_as_expired_before_its_timer_has_run(market: Market) -> None:
    deal = await market.deal()
    made = await offer(market, deal)
    market.clock.advance(timedelta(hours=48))
    assert await pending(deal) is None
    refused = await deal.seller.post(f"/v1/offers/{made['id']}/accept")
    assert problem(refused, 409, "offer_expired")["current"]["state"] == "expired"
    renewed = await offer(market, deal, 95_000)
    assert renewed["state"] == "pending"
    lines = await market.lines(deal.buyer, deal.room_id)
    assert lines[-2:] == ["offer_expired", "offer_made"]


async def test_another_price_ends_every_pending_offer(market: Market) -> None:
    deal = await market.deal()
    made = await offer(market, deal)
    listing = await done(deal.seller.get(f"/v1/listings/{deal.listing_id}"))
    headers = {"If-Match": f'"{listing["version"]}"'}
    path = f"/v1/listings/{deal.listing_id}"
    await done(deal.seller.patch(path, {"price": 95_000}, headers=headers))
    assert await pending(deal) is None
    assert (await market.lines(deal.buyer, deal.room_id))[-1] == "offer_superseded"
    problem(await deal.seller.post(f"/v1/offers/{made['id']}/accept"), 409, "offer_superseded")
    assert [notice["event"] for notice in await market.notices(deal.buyer)] == ["offer_superseded"]


async def test_leaving_the_market_ends_every_pending_offer(market: Market) -> None:
    deal = await market.deal()
    await offer(market, deal)
    assert (await deal.seller.delete(f"/v1/listings/{deal.listing_id}")).status_code == 204
    assert await pending(deal) is None
    await check_invariants(market)


async def test_only_the_other_side_answers_and_only_the_maker_withdraws(market: Market) -> None:
    deal = await market.deal()
    made = await offer(market, deal)
    path = f"/v1/offers/{made['id']}"
    problem(await deal.buyer.post(f"{path}/accept"), 403, "wrong_role")
    problem(await deal.buyer.post(f"{path}/decline"), 403, "wrong_role")
    problem(await deal.buyer.post(f"{path}/counter", {"amount": 95_000}), 403, "wrong_role")
    problem(await deal.seller.post(f"{path}/withdraw"), 403, "wrong_role")
    assert (await pending(deal))["state"] == "pending"  # type: ignore[index]


async def test_declining_again_is_the_same_answer(market: Market) -> None:
    deal = await market.deal()
    made = await offer(market, deal)
    path = f"/v1/offers/{made['id']}"
    declined = await done(deal.seller.post(f"{path}/decline"))
    assert await done(deal.seller.post(f"{path}/decline")) == declined
    refused = problem(await deal.buyer.post(f"{path}/withdraw"), 409, "offer_declined")
    assert refused["current"]["state"] == "declined"
    lines = await market.lines(deal.buyer, deal.room_id)
    assert lines.count("offer_declined") == 1


async def test_nothing_is_offered_on_what_is_reserved(market: Market) -> None:
    deal = await market.deal()
    await market.reserved(deal)
    path = f"/v1/chatrooms/{deal.room_id}/offers"
    problem(await deal.buyer.post(path, {"amount": 95_000}), 409, "already_reserved")
