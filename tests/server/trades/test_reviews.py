"""Double-blind reviews and the score that is made of them (rules 13 and 14)."""

from datetime import timedelta
from typing import Any

import pytest

from server.accounts.tables import Account
from server.platform import streams
from server.platform.unit_of_work import reading
from server.trades.jobs import FADE, PERIODIC, RUNNERS
from tests.server.conftest import Person, problem
from tests.server.trades.market import Market, check_invariants, done

PRAISE = {"rating": 5, "tags": ["friendly", "on_time"], "comment": "Lovely."}


async def about(person: Person, reader: Person) -> list[dict[str, Any]]:
    page = await done(reader.get(f"/v1/accounts/{person.id}/reviews"))
    items: list[dict[str, Any]] = page["items"]
    return items


async def head(market: Market, person: Person) -> int:
    """How many events the person's devices have been sent."""
    async with reading(market.context) as work:
        return (await streams.position(work, person.id)).head


async def test_nobody_sees_a_review_until_the_other_side_has_written(market: Market) -> None:
    deal = await market.deal()
    trade = await market.completed(deal)
    before = await market.trade(deal.seller, trade["id"])
    heard = await head(market, deal.seller)
    path = f"/v1/trades/{trade['id']}/review"
    mine = await done(deal.buyer.post(path, PRAISE))
    assert (mine["published"], mine["comment"]) == (False, "Lovely.")
    assert await market.trade(deal.seller, trade["id"]) == before
    assert await head(market, deal.seller) == heard, "not even an event without words"
    assert await about(deal.seller, deal.seller) == []
    assert (await done(deal.seller.get("/v1/me")))["review_count"] == 0
    own = await market.trade(deal.buyer, trade["id"])
    assert (own["my_review"]["id"], own["other_review"]) == (mine["id"], None)
    assert "review" not in own["allowed_actions"]

    theirs = await done(deal.seller.post(path, {"rating": 4}))
    assert theirs["published"] is True
    seen = await market.trade(deal.seller, trade["id"])
    assert seen["other_review"]["comment"] == "Lovely."
    assert [review["id"] for review in await about(deal.seller, deal.buyer)] == [mine["id"]]
    assert [review["id"] for review in await about(deal.buyer, deal.seller)] == [theirs["id"]]
    for party in (deal.seller, deal.buyer):
        assert (await market.notices(party))[0]["event"] == "review_published"
    await check_invariants(market)


@pytest.mark.parametrize("lazily", [False, True], ids=["by a job", "on read"])
async def test_a_lone_review_is_published_when_the_window_is_over(
    market: Market, lazily: bool
) -> None:
    deal = await market.deal()
    trade = await market.completed(deal)
    path = f"/v1/trades/{trade['id']}/review"
    mine = await done(deal.buyer.post(path, PRAISE))
    await market.later(days=14, seconds=-1)
    assert await about(deal.seller, deal.buyer) == []
    if lazily:
        market.clock.advance(timedelta(seconds=1))
    else:
        await market.later(seconds=1)
    assert [review["id"] for review in await about(deal.seller, deal.buyer)] == [mine["id"]]
    problem(await deal.seller.post(path, {"rating": 1}), 409, "review_closed")
    seen = await market.trade(deal.seller, trade["id"])
    assert seen["other_review"]["comment"] == "Lovely."
    assert "review" not in seen["allowed_actions"]
    await check_invariants(market)


async def test_only_a_completed_trade_is_reviewed(market: Market) -> None:
    deal = await market.deal()
    trade = await market.reserved(deal)
    path = f"/v1/trades/{trade['id']}/review"
    refused = problem(await deal.buyer.post(path, PRAISE), 409, "not_completed")
    assert refused["current"]["state"] == "reserved"


async def test_each_side_reviews_once(market: Market) -> None:
    deal = await market.deal()
    trade = await market.completed(deal)
    path = f"/v1/trades/{trade['id']}/review"
    first = await deal.buyer.post(path, PRAISE)
    again = await deal.buyer.post(path, PRAISE)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    refused = await deal.buyer.post(path, {"rating": 1})
    assert problem(refused, 409, "already_reviewed")["current"]["rating"] == 5


@pytest.mark.parametrize(
    "body",
    [
        {"rating": 0},
        {"rating": 6},
        {"rating": 5, "tags": ["nice_hat"]},
        {"rating": 5, "tags": ["friendly", "friendly"]},
        {"rating": 5, "tags": ["friendly", "on_time", "late", "rude", "no_show", "fair_price"]},
        {"rating": 5, "comment": "x" * 501},
    ],
)
async def test_a_review_out_of_bounds_is_refused(market: Market, body: dict[str, Any]) -> None:
    deal = await market.deal()
    trade = await market.completed(deal)
    answer = await deal.buyer.post(f"/v1/trades/{trade['id']}/review", body)
    assert answer.status_code == 422


