"""Who did not come: reported, contested, counted, and said in a review (rules 12 to 14, 20)."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from server.platform.unit_of_work import transact
from server.trades import no_shows
from server.trades.jobs import FADE, RUNNERS
from server.trades.timers import NO_SHOW_TIMER
from tests.server.conftest import Person, problem
from tests.server.trades.market import Deal, Market, check_invariants, done
from tests.server.trades.test_appointments import accepted, propose
from tests.server.trades.test_reviews import about, head, kept_score

ONLY = {"rating": 1, "tags": ["no_show"]}
STARTS, AFTER_ONE = 36.5, 28.0
"""The score of everybody, and after a no-show: 36.5 - 36.5 * (1 - exp(-4 / 15))."""


@dataclass(frozen=True, slots=True)
class Missed:
    """A meeting for a reserved trade, that the buyer says the seller did not come to."""

    deal: Deal
    trade: dict[str, Any]
    meeting: dict[str, Any]

    @property
    def contest(self) -> str:
        """The path to contest it."""
        return f"/v1/appointments/{self.meeting['id']}/contest"

    @property
    def review(self) -> str:
        """The path to review the trade."""
        return f"/v1/trades/{self.trade['id']}/review"


async def missed(market: Market, deal: Deal | None = None) -> Missed:
    deal = deal or await market.deal()
    trade = await market.reserved(deal)
    found = await accepted(market, deal, hours=1)
    await market.later(hours=2)
    reported = await done(deal.buyer.post(f"/v1/appointments/{found['id']}/no-show"))
    return Missed(deal, trade, reported)


async def canceled(market: Market, one: Missed) -> None:
    await market.act(one.deal.seller, one.trade, "cancel", reason="other")


async def header(person: Person, deal: Deal) -> Any:
    """The missed meeting of the room, as its header shows it."""
    return (await done(person.get(f"/v1/chatrooms/{deal.room_id}")))["no_show"]


async def standing(reader: Person, person: Person) -> tuple[int, float, int]:
    """No-shows, score and reviews, as anybody sees them."""
    profile = await done(reader.get(f"/v1/accounts/{person.id}"))
    return profile["no_shows"], profile["manner_score"], profile["review_count"]


async def count(market: Market, one: Missed) -> None:
    """Run the timer's job."""
    payload = {"appointment_id": one.meeting["id"]}
    await RUNNERS[NO_SHOW_TIMER](market.context, payload)


async def test_who_is_reported_may_contest_for_72_hours(market: Market) -> None:
    one = await missed(market)
    assert one.meeting["no_show_until"].startswith("2026-03-05T11:00")
    assert (one.meeting["no_show_contested_at"], one.meeting["no_show_upheld"]) == (None, False)
    assert "contest" not in one.meeting["allowed_actions"], "not for who reported"
    assert "contest" in (await header(one.deal.seller, one.deal))["allowed_actions"]
    await market.later(hours=72, seconds=-1)
    contested = await done(one.deal.seller.post(one.contest))
    assert contested["no_show_contested_at"] is not None
    assert "contest" not in contested["allowed_actions"]
    assert await done(one.deal.seller.post(one.contest)) == contested
    lines = await market.lines(one.deal.buyer, one.deal.room_id)
    assert lines.count("appointment_no_show_contested") == 1
    told = [notice["event"] for notice in await market.notices(one.deal.buyer)]
    assert told[0] == "appointment_no_show_contested"
    await market.later(days=30)
    assert await standing(one.deal.buyer, one.deal.seller) == (0, STARTS, 0)
    assert not (await header(one.deal.buyer, one.deal))["no_show_upheld"]
    assert await done(one.deal.seller.post(one.contest)) == contested | {"allowed_actions": []}
    await check_invariants(market)


async def test_nobody_else_contests(market: Market) -> None:
    one = await missed(market)
    problem(await one.deal.buyer.post(one.contest), 403, "wrong_role")
    problem(await (await market.person("stranger")).post(one.contest), 404, "not_found")
    fine = await market.deal_with(one.deal.seller, one.deal.buyer)
    other = await accepted(market, fine)
    refused = await fine.seller.post(f"/v1/appointments/{other['id']}/contest")
    assert problem(refused, 409, "not_reported")["current"]["id"] == other["id"]


