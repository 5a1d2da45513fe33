"""Timers run as jobs and on read, and decide the same either way (T9, T12b, T13, P3, H5)."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from server.listings.jobs import RUNNERS
from server.listings.tables import Listing
from server.listings.trading import BACK_ON_SALE
from server.platform.failures import LostRace
from server.platform.tables import Job
from server.platform.unit_of_work import UnitOfWork
from server.trades import settling
from server.trades.repository.overdue import Kind
from server.trades.tables import Appointment, Trade
from tests.server.conftest import problem
from tests.server.trades.market import Deal, Market, check_invariants, done
from tests.server.trades.test_transitions import BODIES

DAY = timedelta(days=1)


async def shipped(market: Market, deal: Deal) -> dict[str, Any]:
    trade = await market.reserved(deal, "post")
    found: dict[str, Any] = await market.act(deal.seller, trade, "ship", **BODIES["ship"])
    return found


async def handed_over(market: Market, deal: Deal) -> dict[str, Any]:
    trade = await market.reserved(deal)
    found: dict[str, Any] = await market.act(deal.seller, trade, "confirm")
    return found


async def disputed(market: Market, deal: Deal) -> dict[str, Any]:
    trade = await handed_over(market, deal)
    found: dict[str, Any] = await market.act(deal.buyer, trade, "problem", **BODIES["problem"])
    return found


TIMERS = [
    (Market.reserved, 7 * DAY, "canceled", "expired", "selling"),
    (handed_over, 3 * DAY, "completed", None, "sold"),
    (shipped, 7 * DAY, "completed", None, "sold"),
    (disputed, 30 * DAY, "canceled", "unresolved", "selling"),
]


@pytest.mark.parametrize("lazily", [False, True], ids=["by a job", "on read"])
@pytest.mark.parametrize(("begin", "wait", "state", "reason", "listing_state"), TIMERS)
async def test_a_timer_ends_the_trade_at_its_time_and_not_before(
    market: Market,
    begin: Any,
    wait: timedelta,
    state: str,
    reason: str | None,
    listing_state: str,
    lazily: bool,
) -> None:
    deal = await market.deal()
    trade = await begin(market, deal)
    market.clock.advance(wait - timedelta(seconds=1))
    assert (await market.trade(deal.buyer, trade["id"]))["state"] == trade["state"]
    if lazily:
        market.clock.advance(timedelta(seconds=1))
    else:
        await market.later(seconds=1)
    ended = await market.trade(deal.buyer, trade["id"])
    assert (ended["state"], ended["cancel_reason"]) == (state, reason)
    assert ended["auto_completed"] == (state == "completed")
    assert ended["timeline"][-1]["actor_id"] is None
    listing = await done(deal.seller.get(f"/v1/listings/{deal.listing_id}"))
    assert listing["state"] == listing_state
    assert listing["hidden"] == (reason == "unresolved")
    for party in (deal.seller, deal.buyer):
        told = [notice["event"] for notice in await market.notices(party)]
        assert told[0] == f"trade_{ended['timeline'][-1]['event']}", "both are told"
    await check_invariants(market)


async def test_the_list_of_trades_shows_no_timer_that_has_run_out(market: Market) -> None:
    deal = await market.deal()
    await market.reserved(deal)
    market.clock.advance(7 * DAY)
    assert (await done(deal.buyer.get("/v1/trades?state=open")))["items"] == []
    canceled = (await done(deal.buyer.get("/v1/trades?state=canceled")))["items"]
    assert [trade["cancel_reason"] for trade in canceled] == ["expired"]


async def test_what_ran_out_unseen_can_be_reserved_anew(market: Market) -> None:
    deal = await market.deal()
    first = await market.reserved(deal)
    market.clock.advance(7 * DAY)
    second = await market.reserved(deal)
    assert second["id"] != first["id"]
    assert (await market.trade(deal.buyer, first["id"]))["cancel_reason"] == "expired"
    await check_invariants(market)


async def test_nobody_acts_on_a_trade_whose_time_is_over(market: Market) -> None:
    deal = await market.deal()
    trade = await market.reserved(deal)
    market.clock.advance(7 * DAY)
    answer = await market.try_to(deal.seller, trade, "confirm")
    assert (answer.status_code, answer.json()["code"]) == (409, "stale")
    current = answer.json()["current"]
    assert current["cancel_reason"] == "expired"
    kept = await market.rows(Trade.state, Trade.version)
    assert [tuple(row) for row in kept] == [(current["state"], current["version"])]


async def test_who_is_refused_is_shown_what_is_kept(market: Market) -> None:
    deal = await market.deal()
    await market.reserved(deal)
    market.clock.advance(7 * DAY)
    body = {"chatroom_id": deal.room_id, "expected_price": 1}
    refused = problem(await deal.seller.post("/v1/trades", body), 409, "price_changed")
    assert refused["current"]["state"] == "selling"
    assert [row.state for row in await market.rows(Listing.state)] == ["selling"]


async def test_what_was_arranged_ends_with_a_reservation_that_ran_out(market: Market) -> None:
    deal = await market.deal()
    at = (market.clock.now() + DAY).isoformat()
    proposal = {"at": at, "place": "Mapo station"}
    path = f"/v1/chatrooms/{deal.room_id}/appointments"
    found = await done(deal.buyer.post(path, proposal))
    await market.reserved(deal)
    market.clock.advance(7 * DAY)
    refused = await deal.seller.post(f"/v1/appointments/{found['id']}/accept")
    current = problem(refused, 409, "wrong_state")["current"]
    kept = await market.rows(Appointment.state)
    assert [row.state for row in kept] == [current["state"]] == ["dropped"]


@pytest.mark.parametrize("do", ["edit", "delete", "sold-elsewhere", "block"])
async def test_a_reservation_that_has_run_out_stops_no_seller(market: Market, do: str) -> None:
    deal = await market.deal()
    await market.reserved(deal)
    path = f"/v1/listings/{deal.listing_id}"
    market.clock.advance(7 * DAY)
    if do == "edit":
        version = (await market.rows(Listing.version))[0].version + 1
        headers = {"If-Match": f'"{version}"'}
        answer = await deal.seller.patch(path, {"price": 90_000}, headers=headers)
    elif do == "delete":
        answer = await deal.seller.delete(path)
    elif do == "sold-elsewhere":
        answer = await deal.seller.post(f"{path}/sold-elsewhere")
    else:
        answer = await deal.seller.put(f"/v1/accounts/{deal.buyer.id}/block")
    assert answer.is_success, answer.text
    assert [row.cancel_reason for row in await market.rows(Trade.cancel_reason)] == ["expired"]
    await check_invariants(market)


async def test_a_problem_stops_the_clock(market: Market) -> None:
    deal = await market.deal()
    trade = await disputed(market, deal)
    await market.later(days=4)
    assert (await market.trade(deal.buyer, trade["id"]))["state"] == "disputed"


async def test_a_withdrawn_problem_starts_the_clock_afresh(market: Market) -> None:
    deal = await market.deal()
    trade = await disputed(market, deal)
    await market.later(days=4)
    await market.act(deal.buyer, trade, "withdraw-problem")
    await market.later(hours=71)
    assert (await market.trade(deal.buyer, trade["id"]))["state"] == "handed_over"
    await market.later(hours=1)
    assert (await market.trade(deal.buyer, trade["id"]))["state"] == "completed"


async def test_who_has_not_confirmed_is_reminded_after_24_and_60_hours(market: Market) -> None:
    deal = await market.deal()
    await handed_over(market, deal)
    await market.later(hours=24)
    await market.later(hours=36)
    reminded = [
        notice["event"]
        for notice in await market.notices(deal.buyer)
        if "reminder" in notice["event"]
    ]
    assert reminded == ["trade_reminder_confirm_60", "trade_reminder_confirm_24"]
    assert not any("reminder" in notice["event"] for notice in await market.notices(deal.seller))


async def test_nobody_is_reminded_of_a_trade_that_has_moved_on(market: Market) -> None:
    deal = await market.deal()
    await market.completed(deal)
    await market.later(hours=60)
    told = await market.notices(deal.buyer)
    assert not any("reminder" in notice["event"] for notice in told)


async def test_both_are_warned_a_day_before_a_reservation_runs_out(market: Market) -> None:
    deal = await market.deal()
    await market.reserved(deal)
    await market.later(days=5, hours=23)
    assert len(await market.notices(deal.buyer)) == 1
    await market.later(hours=1)
    for party in (deal.seller, deal.buyer):
        assert (await market.notices(party))[0]["event"] == "trade_reminder_expiry"


async def test_likers_hear_after_ten_minutes_that_it_is_back_on_sale(market: Market) -> None:
    deal = await market.deal()
    fan = await market.person("fan")
    assert (await fan.put(f"/v1/listings/{deal.listing_id}/like")).is_success
    trade = await market.reserved(deal)
    await market.act(deal.buyer, trade, "cancel", reason="price")
    await market.later(minutes=9)
    assert await market.notices(fan) == []
    await market.later(minutes=1)
    assert [notice["event"] for notice in await market.notices(fan)] == ["back_on_sale"]


async def test_likers_hear_once_each_time_though_the_job_runs_twice(market: Market) -> None:
    deal = await market.deal()
    fan = await market.person("fan")
    assert (await fan.put(f"/v1/listings/{deal.listing_id}/like")).is_success
    for times in (1, 2):
        trade = await market.reserved(deal)
        await market.act(deal.buyer, trade, "cancel", reason="price")
        await market.later(minutes=10)
        jobs = await market.rows(Job.kind, Job.payload, Job.run_at)
        again = max((job for job in jobs if job.kind == BACK_ON_SALE), key=lambda job: job.run_at)
        market.clock.advance(timedelta(minutes=2))
        await RUNNERS[BACK_ON_SALE](market.context, again.payload)
        told = [notice["event"] for notice in await market.notices(fan)]
        assert told == ["back_on_sale"] * times


async def test_likers_do_not_hear_of_a_quick_second_reservation(market: Market) -> None:
    deal = await market.deal()
    fan = await market.person("fan")
    assert (await fan.put(f"/v1/listings/{deal.listing_id}/like")).is_success
    trade = await market.reserved(deal)
    await market.act(deal.buyer, trade, "cancel", reason="price")
    await market.reserved(deal)
    await market.later(minutes=10)
    assert await market.notices(fan) == []


READS: dict[str, Callable[[Market, Deal], Awaitable[Any]]] = {
    "the room": lambda _, deal: deal.buyer.get(f"/v1/chatrooms/{deal.room_id}"),
    "the room list": lambda _, deal: deal.buyer.get("/v1/chatrooms"),
    "the listing": lambda _, deal: deal.buyer.get(f"/v1/listings/{deal.listing_id}"),
    "the bootstrap": lambda _, deal: deal.buyer.get("/v1/sync/bootstrap"),
    "a profile": lambda _, deal: deal.buyer.get(f"/v1/accounts/{deal.seller.id}"),
    "a search": lambda _, deal: deal.buyer.get("/v1/listings?state=any"),
    "an account's listings": lambda _, deal: deal.buyer.get(
        f"/v1/accounts/{deal.seller.id}/listings"
    ),
    "the likes": lambda _, deal: deal.buyer.get("/v1/me/likes"),
    "what was viewed": lambda _, deal: deal.buyer.get("/v1/me/recently-viewed"),
}


def is_sold(page: dict[str, Any]) -> bool:
    """Whether the one listing on a page is."""
    [card] = page["items"]
    return bool(card["state"] == "sold")


SEEN: dict[str, Callable[[dict[str, Any]], object]] = {
    "the room": lambda room: room["trade"]["state"] == "completed",
    "the room list": lambda page: page["items"][0]["listing"]["state"] == "sold",
    "the listing": lambda listing: listing["state"] == "sold",
    "the bootstrap": lambda state: state["trades"][0]["state"] == "completed",
    "a profile": lambda profile: profile["sales"] == 1,
    "a search": is_sold,
    "an account's listings": is_sold,
    "the likes": is_sold,
    "what was viewed": is_sold,
}


async def seen_deal(market: Market) -> Deal:
    """A deal on what its buyer has viewed and likes."""
    deal = await market.deal()
    path = f"/v1/listings/{deal.listing_id}"
    await done(deal.buyer.get(path))
    assert (await deal.buyer.put(f"{path}/like")).is_success
    return deal


@pytest.mark.parametrize("read", READS)
async def test_no_read_shows_a_timer_that_has_run_out(market: Market, read: str) -> None:
    deal = await seen_deal(market)
    await handed_over(market, deal)
    market.clock.advance(3 * DAY - timedelta(seconds=1))
    assert not SEEN[read](await done(READS[read](market, deal)))
    market.clock.advance(timedelta(seconds=1))
    assert SEEN[read](await done(READS[read](market, deal)))
    await check_invariants(market)


async def test_a_room_is_opened_once_the_reservation_has_run_out(market: Market) -> None:
    deal = await market.deal()
    await market.reserved(deal)
    market.clock.advance(7 * DAY)
    rival = await market.person("rival")
    assert await market.open_room(rival, deal.listing_id)


async def test_a_reservation_that_has_run_out_keeps_nobody(market: Market) -> None:
    deal = await market.deal()
    await market.reserved(deal)
    problem(await deal.buyer.delete("/v1/me"), 409, "open_trade")
    market.clock.advance(7 * DAY)
    assert (await deal.buyer.delete("/v1/me")).status_code == 204


@pytest.mark.parametrize("read", READS)
async def test_a_timer_that_loses_its_race_withholds_no_answer(
    market: Market, monkeypatch: pytest.MonkeyPatch, read: str
) -> None:
    deal = await seen_deal(market)
    await handed_over(market, deal)
    market.clock.advance(3 * DAY)

    async def lose(_work: UnitOfWork, trade_id: UUID) -> None:
        raise LostRace(f"trade {trade_id} moved on")

    monkeypatch.setitem(settling._TIMERS, Kind.TRADE, lose)
    assert not SEEN[read](await done(READS[read](market, deal)))
    monkeypatch.undo()
    assert SEEN[read](await done(READS[read](market, deal)))


async def test_looking_for_what_is_overdue_costs_one_query(
    market: Market, count_queries: Callable[[], Any]
) -> None:
    deal = await market.deal()
    await market.reserved(deal)
    with count_queries() as queries:
        await settling.settle_account(market.context, deal.seller.id)
    assert queries.count == 1
    with count_queries() as queries:
        await settling.settle_listing(market.context, UUID(deal.listing_id))
    assert queries.count == 1
    with count_queries() as queries:
        await settling.settle_due(market.context)
    assert queries.count == 1
    with count_queries() as queries:
        await settling.settle_room(market.context, UUID(deal.room_id), deal.buyer.id)
    assert queries.count == 2, "whose room it is, and what is overdue there"
