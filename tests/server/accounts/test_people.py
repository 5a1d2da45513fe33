"""Rules 15 and 20: what others see of an account, blocks and follows."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from server.accounts import api as accounts
from server.accounts.api import ResponseFigures
from server.accounts.events import AccountBlocked, AccountChanged, AccountUnblocked
from server.accounts.tables import Account
from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.unit_of_work import UnitOfWork, reading, transact
from tests.server.accounts.conftest import Neighbours
from tests.server.conftest import Person, SignUpPerson, problem


@pytest.fixture
async def mina(sign_up: SignUpPerson, neighbours: Neighbours) -> Person:
    return await sign_up("mina", display_name="미나", place="Mapo")


@pytest.fixture
async def joon(sign_up: SignUpPerson) -> Person:
    return await sign_up("joon")


@pytest.fixture
def announced(context: Context) -> list[Any]:
    heard: list[Any] = []

    async def hear(_work: UnitOfWork, event: Any) -> None:
        heard.append(event)

    for event in (AccountBlocked, AccountUnblocked, AccountChanged):
        context.wiring.on(event, hear)
    return heard


async def profile(viewer: Person, of: Person) -> dict[str, Any]:
    answer = await viewer.get(f"/v1/accounts/{of.id}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_profile_shows_what_others_may_know_and_no_more(
    mina: Person, joon: Person, neighbours: Neighbours
) -> None:
    neighbours.figures[mina.id] = ResponseFigures(rate=0.9, minutes=12)
    assert await profile(joon, mina) == {
        "id": str(mina.id),
        "handle": "mina",
        "display_name": "미나",
        "avatar": None,
        "joined_at": "2026-03-02T09:00:00.000000Z",
        "place": "Mapo",
        "manner_score": 36.5,
        "review_count": 0,
        "sales": 0,
        "purchases": 0,
        "no_shows": 0,
        "response_rate": 0.9,
        "response_minutes": 12,
        "blocked": False,
        "following": False,
        "deleted": False,
    }


async def test_response_figures_are_hidden_while_there_are_too_few_rooms(
    mina: Person, joon: Person
) -> None:
    seen = await profile(joon, mina)
    assert (seen["response_rate"], seen["response_minutes"]) == (None, None)


@pytest.mark.parametrize("path", ["", "/block", "/follow"])
async def test_an_account_that_never_was_is_404(mina: Person, path: str) -> None:
    where = f"/v1/accounts/{uuid4()}{path}"
    for method in ("PUT", "DELETE") if path else ("GET",):
        problem(await mina.request(method, where), 404, "not_found")


async def test_an_id_that_is_none_is_refused(mina: Person) -> None:
    problem(await mina.get("/v1/accounts/mina"), 422, "invalid")


async def test_a_block_is_set_one_way_works_both_ways_and_is_not_shown_to_the_blocked(
    context: Context, mina: Person, joon: Person, announced: list[Any]
) -> None:
    block = f"/v1/accounts/{joon.id}/block"
    for _ in range(2):
        assert (await mina.put(block)).status_code == 204
    assert announced == [AccountBlocked(mina.id, joon.id)]
    assert (await profile(mina, joon))["blocked"] is True
    assert (await profile(joon, mina))["blocked"] is False
    async with reading(context) as work:
        assert await accounts.blocked_with(work, mina.id) == {joon.id}
        assert await accounts.blocked_with(work, joon.id) == {mina.id}
        assert await accounts.is_blocked(work, mina.id, joon.id)
        assert await accounts.is_blocked(work, joon.id, mina.id)
    for _ in range(2):
        assert (await mina.delete(block)).status_code == 204
    assert announced[1:] == [AccountUnblocked(mina.id, joon.id)]
    async with reading(context) as work:
        assert await accounts.blocked_with(work, joon.id) == frozenset()
        assert not await accounts.is_blocked(work, joon.id, mina.id)
    assert (await mina.put(block)).status_code == 204
    assert (await profile(mina, joon))["blocked"] is True


async def blocked_by(person: Person, **params: Any) -> tuple[list[str], str | None]:
    """The names on a page of whom somebody blocks, and where it goes on."""
    answer = await person.get("/v1/me/blocks", params=params)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return [card["handle"] or card["display_name"] for card in body["items"]], body["next_cursor"]


async def test_everybody_sees_whom_they_block_and_not_who_blocks_them(
    mina: Person, joon: Person, sign_up: SignUpPerson
) -> None:
    sora = await sign_up("sora")
    await mina.put(f"/v1/accounts/{joon.id}/block")
    await sora.put(f"/v1/accounts/{mina.id}/block")
    assert (await mina.get("/v1/me/blocks")).json() == {
        "items": [
            {
                "id": str(joon.id),
                "handle": "joon",
                "display_name": "joon",
                "avatar": None,
                "manner_score": 36.5,
                "deleted": False,
            }
        ],
        "next_cursor": None,
    }
    assert await blocked_by(joon) == ([], None)
    assert await blocked_by(sora) == (["mina"], None)
    await joon.delete("/v1/me")
    assert await blocked_by(mina) == (["Deleted account"], None)
    assert (await mina.delete(f"/v1/accounts/{joon.id}/block")).status_code == 204
    assert await blocked_by(mina) == ([], None)


async def test_the_newest_block_is_first_also_when_it_was_taken_back_before(
    mina: Person, joon: Person, sign_up: SignUpPerson, clock: MovableClock
) -> None:
    others = [joon, await sign_up("sora"), await sign_up("haru")]
    for method, who in [("PUT", one) for one in others] + [("DELETE", joon), ("PUT", joon)]:
        clock.advance(timedelta(seconds=1))
        await mina.request(method, f"/v1/accounts/{who.id}/block")
    clock.advance(timedelta(seconds=1))
    await mina.put(f"/v1/accounts/{others[1].id}/block")  # it is on already
    assert await blocked_by(mina) == (["joon", "haru", "sora"], None)


async def test_whom_one_blocks_is_read_page_by_page(
    mina: Person, joon: Person, sign_up: SignUpPerson
) -> None:
    names = ("sora", "haru", "yuna", "dana")
    handles = {one.id: one.handle for one in [joon, *[await sign_up(name) for name in names]]}
    for id_ in handles:  # all in the same moment: the id decides
        await mina.put(f"/v1/accounts/{id_}/block")
    ids = sorted(handles, reverse=True)
    expected = [handles[id_] for id_ in ids]
    first, cursor = await blocked_by(mina, limit=2)
    await mina.delete(f"/v1/accounts/{ids[1]}/block")  # where the next page begins
    second, cursor = await blocked_by(mina, limit=2, cursor=cursor)
    third, end = await blocked_by(mina, limit=2, cursor=cursor)
    assert [*first, *second, *third] == expected
    assert end is None
    assert await blocked_by(mina) == ([expected[0], *expected[2:]], None)
    problem(await mina.get("/v1/me/blocks", params={"cursor": "x"}), 400, "cursor_invalid")
    problem(await mina.get("/v1/sessions", params={"cursor": cursor}), 400, "cursor_invalid")
    problem(await mina.get("/v1/me/blocks", params={"limit": 0}), 422, "invalid")


async def test_a_page_of_blocks_takes_as_many_queries_however_many_are_blocked(
    mina: Person, joon: Person, sign_up: SignUpPerson, count_queries: Callable[[], Any]
) -> None:
    counts = []
    for other in (joon, await sign_up("sora"), await sign_up("haru")):
        await mina.put(f"/v1/accounts/{other.id}/block")
        with count_queries() as queries:
            await blocked_by(mina)
        counts.append(queries.count)
    assert counts == [3, 3, 3]  # who asks, the page, its cards


async def test_the_same_block_many_times_at_once_is_one(
    mina: Person, joon: Person, announced: list[Any]
) -> None:
    block = f"/v1/accounts/{joon.id}/block"
    answers = await asyncio.gather(*(mina.put(block) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {204}
    assert (await profile(mina, joon))["blocked"] is True
    assert AccountBlocked(mina.id, joon.id) in announced


async def test_blocking_a_trade_partner_needs_a_word(
    mina: Person, joon: Person, neighbours: Neighbours, announced: list[Any]
) -> None:
    neighbours.open_between.add(frozenset((mina.id, joon.id)))
    block = f"/v1/accounts/{joon.id}/block"
    problem(await mina.put(block), 409, "open_trade")
    assert (await profile(mina, joon))["blocked"] is False
    assert announced == []
    assert (await mina.put(block, params={"cancel_trade": "true"})).status_code == 204
    assert announced == [AccountBlocked(mina.id, joon.id)]


@pytest.mark.parametrize("what", ["block", "follow"])
async def test_nobody_blocks_or_follows_themselves(mina: Person, what: str) -> None:
    for method in ("PUT", "DELETE"):
        answer = await mina.request(method, f"/v1/accounts/{mina.id}/{what}")
        problem(answer, 403, "own_account")


async def test_following_is_idempotent_and_ends_with_a_block(mina: Person, joon: Person) -> None:
    follow = f"/v1/accounts/{mina.id}/follow"
    for _ in range(2):
        assert (await joon.put(follow)).status_code == 204
    assert (await profile(joon, mina))["following"] is True
    await mina.put(f"/v1/accounts/{joon.id}/block")
    assert (await profile(joon, mina))["following"] is False
    problem(await mina.put(f"/v1/accounts/{joon.id}/follow"), 409, "blocked")
    for _ in range(2):
        assert (await joon.delete(follow)).status_code == 204


async def test_at_most_so_many_are_followed(
    mina: Person, joon: Person, sign_up: SignUpPerson, context: Context
) -> None:
    object.__setattr__(context, "limits", context.limits.model_copy(update={"follows_max": 2}))
    sora, haru = await sign_up("sora"), await sign_up("haru")
    for other in (joon, sora, joon):
        assert (await mina.put(f"/v1/accounts/{other.id}/follow")).status_code == 204
    problem(await mina.put(f"/v1/accounts/{haru.id}/follow"), 409, "follows_full")
    assert (await profile(mina, haru))["following"] is False
    assert (await mina.delete(f"/v1/accounts/{joon.id}/follow")).status_code == 204
    assert (await mina.put(f"/v1/accounts/{haru.id}/follow")).status_code == 204


@pytest.mark.usefixtures("no_deadlocks")
async def test_at_most_so_many_are_followed_however_many_at_once(
    mina: Person, sign_up: SignUpPerson, context: Context
) -> None:
    object.__setattr__(context, "limits", context.limits.model_copy(update={"follows_max": 2}))
    others = [await sign_up(f"other_{number}") for number in range(6)]
    answers = await asyncio.gather(
        *(mina.put(f"/v1/accounts/{other.id}/follow") for other in others)
    )
    assert sorted(answer.status_code for answer in answers) == [204] * 2 + [409] * 4


async def test_every_card_that_is_asked_for_is_answered_in_one_query(
    context: Context, mina: Person, joon: Person, count_queries: Callable[[], Any]
) -> None:
    await joon.delete("/v1/me")
    nobody = uuid4()
    with count_queries() as queries:
        async with reading(context) as work:
            cards = await accounts.cards(work, [mina.id, joon.id, nobody, mina.id])
            assert await accounts.cards(work, []) == {}
    assert queries.count == 1
    assert set(cards) == {mina.id, joon.id, nobody}
    assert (cards[mina.id].handle, cards[mina.id].deleted) == ("mina", False)
    for gone in (joon.id, nobody):
        assert (cards[gone].handle, cards[gone].display_name) == (None, "Deleted account")
        assert cards[gone].deleted


async def test_trades_and_reviews_are_counted_on_the_profile(
    context: Context, mina: Person, joon: Person, announced: list[Any]
) -> None:
    async def finish(work: UnitOfWork) -> None:
        await accounts.count_trade(work, seller_id=mina.id, buyer_id=joon.id)
        await accounts.set_manner(work, mina.id, 41.2, 3)

    for _ in range(2):
        await transact(context, None, finish)
    seller, buyer = await profile(joon, mina), await profile(mina, joon)
    assert (seller["sales"], seller["purchases"], seller["manner_score"]) == (2, 0, 41.2)
    assert seller["review_count"] == 3
    assert (buyer["sales"], buyer["purchases"]) == (0, 2)
    assert {event.account_id for event in announced} == {mina.id, joon.id}


async def test_trades_that_finish_at_once_are_all_counted(
    context: Context, mina: Person, joon: Person
) -> None:
    async def finish(seller: Person, buyer: Person) -> None:
        async def act(work: UnitOfWork) -> None:
            await accounts.count_trade(work, seller_id=seller.id, buyer_id=buyer.id)

        await transact(context, None, act)

    pairs = [(mina, joon), (joon, mina)] * 4
    await asyncio.gather(*(finish(seller, buyer) for seller, buyer in pairs))
    async with reading(context) as work:
        rows = await work.rows(select(Account.id, Account.sales, Account.purchases))
    assert {(UUID(str(row.id)), row.sales, row.purchases) for row in rows} == {
        (mina.id, 4, 4),
        (joon.id, 4, 4),
    }