@pytest.mark.parametrize("lazily", [False, True], ids=["by a job", "on read"])
async def test_what_nobody_contests_counts_after_72_hours(market: Market, lazily: bool) -> None:
    one = await missed(market)
    seller, buyer = one.deal.seller, one.deal.buyer
    await market.later(hours=72, seconds=-1)
    assert await standing(buyer, seller) == (0, STARTS, 0)
    heard = await head(market, seller)
    if lazily:
        market.clock.advance(timedelta(seconds=1))
    else:
        await market.later(seconds=1)
    refused = problem(await seller.post(one.contest), 409, "contest_closed")["current"]
    assert (refused["no_show_upheld"], "contest" in refused["allowed_actions"]) == (True, False)
    assert await standing(buyer, seller) == (1, AFTER_ONE, 0)
    assert await standing(seller, buyer) == (0, STARTS, 0)
    assert await head(market, seller) > heard, "the account's devices hear of it"
    assert (await done(seller.get("/v1/me")))["manner_score"] == AFTER_ONE
    lines = await market.lines(buyer, one.deal.room_id)
    assert lines.count("appointment_no_show_upheld") == 1
    for party in (seller, buyer):
        told = [notice["event"] for notice in await market.notices(party)]
        assert told.count("appointment_no_show_upheld") == 1
    await check_invariants(market)


async def test_a_job_that_runs_twice_counts_once_and_one_that_is_early_counts_nothing(
    market: Market,
) -> None:
    one = await missed(market)
    await count(market, one)
    assert await standing(one.deal.buyer, one.deal.seller) == (0, STARTS, 0)
    market.clock.advance(timedelta(hours=72))
    await asyncio.gather(*(count(market, one) for _ in range(3)))
    await count(market, one)
    assert await standing(one.deal.buyer, one.deal.seller) == (1, AFTER_ONE, 0)
    assert (await market.lines(one.deal.buyer, one.deal.room_id)).count(
        "appointment_no_show_upheld"
    ) == 1
    await check_invariants(market)


@pytest.mark.usefixtures("no_deadlocks")
@pytest.mark.parametrize("_round", range(3))
async def test_contesting_against_counting_leaves_one_of_the_two(
    market: Market, _round: int
) -> None:
    """The clocks of two processes differ by a second: one says in time, one says over."""
    one = await missed(market)
    market.clock.advance(timedelta(hours=72, seconds=-1))
    seller = one.deal.seller

    async def counting() -> None:
        market.clock.advance(timedelta(seconds=1))
        await count(market, one)

    answer, _ = await asyncio.gather(seller.post(one.contest), counting())
    is_contested = answer.is_success
    assert is_contested or problem(answer, 409, "contest_closed")
    assert (await header(seller, one.deal))["no_show_upheld"] != is_contested
    assert await standing(seller, seller) == ((0, STARTS, 0) if is_contested else (1, AFTER_ONE, 0))
    await check_invariants(market)


async def test_what_is_counted_is_contested_by_no_slow_clock(market: Market) -> None:
    one = await missed(market)
    await market.later(hours=72)
    market.clock.advance(timedelta(seconds=-1))
    problem(await one.deal.seller.post(one.contest), 409, "contest_closed")
    market.clock.advance(timedelta(seconds=1))
    await check_invariants(market)


async def test_what_is_contested_is_counted_by_no_fast_clock(market: Market) -> None:
    one = await missed(market)
    await done(one.deal.seller.post(one.contest))
    market.clock.advance(timedelta(hours=72))
    await transact(
        market.context, None, lambda work: no_shows.run_counting(work, UUID(one.meeting["id"]))
    )
    assert await standing(one.deal.buyer, one.deal.seller) == (0, STARTS, 0)


