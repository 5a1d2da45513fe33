"""A 409 shows what is there now, as the one who asked sees it: no second request is needed."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import update

from server.media.tables import Upload
from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.unit_of_work import UnitOfWork, transact
from tests.server.chat.conftest import message, say
from tests.server.conftest import Person, SignUpPerson, problem
from tests.server.trades.market import CAMERA, Market, done


@pytest.fixture
def market(context: Context, clock: MovableClock, sign_up: SignUpPerson) -> Market:
    return Market(context, clock, sign_up)


def current(answer: httpx.Response, code: str) -> Any:
    """The present object that a conflict shows."""
    return problem(answer, 409, code)["current"]


async def test_a_closed_room_is_shown_to_who_writes_in_it(market: Market) -> None:
    deal = await market.deal()
    assert (await deal.seller.delete(f"/v1/listings/{deal.listing_id}")).status_code == 204
    path = f"/v1/chatrooms/{deal.room_id}"
    room = current(await deal.buyer.post(f"{path}/messages", message()), "room_read_only")
    assert room["state"] == "read_only"
    assert room.items() <= (await deal.buyer.get(path)).json().items()


async def test_a_message_that_is_too_old_to_delete_is_shown(
    market: Market, clock: MovableClock
) -> None:
    deal = await market.deal()
    sent = await say(deal.buyer, deal.room_id, "hello")
    clock.advance(timedelta(minutes=6))
    path = f"/v1/chatrooms/{deal.room_id}/messages/{sent['seq']}"
    assert current(await deal.buyer.delete(path), "too_late") == sent


async def test_a_listing_that_is_not_for_sale_is_shown_to_who_would_ask_for_it(
    market: Market,
) -> None:
    deal = await market.deal()
    await market.reserved(deal)
    late = await market.person("late")
    answer = await late.post("/v1/chatrooms", {"listing_id": deal.listing_id})
    card = current(answer, "not_selling")
    assert (card["id"], card["state"]) == (deal.listing_id, "reserved")


async def test_an_open_trade_is_shown_to_who_would_leave_or_block(market: Market) -> None:
    deal = await market.deal()
    done_before = await market.completed(deal)
    other = await market.deal_with(deal.seller, await market.person("other"))
    trade = await market.reserved(other)
    for person in (other.seller, other.buyer):
        seen = current(await person.delete("/v1/me"), "open_trade")
        assert seen == await market.trade(person, trade["id"])
    blocking = await other.seller.put(f"/v1/accounts/{other.buyer.id}/block")
    assert current(blocking, "open_trade")["id"] == trade["id"] != done_before["id"]


async def test_who_is_blocked_is_shown_to_who_would_follow(market: Market) -> None:
    mina, joon = await market.person("mina"), await market.person("joon")
    assert (await mina.put(f"/v1/accounts/{joon.id}/block")).status_code == 204
    profile = current(await mina.put(f"/v1/accounts/{joon.id}/follow"), "blocked")
    assert profile == await done(mina.get(f"/v1/accounts/{joon.id}"))
    assert profile["blocked"]


async def change(context: Context, photo_id: str, **values: Any) -> None:
    async def run(work: UnitOfWork) -> None:
        await work.execute(update(Upload).where(Upload.id == UUID(photo_id)).values(values))

    await transact(context, None, run)


async def list_with(seller: Person, photo_id: str) -> httpx.Response:
    return await seller.post("/v1/listings", CAMERA | {"photo_ids": [photo_id]})


async def test_a_photo_that_cannot_be_attached_is_shown(market: Market, context: Context) -> None:
    seller = await market.person("seller")
    listing_id = await market.sell(seller)
    [photo] = (await done(seller.get(f"/v1/listings/{listing_id}")))["photos"]
    used = current(await list_with(seller, photo["id"]), "photo_in_use")
    assert used == await done(seller.get(f"/v1/uploads/{photo['id']}"))
    await change(context, photo["id"], attached_kind=None, attached_id=None, state="processing")
    waiting = current(await list_with(seller, photo["id"]), "photo_not_ready")
    assert (waiting["id"], waiting["state"]) == (photo["id"], "processing")
