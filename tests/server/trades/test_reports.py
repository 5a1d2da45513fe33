"""Reports (rule 15)."""

from collections.abc import Callable
from typing import Any

import pytest

from server.trades.reports import REPORTS_PER_DAY
from server.trades.tables import Report
from tests.server.conftest import problem
from tests.server.trades.market import Market, done

NOBODY = "019a0000-0000-7000-8000-000000000000"


def about(kind: str, target_id: object, **fields: str) -> dict[str, Any]:
    body = {"target_kind": kind, "target_id": str(target_id), "reason": "fraud"}
    return body | {"detail": "Wants a deposit."} | fields


async def test_a_report_keeps_a_snapshot_of_what_was_reported(market: Market) -> None:
    deal = await market.deal()
    cid = str(market.context.make_id(market.clock.now()))
    room = f"/v1/chatrooms/{deal.room_id}"
    said = await done(deal.seller.post(f"{room}/messages", {"cid": cid, "text": "Trust me."}))
    for kind, target in (
        ("account", deal.seller.id),
        ("listing", deal.listing_id),
        ("message", said["id"]),
    ):
        answer = await deal.buyer.post("/v1/reports", about(kind, target))
        assert answer.status_code == 201
        assert (answer.json()["state"], answer.json()["target_id"]) == ("open", str(target))
    rows = await market.rows(Report.target_kind, Report.snapshot, Report.detail)
    snapshots = {row.target_kind: row.snapshot for row in rows}
    assert snapshots["account"]["handle"] == "seller"
    assert snapshots["listing"]["title"] == "Film camera"
    assert snapshots["message"]["text"] == "Trust me."
    assert {row.detail for row in rows} == {"Wants a deposit."}


async def test_a_reported_listing_is_read_once(
    market: Market, count_queries: Callable[[], Any]
) -> None:
    deal = await market.deal()
    with count_queries() as queries:
        await done(deal.buyer.post("/v1/reports", about("listing", deal.listing_id)))
    assert len([text for text in queries.statements if "FROM listings_listing" in text]) == 1


async def test_one_report_is_open_about_a_target(market: Market) -> None:
    deal = await market.deal()
    first = await deal.buyer.post("/v1/reports", about("account", deal.seller.id))
    again = await deal.buyer.post("/v1/reports", about("account", deal.seller.id, reason="spam"))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()


async def test_what_one_cannot_see_is_not_there(market: Market) -> None:
    deal = await market.deal()
    stranger = await market.person("stranger")
    page = await done(deal.buyer.get(f"/v1/chatrooms/{deal.room_id}/messages"))
    message_id = page["items"][0]["id"]
    for kind, target in (
        ("message", message_id),
        ("account", NOBODY),
        ("listing", NOBODY),
        ("post", NOBODY),
    ):
        problem(await stranger.post("/v1/reports", about(kind, target)), 404, "not_found")


async def test_nobody_reports_oneself(market: Market) -> None:
    deal = await market.deal()
    problem(await deal.seller.post("/v1/reports", about("account", deal.seller.id)), 403, "own")
    problem(await deal.seller.post("/v1/reports", about("listing", deal.listing_id)), 403, "own")


@pytest.mark.parametrize("body", [{"reason": "boring"}, {"detail": "x" * 1001}])
async def test_a_report_out_of_bounds_is_refused(market: Market, body: dict[str, str]) -> None:
    deal = await market.deal()
    answer = await deal.buyer.post("/v1/reports", about("account", deal.seller.id, **body))
    assert answer.status_code == 422


async def test_twenty_reports_a_day(market: Market) -> None:
    reporter = await market.person("reporter")
    people = [await market.person(f"person_{number}") for number in range(REPORTS_PER_DAY + 1)]
    market.context.rates.enabled = True
    for person in people[:-1]:
        await done(reporter.post("/v1/reports", about("account", person.id)))
    refused = await reporter.post("/v1/reports", about("account", people[-1].id))
    problem(refused, 429, "rate_limited")
    assert int(refused.headers["retry-after"]) == 24 * 3600
    await market.later(days=1)
    await done(reporter.post("/v1/reports", about("account", people[-1].id)))