@pytest.mark.parametrize("how", ["canceled", "another meeting", "blocked", "completed", "gone"])
async def test_what_becomes_of_the_meeting_takes_nobody_the_right_to_contest(
    market: Market, how: str
) -> None:
    one = await missed(market)
    seller, buyer = one.deal.seller, one.deal.buyer
    if how == "canceled":
        await canceled(market, one)
    elif how == "another meeting":
        await propose(market, one.deal, "buyer")
    elif how == "blocked":
        path = f"/v1/accounts/{seller.id}/block?cancel_trade=true"
        assert (await buyer.put(path)).status_code == 204
    elif how == "completed":
        await market.act(buyer, await market.act(seller, one.trade, "confirm"), "confirm")
    else:
        await canceled(market, one)
        assert (await seller.delete(f"/v1/listings/{one.deal.listing_id}")).status_code == 204
    shown = await header(seller, one.deal)
    assert (shown["id"], "contest" in shown["allowed_actions"]) == (one.meeting["id"], True)
    await done(seller.post(one.contest))
    await market.later(days=4)
    assert (await standing(seller, seller))[0] == 0
    await check_invariants(market)


async def test_no_later_report_hides_what_one_can_still_contest(market: Market) -> None:
    one = await missed(market)
    seller, buyer = one.deal.seller, one.deal.buyer
    for reporter in (buyer, seller):
        again = await accepted(market, one.deal, hours=1)
        await market.later(hours=2)
        await done(reporter.post(f"/v1/appointments/{again['id']}/no-show"))
    assert (await header(buyer, one.deal))["id"] == again["id"]
    contested = set()
    for _ in range(2):
        shown = await header(seller, one.deal)
        contested.add(shown["id"])
        await done(seller.post(f"/v1/appointments/{shown['id']}/contest"))
    assert one.meeting["id"] in contested
    assert len(contested) == 2
    assert (await header(seller, one.deal))["id"] == again["id"]
    await market.later(hours=72)
    assert (await standing(buyer, seller))[0] == 0
    assert (await standing(seller, buyer))[0] == 1
    await check_invariants(market)


async def test_a_bad_point_of_a_no_show_fades_from_the_score_that_is_kept(market: Market) -> None:
    one = await missed(market)
    await market.later(hours=72)
    scores = []
    for days in (365, 182, 183, 10):
        market.clock.advance(timedelta(days=days))
        await RUNNERS[FADE](market.context, {})
        scores.append(await kept_score(market, one.deal.seller))
    assert AFTER_ONE == scores[0] < scores[1] < scores[2] == scores[3] == STARTS


# What is said of a canceled trade (rule 13)


async def test_whom_the_other_did_not_meet_says_so_of_a_canceled_trade(market: Market) -> None:
    one = await missed(market)
    seller, buyer = one.deal.seller, one.deal.buyer
    await canceled(market, one)
    await market.later(hours=72, seconds=-1)
    problem(await buyer.post(one.review, ONLY), 409, "not_completed")
    assert (await market.trade(buyer, one.trade["id"]))["review_until"] is None
    await market.later(seconds=1)
    trade = await market.trade(buyer, one.trade["id"])
    assert trade["allowed_actions"] == ["review"]
    assert trade["review_until"].startswith("2026-03-19T11:00"), "14 days from the upholding"
    bootstrap = await done(buyer.get("/v1/sync/bootstrap"))
    assert [known["id"] for known in bootstrap["trades"]] == [one.trade["id"]]
    theirs = await market.trade(seller, one.trade["id"])
    assert (theirs["allowed_actions"], theirs["review_until"]) == ([], None)
    problem(await seller.post(one.review, ONLY), 409, "not_completed")
    assert (await done(seller.get("/v1/sync/bootstrap")))["trades"] == []

    mine = await buyer.post(one.review, ONLY)
    assert (mine.status_code, mine.json()["published"]) == (201, True)
    assert (await buyer.post(one.review, ONLY)).json() == mine.json()
    assert (await market.trade(buyer, one.trade["id"]))["allowed_actions"] == []
    assert (await market.trade(seller, one.trade["id"]))["other_review"]["rating"] == 1
    assert (await about(seller, buyer))[0]["tags"] == ["no_show"]
    shows, score, reviews = await standing(buyer, seller)
    assert (shows, reviews, score) == (1, 1, 20.0)
    answer = f"/v1/reviews/{mine.json()['id']}/answer"
    await done(seller.post(answer, {"text": "The train stood still."}))
    problem(await seller.post(answer, {"text": "Again."}), 409, "already_answered")
    await check_invariants(market)


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("rating", {"rating": 5, "tags": ["no_show"]}),
        ("tags", {"rating": 1}),
        ("tags", {"rating": 1, "tags": ["no_show", "rude"]}),
        ("tags", {"rating": 1, "tags": ["rude"]}),
        ("comment", {"rating": 1, "tags": ["no_show"], "comment": "I waited."}),
    ],
)
async def test_nothing_else_is_said_of_a_canceled_trade(
    market: Market, field: str, body: dict[str, Any]
) -> None:
    one = await missed(market)
    await canceled(market, one)
    await market.later(hours=72)
    answer = await one.deal.buyer.post(one.review, body)
    assert answer.status_code == 422
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [(field, "only_no_show")]
    await check_invariants(market)


