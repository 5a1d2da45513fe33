"""A crash between any two statements leaves the whole step or nothing of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, select

from server.platform.columns import Table
from server.platform.context import Context
from server.platform.unit_of_work import reading
from tests.server.statements import before_each_statement
from tests.server.trades.market import Deal, Market, check_invariants, done


class Crashed(Exception):
    """The process was gone."""


@contextmanager
def crash_at(context: Context, number: int) -> Iterator[list[int]]:
    """Crash before the writer's statement of this number; the commit counts as the last one."""
    engine = context.database.writer.sync_engine
    seen = [0]

    def count(*_args: Any) -> None:
        seen[0] += 1
        if seen[0] == number:
            raise Crashed

    def statement(text: str) -> None:
        if not text.startswith("SELECT"):
            count()

    event.listen(engine, "commit", count)
    try:
        with before_each_statement(context.database, statement):
            yield seen
    finally:
        event.remove(engine, "commit", count)


async def everything(context: Context) -> dict[str, list[Any]]:
    """Every row of every table."""
    found = {}
    async with reading(context) as work:
        for table in Table.metadata.sorted_tables:
            rows = await work.rows(select(table))
            found[table.name] = sorted(repr(tuple(row)) for row in rows)
    return found


async def crash_everywhere(market: Market, request: Any) -> int:
    """Crash a request before each of its writes in turn until it gets through; how many it has."""
    before = await everything(market.context)
    for number in range(1, 200):
        with crash_at(market.context, number) as seen:
            try:
                await done(request())
            except Crashed:
                assert await everything(market.context) == before, f"write {number}"
            else:
                return seen[0]
    raise AssertionError("it never got through")


async def with_an_offer(market: Market) -> tuple[Deal, dict[str, Any]]:
    """A buyer's offer, and a rival's on the same listing."""
    deal = await market.deal()
    rival = await market.person("rival")
    rival_room = await market.open_room(rival, deal.listing_id)
    await done(rival.post(f"/v1/chatrooms/{rival_room}/offers", {"amount": 95_000}))
    path = f"/v1/chatrooms/{deal.room_id}/offers"
    return deal, await done(deal.buyer.post(path, {"amount": 90_000}))


@pytest.mark.timeout(180)
async def test_a_crash_while_accepting_leaves_all_or_nothing(market: Market) -> None:
    deal, offer = await with_an_offer(market)
    writes = await crash_everywhere(
        market, lambda: deal.seller.post(f"/v1/offers/{offer['id']}/accept")
    )
    assert writes > 15
    trades = await done(deal.buyer.get("/v1/trades"))
    assert [trade["agreed_price"] for trade in trades["items"]] == [90_000]
    await check_invariants(market)


@pytest.mark.timeout(180)
async def test_a_crash_while_completing_leaves_all_or_nothing(market: Market) -> None:
    deal = await market.deal()
    await market.open_room(await market.person("rival"), deal.listing_id)
    trade = await market.act(deal.seller, await market.reserved(deal), "confirm")
    writes = await crash_everywhere(market, lambda: market.try_to(deal.buyer, trade, "confirm"))
    assert writes > 15
    assert (await market.trade(deal.buyer, trade["id"]))["state"] == "completed"
    await check_invariants(market)