async def test_the_reviewed_person_answers_once(market: Market) -> None:
    deal = await market.deal()
    trade = await market.completed(deal)
    path = f"/v1/trades/{trade['id']}/review"
    mine = await done(deal.buyer.post(path, PRAISE))
    answer = f"/v1/reviews/{mine['id']}/answer"
    problem(await deal.seller.post(answer, {"text": "Thanks"}), 404, "not_found")
    await done(deal.seller.post(path, {"rating": 4}))
    problem(await deal.buyer.post(answer, {"text": "Thanks"}), 403, "wrong_role")
    assert (await done(deal.seller.post(answer, {"text": "Thanks"})))["answer"] == "Thanks"
    again = await deal.seller.post(answer, {"text": "Thanks"})
    assert (again.status_code, again.json()["answer"]) == (200, "Thanks")
    problem(await deal.seller.post(answer, {"text": "No thanks"}), 409, "already_answered")
    assert (await about(deal.seller, deal.buyer))[0]["answer"] == "Thanks"
    assert (await market.notices(deal.buyer))[0]["event"] == "review_answered"


async def test_the_score_moves_with_published_reviews_only(market: Market) -> None:
    deal = await market.deal()
    trade = await market.completed(deal)
    path = f"/v1/trades/{trade['id']}/review"
    await done(deal.buyer.post(path, PRAISE))
    profile = await done(deal.buyer.get(f"/v1/accounts/{deal.seller.id}"))
    assert (profile["manner_score"], profile["review_count"]) == (36.5, 0)
    await done(deal.seller.post(path, {"rating": 1, "tags": ["late"]}))
    praised = await done(deal.buyer.get(f"/v1/accounts/{deal.seller.id}"))
    assert (praised["manner_score"], praised["review_count"]) == (41.0, 1)
    blamed = await done(deal.buyer.get(f"/v1/accounts/{deal.buyer.id}"))
    assert (blamed["manner_score"], blamed["review_count"]) == (26.2, 1)


async def test_reviews_by_blocked_people_are_on_no_page(market: Market) -> None:
    deal = await market.deal()
    trade = await market.completed(deal)
    for who in (deal.seller, deal.buyer):
        await done(who.post(f"/v1/trades/{trade['id']}/review", {"rating": 5}))
    assert (await deal.seller.put(f"/v1/accounts/{deal.buyer.id}/block")).status_code == 204
    assert await about(deal.seller, deal.seller) == []
    visitor = await market.person("visitor")
    assert len(await about(deal.seller, visitor)) == 1


async def test_reviews_of_nobody_are_not_there(market: Market) -> None:
    visitor = await market.person("visitor")
    nobody = "019a0000-0000-7000-8000-000000000000"
    problem(await visitor.get(f"/v1/accounts/{nobody}/reviews"), 404, "not_found")


async def test_bad_points_fade_from_the_score_that_is_kept(market: Market) -> None:
    deal = await market.deal()
    trade = await market.completed(deal)
    path = f"/v1/trades/{trade['id']}/review"
    await done(deal.seller.post(path, {"rating": 1, "tags": ["late"]}))
    await done(deal.buyer.post(path, PRAISE))
    assert [(job.kind, job.every) for job in PERIODIC] == [(FADE, timedelta(days=1))]
    scores = []
    for days in (365, 1, 182, 182, 10):
        market.clock.advance(timedelta(days=days))
        before = await head(market, deal.seller), await head(market, deal.buyer)
        await RUNNERS[FADE](market.context, {})
        told = await head(market, deal.seller), await head(market, deal.buyer)
        scores.append(await kept_score(market, deal.buyer))
        changed = scores[-1] != ([26.2, *scores])[-2]
        assert (told[0] - before[0], told[1] - before[1] > 0) == (0, changed)
    assert scores[0] == 26.2
    assert scores == sorted(scores)
    assert 26.2 < scores[2] < 36.5
    assert scores[3:] == [36.5, 36.5]
    assert await kept_score(market, deal.seller) == 41.0, "good points do not fade by themselves"


async def kept_score(market: Market, person: Person) -> float:
    """The score that is stored, whoever looks."""
    found = {
        row.id: row.manner_score for row in await market.rows(Account.id, Account.manner_score)
    }
    return float(found[person.id])
