"""Somebody leaves the market at the moment at which a trade with them begins (H10)."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from server.accounts.api import OpenTrades
from server.platform.context import Context
from server.platform.unit_of_work import UnitOfWork
from server.trades import api as trades
from tests.server.trades.market import Market

HELD_S = 0.5


@pytest.mark.parametrize("leaver", ["seller", "buyer"])
async def test_nobody_is_gone_with_a_trade_open(
    market: Market, context: Context, leaver: str
) -> None:
    deal = await market.deal()
    body = {"chatroom_id": deal.room_id, "expected_price": 100_000}
    reserving: list[asyncio.Task[Any]] = []

    async def reserved_right_after_looking(work: UnitOfWork, account_id: UUID) -> bool:
        found = await trades.has_open(work, account_id)
        if not reserving:
            reserving.append(asyncio.create_task(deal.seller.post("/v1/trades", body)))
            # With one writer, as on SQLite, it waits for this transaction.
            await asyncio.wait(reserving, timeout=HELD_S)
        return found

    context.wiring.provide(
        OpenTrades,
        OpenTrades(
            between=trades.open_between,
            of=reserved_right_after_looking,
            settle=trades.settle_account,
            shown=trades.open_trades,
        ),
    )
    left = await deal.party(leaver).delete("/v1/me")
    answer = await reserving[0]
    assert sorted([left.status_code == 204, answer.status_code == 201]) == [False, True]
    if answer.status_code == 201:
        assert (left.status_code, left.json()["code"]) == (409, "open_trade")
    else:
        assert answer.status_code in (401, 409)
