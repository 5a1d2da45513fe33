"""Many who want the same thing at the same moment: one gets it, the rest are told so cleanly."""

import asyncio
from collections import Counter
from datetime import timedelta
from itertools import product
from uuid import UUID

import pytest

from server.platform.errors import Conflict
from server.platform.unit_of_work import transact
from server.trades import api
from server.trades.reports import REPORTS_PER_DAY
from tests.server.conftest import Person
from tests.server.trades.market import Deal, Market, check_invariants, done

pytestmark = pytest.mark.usefixtures("no_deadlocks")

CLIENTS = 40


async def buyers_of(market: Market, seller: Person, listing_id: str, count: int) -> list[Deal]:
    """Buyers with a room each on one listing."""
    buyers = [await market.person(f"buyer_{number}") for number in range(count)]
    return [
        Deal(seller, buyer, listing_id, await market.open_room(buyer, listing_id))
        for buyer in buyers
    ]


@pytest.mark.timeout(120)
async def test_of_forty_reservations_at_once_one_makes_a_trade_and_39_are_clean_conflicts(
    market: Market,
) -> None:
    seller = await market.person("seller")
    deals = await buyers_of(market, seller, await market.sell(seller), CLIENTS)
    answers = await asyncio.gather(
        *(
            seller.post("/v1/trades", {"chatroom_id": deal.room_id, "expected_price": 100_000})
            for deal in deals
        )
    )
    outcomes = Counter((answer.status_code, answer.json().get("code")) for answer in answers)
    assert outcomes == {(201, None): 1, (409, "already_reserved"): CLIENTS - 1}
    winner = next(answer.json()["id"] for answer in answers if answer.status_code == 201)
    losers = [answer.json() for answer in answers if answer.status_code == 409]
    assert {loser["current"]["id"] for loser in losers} == {winner}
    await check_invariants(market)


@pytest.mark.timeout(120)
async def test_accepted_offers_and_reservations_at_once_make_one_trade(market: Market) -> None:
    seller = await market.person("seller")
    deals = await buyers_of(market, seller, await market.sell(seller), 20)
    offers = [
        await done(deal.buyer.post(f"/v1/chatrooms/{deal.room_id}/offers", {"amount": 90_000}))
        for deal in deals
    ]
    reserving = [
        seller.post("/v1/trades", {"chatroom_id": deal.room_id, "expected_price": 100_000})
        for deal in deals
    ]
    accepting = [seller.post(f"/v1/offers/{offer['id']}/accept") for offer in offers]
    answers = await asyncio.gather(*reserving, *accepting)
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses[409] == 39
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {
        "already_reserved"
    }
    trades = await done(seller.get("/v1/trades"))
    assert [trade["state"] for trade in trades["items"]] == ["reserved"]
    await check_invariants(market)


ROUNDS = range(2)


@pytest.mark.parametrize("_round", ROUNDS)
async def test_both_confirming_at_once_completes_once(market: Market, _round: int) -> None:
    deal = await market.deal()
    trade = await market.reserved(deal)
    answers = await asyncio.gather(
        *(market.try_to(who, trade, "confirm") for who in (deal.seller, deal.buyer) * 3)
    )
    assert {answer.status_code for answer in answers} == {200}
    assert (await market.trade(deal.buyer, trade["id"]))["state"] == "completed"
    await check_invariants(market)


@pytest.mark.parametrize("_round", ROUNDS)
async def test_confirm_against_cancel_leaves_one_of_the_two(market: Market, _round: int) -> None:
    deal = await market.deal()
    trade = await market.reserved(deal)
    confirming, canceling = await asyncio.gather(
        market.try_to(deal.seller, trade, "confirm"),
        market.try_to(deal.buyer, trade, "cancel", reason="changed_mind"),
    )
    assert {confirming.status_code, canceling.status_code} == {200, 409}
    loser = confirming if confirming.status_code == 409 else canceling
    assert loser.json()["code"] == "stale"
    now = await market.trade(deal.seller, trade["id"])
    assert loser.json()["current"]["state"] == now["state"]
    assert now["state"] == ("handed_over" if canceling is loser else "canceled")
    await check_invariants(market)


@pytest.mark.parametrize(("_round", "action"), product(ROUNDS, ["confirm", "problem"]))
async def test_the_timer_against_a_party_leaves_no_half_state(
    market: Market, _round: int, action: str
) -> None:
    deal = await market.deal()
    trade = await market.act(deal.seller, await market.reserved(deal), "confirm")
    market.clock.advance(timedelta(hours=72))
    body = {} if action == "confirm" else {"reason": "damaged", "detail": "It is broken."}
    acting = market.try_to(deal.buyer, trade, action, **body)
    jobs = [market.later() for _ in range(3)]
    answer, *_ = await asyncio.gather(acting, *jobs)
    now = await market.trade(deal.buyer, trade["id"])
    assert (now["state"], now["auto_completed"]) == ("completed", True)
    assert answer.status_code == 409
    assert answer.json()["current"]["state"] == "completed"
    await check_invariants(market)