async def test_a_canceled_trade_is_reviewed_for_14_days(market: Market) -> None:
    one = await missed(market)
    await canceled(market, one)
    await market.later(hours=72)
    await market.later(days=14, seconds=-1)
    assert (await market.trade(one.deal.buyer, one.trade["id"]))["allowed_actions"] == ["review"]
    await market.later(seconds=1)
    assert (await market.trade(one.deal.buyer, one.trade["id"]))["allowed_actions"] == []
    problem(await one.deal.buyer.post(one.review, ONLY), 409, "review_closed")
    assert (await done(one.deal.buyer.get("/v1/sync/bootstrap")))["trades"] == []


async def test_the_14_days_begin_when_it_is_canceled_where_that_comes_last(market: Market) -> None:
    one = await missed(market)
    await market.later(hours=60)
    await accepted(market, one.deal, days=20)
    await market.later(days=19)
    await canceled(market, one)
    trade = await market.trade(one.deal.buyer, one.trade["id"])
    assert trade["allowed_actions"] == ["review"]
    bootstrap = await done(one.deal.buyer.get("/v1/sync/bootstrap"))
    assert [known["id"] for known in bootstrap["trades"]] == [one.trade["id"]]
    await done(one.deal.buyer.post(one.review, ONLY))
    await check_invariants(market)


async def test_a_contested_no_show_lets_nobody_review(market: Market) -> None:
    one = await missed(market)
    await canceled(market, one)
    await done(one.deal.seller.post(one.contest))
    await market.later(hours=72)
    for party in (one.deal.seller, one.deal.buyer):
        assert (await market.trade(party, one.trade["id"]))["allowed_actions"] == []
        problem(await party.post(one.review, ONLY), 409, "not_completed")


async def test_a_meeting_that_was_not_for_the_trade_is_no_reason_to_review_it(
    market: Market,
) -> None:
    deal = await market.deal()
    found = await accepted(market, deal, hours=1)
    await market.later(hours=2)
    trade = await market.reserved(deal)
    await done(deal.buyer.post(f"/v1/appointments/{found['id']}/no-show"))
    one = Missed(deal, trade, found)
    await canceled(market, one)
    await market.later(hours=72)
    assert await standing(deal.buyer, deal.seller) == (1, AFTER_ONE, 0), "it counts all the same"
    problem(await deal.buyer.post(one.review, ONLY), 409, "not_completed")
    assert (await done(deal.buyer.get("/v1/sync/bootstrap")))["trades"] == []


async def test_each_side_says_what_the_other_missed(market: Market) -> None:
    one = await missed(market)
    again = await accepted(market, one.deal, hours=1)
    await market.later(hours=2)
    await done(one.deal.seller.post(f"/v1/appointments/{again['id']}/no-show"))
    await canceled(market, one)
    await market.later(hours=72)
    for party in (one.deal.buyer, one.deal.seller):
        assert (await done(party.post(one.review, ONLY)))["published"]
    await check_invariants(market)


async def test_a_completed_trade_is_reviewed_as_ever_whoever_missed_a_meeting(
    market: Market,
) -> None:
    one = await missed(market)
    seller, buyer = one.deal.seller, one.deal.buyer
    await market.act(buyer, await market.act(seller, one.trade, "confirm"), "confirm")
    await market.later(hours=72)
    mine = await done(buyer.post(one.review, {"rating": 4, "comment": "Late, but came."}))
    assert not mine["published"]
    assert (await standing(buyer, seller))[0] == 1
