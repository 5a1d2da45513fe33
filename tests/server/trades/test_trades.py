"""Reserving, the list of trades, blocks, moderators, and what reading costs."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from server.platform.errors import Conflict
from server.platform.unit_of_work import reading, transact
from server.trades import api
from shared_models.trades import TradeState
from tests.server.conftest import problem
from tests.server.trades.market import Deal, Market, check_invariants, done
from tests.server.trades.test_transitions import BODIES


async def test_the_seller_reserves_at_the_price_that_was_seen(market: Market) -> None:
    deal = await market.deal()
    body = {"chatroom_id": deal.room_id, "expected_price": 90_000}
    refused = problem(await deal.seller.post("/v1/trades", body), 409, "price_changed")
    assert refused["current"]["price"] == 100_000
    trade = await market.reserved(deal)
    assert (trade["agreed_price"], trade["role"], trade["version"]) == (100_000, "seller", 1)
    assert trade["due_at"].startswith("2026-03-09T09:00"), "seven days"
    assert trade["snapshot"]["title"] == "Film camera"
    assert [entry["event"] for entry in trade["timeline"]] == ["reserved"]
    await check_invariants(market)


async def test_reserving_again_for_the_same_buyer_is_the_same_trade(market: Market) -> None:
    deal = await market.deal()
    trade = await market.reserved(deal)
    body = {"chatroom_id": deal.room_id, "expected_price": 100_000, "method": "meet"}
    again = await deal.seller.post("/v1/trades", body)
    assert (again.status_code, again.json()) == (200, trade)
    assert (await market.lines(deal.seller, deal.room_id)).count("trade_reserved") == 1


async def test_the_same_key_gets_the_stored_answer(market: Market) -> None:
    deal = await market.deal()
    body = {"chatroom_id": deal.room_id, "expected_price": 100_000}
    headers = {"Idempotency-Key": "019a0000-0000-7000-8000-000000000001"}
    first = await deal.seller.post("/v1/trades", body, headers=headers)
    again = await deal.seller.post("/v1/trades", body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["idempotent-replay"] == "true"


@pytest.mark.parametrize(
    ("offered", "asked", "status"),
    [
        ("meet", "post", 422),
        ("post", "meet", 422),
        ("post", "post", 201),
        ("post", None, 201),
        ("both", None, 201),
    ],
)
async def test_a_trade_goes_the_way_that_the_listing_offers(
    market: Market, offered: str, asked: str | None, status: int
) -> None:
    deal = await market.deal(method=offered)
    body: dict[str, Any] = {"chatroom_id": deal.room_id, "expected_price": 100_000}
    if asked:
        body["method"] = asked
    answer = await deal.seller.post("/v1/trades", body)
    assert answer.status_code == status
    if status == 201:
        assert answer.json()["method"] == ("post" if offered == "post" else "meet")


async def test_the_list_tells_roles_and_states_apart_and_pages(market: Market) -> None:
    deal = await market.deal()
    await market.completed(deal)
    bought = await market.reserved(await market.deal_with(deal.buyer, deal.seller))
    sold = await market.reserved(await market.deal_with(deal.seller, deal.buyer))

    async def ids(query: str) -> list[str]:
        page = await done(deal.seller.get(f"/v1/trades{query}"))
        return [trade["id"] for trade in page["items"]]

    assert set(await ids("?role=buyer")) == {bought["id"]}
    assert set(await ids("?state=reserved")) == {bought["id"], sold["id"]}
    assert set(await ids("?state=open&role=seller")) == {sold["id"]}
    assert len(await ids("?state=completed")) == 1
    everything = await ids("")
    first = await done(deal.seller.get("/v1/trades?limit=2"))
    rest = await done(deal.seller.get(f"/v1/trades?limit=2&cursor={first['next_cursor']}"))
    assert [trade["id"] for trade in first["items"] + rest["items"]] == everything
    assert len(everything) == 3
    assert rest["next_cursor"] is None
    other = await deal.buyer.get(f"/v1/trades?limit=2&cursor={first['next_cursor']}")
    problem(other, 400, "cursor_invalid")


async def test_a_page_of_trades_costs_the_same_however_many_it_holds(
    market: Market, count_queries: Callable[[], Any]
) -> None:
    deal = await market.deal()
    await market.reserved(deal)
    with count_queries() as one:
        await done(deal.seller.get("/v1/trades"))
    for _ in range(3):
        await market.reserved(await market.deal_with(deal.seller, deal.buyer))
    with count_queries() as many:
        await done(deal.seller.get("/v1/trades"))
    assert one.count == many.count <= 9
    with count_queries() as notices:
        await done(deal.buyer.get("/v1/notifications"))
    assert notices.count <= 2
    async with reading(market.context) as work:
        with count_queries() as bootstrap:
            assert len(await api.open_trades(work, deal.seller.id)) == 4
    assert bootstrap.count == 4


async def test_the_account_page_of_reviews_costs_the_same_however_many_it_holds(
    market: Market, count_queries: Callable[[], Any]
) -> None:
    deal = await market.deal()

    async def reviewed(deal: Deal) -> int:
        trade = await market.completed(deal)
        for who in (deal.seller, deal.buyer):
            await done(who.post(f"/v1/trades/{trade['id']}/review", {"rating": 5}))
        with count_queries() as queries:
            await done(deal.buyer.get(f"/v1/accounts/{deal.seller.id}/reviews"))
        found: int = queries.count
        return found

    one = await reviewed(deal)
    assert await reviewed(await market.deal_with(deal.seller, deal.buyer)) == one <= 9


async def test_blocking_cancels_what_is_reserved_after_a_confirm(market: Market) -> None:
    deal = await market.deal()
    trade = await market.reserved(deal)
    path = f"/v1/accounts/{deal.seller.id}/block"
    problem(await deal.buyer.put(path), 409, "open_trade")
    assert (await deal.buyer.put(f"{path}?cancel_trade=true")).status_code == 204
    ended = await market.trade(deal.seller, trade["id"])
    assert (ended["state"], ended["cancel_reason"]) == ("canceled", "blocked")
    listing = await done(deal.seller.get(f"/v1/listings/{deal.listing_id}"))
    assert listing["state"] == "selling"
    await check_invariants(market)


async def test_what_is_handed_over_goes_on_after_a_block(market: Market) -> None:
    deal = await market.deal()
    trade = await market.act(deal.seller, await market.reserved(deal), "confirm")
    assert (await deal.buyer.put(f"/v1/accounts/{deal.seller.id}/block")).status_code == 204
    problem_body = BODIES["problem"]
    disputed = await market.act(deal.buyer, trade, "problem", **problem_body)
    assert disputed["state"] == "disputed"
    await check_invariants(market)


async def test_an_account_with_an_open_trade_is_not_deleted(market: Market) -> None:
    deal = await market.deal()
    trade = await market.reserved(deal)
    problem(await deal.buyer.delete("/v1/me"), 409, "open_trade")
    await market.act(deal.buyer, trade, "cancel", reason="price")
    assert (await deal.buyer.delete("/v1/me")).status_code == 204
    seen = await market.trade(deal.seller, trade["id"])
    assert seen["buyer"]["deleted"] is True, "the other party keeps the record"
    assert [item["id"] for item in (await done(deal.seller.get("/v1/trades")))["items"]] == [
        trade["id"]
    ]


async def test_a_reserved_listing_is_neither_edited_nor_deleted(market: Market) -> None:
    deal = await market.deal()
    await market.reserved(deal)
    path = f"/v1/listings/{deal.listing_id}"
    version = (await done(deal.seller.get(path)))["version"]
    headers = {"If-Match": f'"{version}"'}
    refused = await deal.seller.patch(path, {"title": "Another thing"}, headers=headers)
    assert refused.status_code == 409
    problem(await deal.seller.delete(path), 409, "trade_in_progress")


@pytest.mark.parametrize(
    ("action", "state", "listing_state", "hidden"),
    [
        ("resolve_completed", "completed", "sold", False),
        ("resolve_canceled", "canceled", "selling", True),
    ],
)
async def test_a_moderator_resolves_a_dispute(
    market: Market, action: str, state: str, listing_state: str, hidden: bool
) -> None:
    deal = await market.deal()
    trade = await market.act(deal.seller, await market.reserved(deal), "confirm")
    trade = await market.act(deal.buyer, trade, "problem", **BODIES["problem"])
    trade_id = UUID(trade["id"])
    await transact(
        market.context, None, lambda work: api.moderate(work, trade_id, action, "Photos seen.")
    )
    ended = await market.trade(deal.buyer, trade["id"])
    assert (ended["state"], ended["timeline"][-1]["note"]) == (state, "Photos seen.")
    listing = await done(deal.seller.get(f"/v1/listings/{deal.listing_id}"))
    assert (listing["state"], listing["hidden"]) == (listing_state, hidden)
    with pytest.raises(Conflict, match="terminal"):
        await transact(
            market.context, None, lambda work: api.moderate(work, trade_id, action, "Again.")
        )
    await check_invariants(market)


async def test_the_header_of_a_room_says_what_may_be_done(market: Market) -> None:
    deal = await market.deal()

    async def actions(role: str) -> set[str]:
        room = await done(deal.party(role).get(f"/v1/chatrooms/{deal.room_id}"))
        return set(room["allowed_actions"]) & {"reserve", "offer", "appointment"}

    assert await actions("seller") == {"reserve", "appointment"}
    assert await actions("buyer") == {"offer", "appointment"}
    await done(deal.buyer.post(f"/v1/chatrooms/{deal.room_id}/offers", {"amount": 90_000}))
    assert await actions("buyer") == {"appointment"}
    trade = await market.reserved(deal)
    assert await actions("seller") == {"appointment"}
    await market.act(deal.seller, trade, "confirm")
    assert await actions("seller") == set()


async def test_a_state_that_there_is_not_is_one_error_of_its_field(market: Market) -> None:
    person = await market.person("somebody")
    for state in (*TradeState, "open"):
        assert (await done(person.get(f"/v1/trades?state={state}")))["items"] == []
    refused = problem(await person.get("/v1/trades?state=bogus"), 422, "invalid")
    assert [error["field"] for error in refused["errors"]] == ["state"]