@pytest.mark.parametrize("_round", ROUNDS)
async def test_accepting_against_withdrawing_leaves_one_of_the_two(
    market: Market, _round: int
) -> None:
    deal = await market.deal()
    offer = await done(deal.buyer.post(f"/v1/chatrooms/{deal.room_id}/offers", {"amount": 90_000}))
    accepting, withdrawing = await asyncio.gather(
        deal.seller.post(f"/v1/offers/{offer['id']}/accept"),
        deal.buyer.post(f"/v1/offers/{offer['id']}/withdraw"),
    )
    assert {accepting.status_code, withdrawing.status_code} == {200, 409}
    trades = await done(deal.seller.get("/v1/trades"))
    assert len(trades["items"]) == (1 if accepting.status_code == 200 else 0)
    await check_invariants(market)


@pytest.mark.parametrize("_round", ROUNDS)
async def test_reserving_against_another_price_never_reserves_at_a_price_nobody_saw(
    market: Market, _round: int
) -> None:
    deal = await market.deal()
    listing = await done(deal.seller.get(f"/v1/listings/{deal.listing_id}"))
    reserving, pricing = await asyncio.gather(
        deal.seller.post("/v1/trades", {"chatroom_id": deal.room_id, "expected_price": 100_000}),
        deal.seller.patch(
            f"/v1/listings/{deal.listing_id}",
            {"price": 80_000},
            headers={"If-Match": f'"{listing["version"]}"'},
        ),
    )
    if reserving.status_code == 201:
        assert reserving.json()["agreed_price"] == 100_000
        assert pricing.status_code in (409, 412)
    else:
        assert reserving.json()["code"] == "price_changed"
        assert reserving.json()["current"]["price"] == 80_000
    await check_invariants(market)


async def test_a_timer_that_fires_twice_at_once_completes_once(market: Market) -> None:
    deal = await market.deal()
    trade = await market.act(deal.seller, await market.reserved(deal), "confirm")
    market.clock.advance(timedelta(hours=72))
    await asyncio.gather(*(api.settle_account(market.context, deal.seller.id) for _ in range(5)))
    assert (await market.trade(deal.seller, trade["id"]))["version"] == trade["version"] + 1
    await check_invariants(market)


async def test_both_reviewing_at_once_publishes_both(market: Market) -> None:
    deal = await market.deal()
    trade = await market.completed(deal)
    await asyncio.gather(
        *(
            done(who.post(f"/v1/trades/{trade['id']}/review", {"rating": 5}))
            for who in (deal.seller, deal.buyer)
        )
    )
    seen = await market.trade(deal.seller, trade["id"])
    assert (seen["my_review"]["published"], seen["other_review"]["published"]) == (True, True)
    await check_invariants(market)


async def test_reviews_of_one_seller_published_at_once_are_all_in_the_score(
    market: Market,
) -> None:
    seller = await market.person("seller")
    buyers = [await market.person(f"buyer_{number}") for number in range(6)]
    paths = []
    for buyer in buyers:
        trade = await market.completed(await market.deal_with(seller, buyer))
        paths.append(f"/v1/trades/{trade['id']}/review")
        await done(buyer.post(paths[-1], {"rating": 5}))
    await asyncio.gather(*(done(seller.post(path, {"rating": 4})) for path in paths))
    assert (await done(seller.get("/v1/me")))["review_count"] == len(buyers)
    await check_invariants(market)


async def test_of_many_offers_at_once_no_more_than_25_a_day_are_made(market: Market) -> None:
    deal = await market.deal()
    await market.insert_offers(deal, count=24, made_at=market.clock.now())
    others = [await market.deal_with(deal.seller, deal.buyer) for _ in range(5)]
    market.context.rates.enabled = True
    answers = await asyncio.gather(
        *(
            deal.buyer.post(f"/v1/chatrooms/{other.room_id}/offers", {"amount": 90_000})
            for other in others
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201, 429, 429, 429, 429]


async def test_of_many_reports_at_once_no_more_than_20_a_day_are_made(market: Market) -> None:
    reporter = await market.person("reporter")
    people = [await market.person(f"person_{number}") for number in range(REPORTS_PER_DAY + 14)]
    market.context.rates.enabled = True
    about = [
        {"target_kind": "account", "target_id": str(person.id), "reason": "fraud"}
        for person in people
    ]
    for body in about[: REPORTS_PER_DAY - 1]:
        await done(reporter.post("/v1/reports", body))
    answers = await asyncio.gather(
        *(reporter.post("/v1/reports", body) for body in about[REPORTS_PER_DAY - 1 :])
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 429: 14}


@pytest.mark.parametrize("_round", ROUNDS)
async def test_a_moderator_and_the_timer_resolve_a_dispute_once(
    market: Market, _round: int
) -> None:
    deal = await market.deal()
    trade = await market.act(deal.seller, await market.reserved(deal), "confirm")
    body = {"reason": "damaged", "detail": "It is broken."}
    trade = await market.act(deal.buyer, trade, "problem", **body)

    market.clock.advance(timedelta(days=30))

    async def resolve() -> None:
        with pytest.raises(Conflict):  # nobody resolves what is overdue, whoever comes first
            await transact(
                market.context,
                None,
                lambda work: api.moderate(work, UUID(trade["id"]), "resolve_completed", "Seen."),
            )

    await asyncio.gather(resolve(), *(market.later() for _ in range(3)), resolve())
    now = await market.trade(deal.seller, trade["id"])
    assert (now["state"], now["version"]) == ("canceled", trade["version"] + 1)
    await check_invariants(market)
