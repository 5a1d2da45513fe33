"""A block at the moment at which the two still deal with each other (rule 15, T14, H15)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from server.accounts.api import OpenTrades
from server.platform.context import Context
from server.platform.unit_of_work import UnitOfWork
from server.trades import api as trades
from tests.server.chat.conftest import message
from tests.server.conftest import problem
from tests.server.trades.market import Deal, Market, check_invariants

HELD_S = 0.5
ROUNDS = range(2)

Act = Callable[[Market, Deal, dict[str, Any]], Awaitable[Any]]


async def confirm(market: Market, deal: Deal, trade: dict[str, Any]) -> Any:
    return await market.try_to(deal.seller, trade, "confirm")


async def cancel(market: Market, deal: Deal, trade: dict[str, Any]) -> Any:
    return await market.try_to(deal.seller, trade, "cancel", reason="changed_mind")


async def send(_market: Market, deal: Deal, _trade: dict[str, Any]) -> Any:
    return await deal.seller.post(f"/v1/chatrooms/{deal.room_id}/messages", message())


async def read(_market: Market, deal: Deal, _trade: dict[str, Any]) -> Any:
    return await deal.seller.put(f"/v1/chatrooms/{deal.room_id}/read", {"seq": 100})


@pytest.mark.usefixtures("no_deadlocks")
@pytest.mark.parametrize("_round", ROUNDS)
@pytest.mark.parametrize("act", [confirm, cancel, send, read])
async def test_a_block_and_what_the_other_side_does_wait_for_each_other(
    market: Market, act: Act, _round: int
) -> None:
    deal = await market.deal()
    other = await market.deal_with(deal.seller, deal.buyer)
    trade, second = await market.reserved(deal), await market.reserved(other)
    blocked, *answers = await asyncio.gather(
        deal.buyer.put(f"/v1/accounts/{deal.seller.id}/block?cancel_trade=true"),
        act(market, deal, trade),
        act(market, other, second),
    )
    assert blocked.status_code == 204, blocked.text
    for answer in answers:
        assert answer.is_success or answer.json()["code"] != "busy", answer.text
    await check_invariants(market)


@pytest.mark.usefixtures("no_deadlocks")
@pytest.mark.parametrize("_round", ROUNDS)
async def test_a_block_and_an_offer_wait_for_each_other(market: Market, _round: int) -> None:
    market.context.rates.enabled = True  # so that the offer holds the account of who makes it
    deal = await market.deal()
    blocked, offered = await asyncio.gather(
        deal.seller.put(f"/v1/accounts/{deal.buyer.id}/block"),
        deal.buyer.post(f"/v1/chatrooms/{deal.room_id}/offers", {"amount": 90_000}),
    )
    assert blocked.status_code == 204, blocked.text
    if not offered.is_success:
        problem(offered, 403, "blocked")
    await check_invariants(market)


@pytest.mark.usefixtures("no_deadlocks")
async def test_a_trade_that_begins_meanwhile_is_not_cancelled_without_being_asked(
    market: Market, context: Context
) -> None:
    deal = await market.deal()
    body = {"chatroom_id": deal.room_id, "expected_price": 100_000}
    reserving: list[asyncio.Task[Any]] = []

    async def reserved_right_after_looking(work: UnitOfWork, one: UUID, other: UUID) -> bool:
        found = await trades.open_between(work, one, other)
        if not reserving:
            reserving.append(asyncio.create_task(deal.seller.post("/v1/trades", body)))
            # It waits for this transaction.
            await asyncio.wait(reserving, timeout=HELD_S)
        return found

    context.wiring.provide(
        OpenTrades,
        OpenTrades(
            between=reserved_right_after_looking,
            of=trades.has_open,
            settle=trades.settle_account,
            shown=trades.open_trades,
        ),
    )
    blocked = await deal.buyer.put(f"/v1/accounts/{deal.seller.id}/block")
    assert blocked.status_code == 204, blocked.text
    problem(await reserving[0], 403, "blocked")
    assert (await deal.buyer.get("/v1/trades")).json()["items"] == []
    await check_invariants(market)
