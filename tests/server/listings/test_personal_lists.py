"""Rule 9, and what one has liked, viewed and searched for."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update

from server.listings.events import ListingLiked
from server.listings.tables import Like, Listing
from server.platform.clock import MovableClock
from server.platform.columns import live
from server.platform.context import Context
from server.platform.unit_of_work import UnitOfWork, reading, transact
from tests.server.conftest import Person, SignUpPerson, problem
from tests.server.listings.conftest import Neighbours, Sell, id_of, mark


async def items(person: Person, path: str, **params: Any) -> list[dict[str, Any]]:
    answer = await person.get(path, params=params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def counts(context: Context, listing: dict[str, Any]) -> tuple[int, int]:
    """The likes that the listing has counted, and a recount."""
    listing_id = UUID(listing["id"])
    async with reading(context) as work:
        kept = await work.scalar(select(Listing.like_count).where(Listing.id == listing_id))
        recount = select(func.count()).where(Like.listing_id == listing_id, live(Like))
        return kept, await work.scalar(recount)


async def test_liking_is_idempotent_and_counted_once(
    context: Context, mina: Person, joon: Person, sell: Sell
) -> None:
    heard: list[ListingLiked] = []

    async def hear(_work: UnitOfWork, event: ListingLiked) -> None:
        heard.append(event)

    context.wiring.on(ListingLiked, hear)
    listing = await sell(mina)
    like = f"/v1/listings/{listing['id']}/like"
    for method, liked in (("PUT", 1), ("PUT", 1), ("DELETE", 0), ("DELETE", 0), ("PUT", 1)):
        assert (await joon.request(method, like)).status_code == 204
        assert await counts(context, listing) == (liked, liked)
        card = (await items(joon, "/v1/listings"))[0]
        assert (card["like_count"], card["liked"]) == (liked, bool(liked))
    assert [event.account_id for event in heard] == [joon.id, joon.id]
    assert (await items(mina, "/v1/listings"))[0]["liked"] is False


async def test_many_likes_at_once_are_all_counted(
    context: Context, mina: Person, joon: Person, sign_up: SignUpPerson, sell: Sell
) -> None:
    listing = await sell(mina)
    people = [joon, *[await sign_up(f"liker_{number}") for number in range(5)]]
    like = f"/v1/listings/{listing['id']}/like"
    answers = await asyncio.gather(*(person.put(like) for person in people * 2))
    assert {answer.status_code for answer in answers} == {204}
    assert await counts(context, listing) == (6, 6)
    await asyncio.gather(*(person.delete(like) for person in people[:4] * 2))
    assert await counts(context, listing) == (2, 2)


async def test_nobody_likes_their_own_listing(mina: Person, sell: Sell) -> None:
    listing = await sell(mina)
    problem(await mina.put(f"/v1/listings/{listing['id']}/like"), 403, "own_listing")


async def test_a_listing_of_somebody_blocked_is_not_liked(
    mina: Person, joon: Person, sell: Sell
) -> None:
    listing = await sell(mina)
    await mina.put(f"/v1/accounts/{joon.id}/block")
    problem(await joon.put(f"/v1/listings/{listing['id']}/like"), 403, "blocked")


@pytest.mark.parametrize("column", ["hidden_at", "removed_at", "deleted_at"])
async def test_a_listing_that_only_its_buyer_still_sees_gets_no_new_like(
    context: Context, mina: Person, joon: Person, sell: Sell, neighbours: Neighbours, column: str
) -> None:
    listings = [await sell(mina, title=title) for title in ("Liked before", "Not liked")]
    await joon.put(f"/v1/listings/{listings[0]['id']}/like")
    for listing in listings:
        neighbours.trade_parties.add((id_of(listing), joon.id))
        await mark(context, listing, column)
    liked, other = (f"/v1/listings/{listing['id']}" for listing in listings)
    assert (await joon.put(f"{liked}/like")).status_code == 204
    assert "unlike" in (await joon.get(liked)).json()["allowed_actions"]
    refused = problem(await joon.put(f"{other}/like"), 409, "not_public")
    assert refused["current"]["allowed_actions"] == []
    assert await counts(context, listings[1]) == (0, 0)


async def test_likes_are_listed_last_liked_first_with_what_became_of_them(
    context: Context, mina: Person, joon: Person, sell: Sell, clock: MovableClock
) -> None:
    listings = [await sell(mina, title=f"Thing {number}") for number in range(6)]
    for listing in listings:
        clock.advance(timedelta(minutes=1))
        await joon.put(f"/v1/listings/{listing['id']}/like")
    gone = {0: "deleted_at", 2: "hidden_at", 4: "removed_at"}

    async def change(work: UnitOfWork) -> None:
        for number, column in gone.items():
            row = update(Listing).where(Listing.id == UUID(listings[number]["id"]))
            await work.execute(row.values({column: work.now}))
        sold = update(Listing).where(Listing.id == UUID(listings[3]["id"]))
        await work.execute(sold.values(state="sold"))

    await transact(context, None, change)
    found = await items(joon, "/v1/me/likes")
    assert [(card["title"], card["state"]) for card in found] == [
        ("Thing 5", "selling"),
        ("Thing 3", "sold"),
        ("Thing 1", "selling"),
    ]
    assert all(card["liked"] for card in found)
    first = (await joon.get("/v1/me/likes", params={"limit": 2})).json()
    rest = await items(joon, "/v1/me/likes", limit=2, cursor=first["next_cursor"])
    assert [card["title"] for card in first["items"] + rest] == ["Thing 5", "Thing 3", "Thing 1"]
    hidden = f"/v1/listings/{listings[2]['id']}/like"
    assert (await joon.delete(hidden)).status_code == 204
    problem(await joon.delete(hidden), 404, "not_found")


async def test_what_was_read_last_comes_first_once_and_nothing_of_ones_own(
    mina: Person, joon: Person, sell: Sell, clock: MovableClock
) -> None:
    listings = {name: (await sell(mina, title=f"Thing {name}"))["id"] for name in "abc"}
    own = (await sell(joon, title="My own"))["id"]
    for name in "abcab":
        clock.advance(timedelta(minutes=1))
        assert (await joon.get(f"/v1/listings/{listings[name]}")).status_code == 200
    await joon.get(f"/v1/listings/{own}")
    found = await items(joon, "/v1/me/recently-viewed")
    assert [card["title"] for card in found] == ["Thing b", "Thing a", "Thing c"]
    assert await items(mina, "/v1/me/recently-viewed") == []


async def test_reading_the_same_listing_again_writes_nothing(
    mina: Person, joon: Person, sell: Sell, count_queries: Callable[[], Any]
) -> None:
    path = f"/v1/listings/{(await sell(mina))['id']}"
    await joon.get(path)
    with count_queries() as queries:
        await joon.get(path)
    assert not [text for text in queries.statements if not text.lstrip().startswith("SELECT")]


async def searched(person: Person) -> list[str]:
    return [search["q"] for search in await items(person, "/v1/me/searches")]


async def test_a_search_is_noted_once_without_what_was_typed_on_the_way(
    joon: Person, clock: MovableClock
) -> None:
    async def search(q: str, after: timedelta = timedelta(seconds=1)) -> None:
        clock.advance(after)
        assert (await joon.get("/v1/listings", params={"q": q})).status_code == 200

    for q in ("b", "bi", "bike", "bike re", "bike red"):
        await search(q)
    assert await searched(joon) == ["bike red"]
    await search("bike")
    assert await searched(joon) == ["bike red"]
    await search("sofa")
    assert await searched(joon) == ["sofa", "bike red"]
    await search("bike red", timedelta(hours=1))
    assert await searched(joon) == ["bike red", "sofa"]
    await search("bike red frame", timedelta(hours=1))
    assert await searched(joon) == ["bike red frame", "bike red", "sofa"]
    await joon.get("/v1/listings", params={"category": "music"})
    assert len(await searched(joon)) == 3


async def test_fifty_searches_are_kept_and_can_be_forgotten(
    mina: Person, joon: Person, clock: MovableClock
) -> None:
    for number in range(52):
        clock.advance(timedelta(minutes=1))
        await joon.get("/v1/listings", params={"q": f"{number} things"})
    kept = await items(joon, "/v1/me/searches", limit=100)
    assert [search["q"] for search in kept] == [f"{n} things" for n in range(51, 1, -1)]
    last = f"/v1/me/searches/{kept[0]['id']}"
    problem(await mina.delete(last), 404, "not_found")
    assert (await joon.delete(last)).status_code == 204
    problem(await joon.delete(last), 404, "not_found")
    assert (await searched(joon))[0] == "50 things"
    assert (await joon.delete("/v1/me/searches")).status_code == 204
    assert await searched(joon) == []
    problem(await joon.delete(f"/v1/me/searches/{uuid4()}"), 404, "not_found")


async def test_only_the_first_page_of_a_search_is_noted(
    mina: Person, joon: Person, sell: Sell, clock: MovableClock
) -> None:
    for number in range(3):
        await sell(mina, title=f"Thing {number}")
    first = (await joon.get("/v1/listings", params={"q": "thing", "limit": 2})).json()
    await joon.delete("/v1/me/searches")
    clock.advance(timedelta(minutes=1))
    params = {"q": "thing", "limit": 2, "cursor": first["next_cursor"]}
    assert len(await items(joon, "/v1/listings", **params)) == 1
    assert await searched(joon) == []
