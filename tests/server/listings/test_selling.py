"""Rules 4, 9 and 19: what may be put on sale, and how it is edited."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update

from server.accounts.tables import Account
from server.listings import repository
from server.listings.events import (
    ListingChanged,
    ListingPriceChanged,
    ListingPriceDropped,
    ListingPublished,
)
from server.listings.jobs import PERIODIC, RUNNERS
from server.listings.tables import Listing
from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.unit_of_work import UnitOfWork, reading, transact
from tests.server.conftest import Person, problem
from tests.server.listings.conftest import (
    GUITAR,
    AddPhoto,
    Sell,
    edit,
    edited,
    mark,
    move,
    reserve,
)

HELD_S = 0.5


async def test_a_listing_is_on_sale_as_it_was_written(mina: Person, sell: Sell) -> None:
    listing = await sell(mina)
    assert {name: listing[name] for name in GUITAR} == GUITAR
    assert (listing["state"], listing["version"]) == ("selling", 1)
    assert listing["seller"]["id"] == str(mina.id)
    assert listing["photos"][0]["thumb_url"] == f"/v1/photos/{listing['photos'][0]['id']}/thumb"
    assert listing["allowed_actions"] == ["edit", "sold_elsewhere", "delete"]
    assert (await mina.get(f"/v1/listings/{listing['id']}")).json() == listing


async def test_photos_keep_their_order_and_the_first_is_the_cover(
    mina: Person, sell: Sell, add_photo: AddPhoto
) -> None:
    photos = [await add_photo(mina) for _ in range(4)]
    listing = await sell(mina, photo_ids=photos)
    assert [photo["id"] for photo in listing["photos"]] == photos
    turned = [photos[3], photos[1], photos[0]]
    listing = await edited(mina, listing, photo_ids=turned)
    assert [photo["id"] for photo in listing["photos"]] == turned
    cards = (await mina.get("/v1/listings")).json()["items"]
    assert cards[0]["cover"]["id"] == photos[3]


async def test_the_same_post_twice_is_one_listing(
    mina: Person, add_photo: AddPhoto, context: Context
) -> None:
    body = GUITAR | {"photo_ids": [await add_photo(mina)]}
    key = {"Idempotency-Key": str(uuid4())}
    first = await mina.post("/v1/listings", body, headers=key)
    again = await mina.post("/v1/listings", body, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["idempotent-replay"] == "true"
    async with reading(context) as work:
        assert await work.scalar(select(func.count()).select_from(Listing)) == 1


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("title", "g", "too_short"),
        ("title", "\x1b[31mg\x1b[0m", "too_short"),
        ("description", "too short", "too_short"),
        ("category", None, "required"),
        ("condition", None, "required"),
        ("price", None, "required"),
        ("photo_ids", [], "required"),
        ("category", "spaceships", "unknown_category"),
        ("category", "\x00", "unknown_category"),
        ("title", "Real handgun, never used", "prohibited"),
        ("title", "대포통장 팝니다", "prohibited"),
        ("description", "Comes with a fake   passport.", "prohibited"),
    ],
)
async def test_what_may_not_go_on_sale_is_refused_with_the_reason(
    mina: Person, add_photo: AddPhoto, field: str, value: object, code: str
) -> None:
    body = GUITAR | {"photo_ids": [await add_photo(mina)]} | {field: value}
    refused = problem(await mina.post("/v1/listings", body), 422, code)
    assert [error["field"] for error in refused["errors"]] == [field]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "t" * 61),
        ("description", "d" * 2001),
        ("condition", "shiny"),
        ("price", -1),
        ("price", 100_000_000),
        ("price", "80000"),
        ("price", 1.5),
        ("price", True),
        ("method", "drone"),
        ("place", "p" * 61),
        ("photo_ids", [str(uuid4())] * 11),
        ("state", "sold"),
    ],
)
async def test_a_field_out_of_its_limits_is_refused(
    mina: Person, field: str, value: object
) -> None:
    body = GUITAR | {"photo_ids": []} | {field: value}
    refused = problem(await mina.post("/v1/listings", body), 422, "invalid")
    assert refused["errors"][0]["field"].startswith(field)


async def test_everything_that_is_missing_is_said_at_once(mina: Person) -> None:
    refused = problem(await mina.post("/v1/listings", {}), 422, "not_publishable")
    assert [error["field"] for error in refused["errors"]] == [
        "title",
        "description",
        "category",
        "condition",
        "price",
        "photo_ids",
    ]


async def test_only_ready_photos_of_ones_own_are_taken(
    mina: Person, joon: Person, add_photo: AddPhoto, sell: Sell
) -> None:
    body = GUITAR | {"photo_ids": [await add_photo(joon)]}
    problem(await mina.post("/v1/listings", body), 422, "photo_unknown")
    used = (await sell(mina))["photos"][0]["id"]
    problem(await mina.post("/v1/listings", GUITAR | {"photo_ids": [used]}), 409, "photo_in_use")


async def test_a_draft_may_be_incomplete_and_is_seen_by_its_owner_only(
    mina: Person, joon: Person, announced: list[Any]
) -> None:
    draft = (await mina.post("/v1/listings", {"state": "draft", "title": "G"})).json()
    assert (draft["state"], draft["price"]) == ("draft", None)
    assert draft["allowed_actions"] == ["edit", "publish", "delete"]
    problem(await joon.get(f"/v1/listings/{draft['id']}"), 404, "not_found")
    for person, count in ((mina, 1), (joon, 0)):
        drafts = (await person.get("/v1/listings", params={"state": "draft"})).json()["items"]
        assert len(drafts) == count
        path = f"/v1/accounts/{mina.id}/listings"
        of_mina = await person.get(path, params={"state": "draft"})
        assert len(of_mina.json()["items"]) == count
        assert (await person.get("/v1/listings", params={"state": "any"})).json()["items"] == []
    assert announced == []


async def test_a_draft_is_published_when_it_is_complete(
    mina: Person, joon: Person, add_photo: AddPhoto, clock: MovableClock, announced: list[Any]
) -> None:
    draft = (await mina.post("/v1/listings", {"state": "draft", "title": "기타"})).json()
    problem(await edit(mina, draft, state="selling"), 422, "not_publishable")
    clock.advance(timedelta(days=3))
    rest = {name: value for name, value in GUITAR.items() if name != "title"}
    listing = await edited(mina, draft, **rest, photo_ids=[await add_photo(mina)], state="selling")
    assert (listing["state"], listing["version"]) == ("selling", 2)
    assert listing["bumped_at"] == "2026-03-05T09:00:00.000000Z"
    found = (await joon.get("/v1/listings", params={"q": "기타"})).json()["items"]
    assert [card["id"] for card in found] == [listing["id"]]
    assert [type(event) for event in announced] == [ListingPublished]


async def test_there_is_room_for_thirty_drafts(mina: Person) -> None:
    for _ in range(30):
        assert (await mina.post("/v1/listings", {"state": "draft"})).status_code == 201
    problem(await mina.post("/v1/listings", {"state": "draft"}), 409, "drafts_full")


async def test_idle_drafts_go_after_ninety_days_and_nothing_else_does(
    context: Context, mina: Person, sell: Sell, clock: MovableClock
) -> None:
    listing = await sell(mina)
    draft = (await mina.post("/v1/listings", {"state": "draft"})).json()
    clock.advance(timedelta(days=89))
    used = (await mina.post("/v1/listings", {"state": "draft"})).json()
    clock.advance(timedelta(days=2))
    await RUNNERS[PERIODIC[0].kind](context, {})
    for kept in (listing, used):
        assert (await mina.get(f"/v1/listings/{kept['id']}")).json()["deleted"] is False
    assert (await mina.get(f"/v1/listings/{draft['id']}")).json()["deleted"] is True


async def test_a_draft_that_is_being_published_keeps_its_photos(
    context: Context,
    mina: Person,
    add_photo: AddPhoto,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    photo = await add_photo(mina)
    body = GUITAR | {"photo_ids": [photo], "state": "draft"}
    draft = (await mina.post("/v1/listings", body)).json()
    clock.advance(timedelta(days=91))
    find = repository.idle_drafts
    publishing: list[asyncio.Task[Any]] = []

    async def published_right_after_looking(work: UnitOfWork, *rest: Any) -> list[UUID]:
        found = await find(work, *rest)
        if not publishing:
            publishing.append(asyncio.create_task(edit(mina, draft, state="selling")))
            # With one writer, as on SQLite, it waits for this transaction.
            await asyncio.wait(publishing, timeout=HELD_S)
        return found

    monkeypatch.setattr(repository, "idle_drafts", published_right_after_looking)
    await RUNNERS[PERIODIC[0].kind](context, {})
    published = (await publishing[0]).status_code == 200
    listing = (await mina.get(f"/v1/listings/{draft['id']}")).json()
    kept = (await mina.get(f"/v1/uploads/{photo}")).status_code == 200
    assert (listing["deleted"], kept) == (not published, published)


@pytest.fixture
def limited(context: Context) -> Context:
    """The context with its daily limits on."""
    context.rates.enabled = True
    return context


async def test_a_new_account_lists_five_things_a_day(
    limited: Context, mina: Person, sell: Sell, add_photo: AddPhoto, clock: MovableClock
) -> None:
    first = await sell(mina)
    clock.advance(timedelta(hours=2))
    for _ in range(4):
        await sell(mina)
    await mina.delete(f"/v1/listings/{first['id']}")
    body = GUITAR | {"photo_ids": [await add_photo(mina)]}
    answer = await mina.post("/v1/listings", body)
    refused = problem(answer, 429, "daily_limit")
    assert refused["retry_after_s"] == 22 * 3600
    assert answer.headers["retry-after"] == str(22 * 3600)
    clock.advance(timedelta(hours=22))
    assert (await mina.post("/v1/listings", body)).status_code == 201


async def test_an_account_that_has_traded_and_is_a_week_old_lists_twenty(
    limited: Context, mina: Person, sell: Sell, add_photo: AddPhoto, clock: MovableClock
) -> None:
    async def traded(work: UnitOfWork) -> None:
        await work.execute(update(Account).where(Account.id == mina.id).values(purchases=1))

    await transact(limited, None, traded)
    clock.advance(timedelta(days=7))
    for _ in range(20):
        await sell(mina)
    body = GUITAR | {"photo_ids": [await add_photo(mina)]}
    problem(await mina.post("/v1/listings", body), 429, "daily_limit")


async def test_a_suspended_account_does_not_list(
    context: Context, mina: Person, clock: MovableClock
) -> None:
    async def suspend(work: UnitOfWork) -> None:
        until = work.now + timedelta(days=1)
        await work.execute(
            update(Account).where(Account.id == mina.id).values(suspended_until=until)
        )

    await transact(context, None, suspend)
    problem(await mina.post("/v1/listings", {"state": "draft"}), 403, "suspended")
    clock.advance(timedelta(days=2))
    assert (await mina.post("/v1/listings", {"state": "draft"})).status_code == 201


async def test_an_edit_needs_the_version_that_was_read(mina: Person, sell: Sell) -> None:
    listing = await sell(mina)
    path = f"/v1/listings/{listing['id']}"
    problem(await mina.patch(path, {"title": "Better"}), 428, "precondition_required")
    garbled = await mina.patch(path, {"title": "Better"}, headers={"If-Match": "newest"})
    problem(garbled, 400, "if_match_invalid")
    newer = await edited(mina, listing, title="Better guitar")
    assert (newer["version"], newer["title"]) == (2, "Better guitar")
    refused = problem(await edit(mina, listing, title="Best guitar"), 412, "stale")
    assert refused["current"] == newer


async def test_of_two_edits_of_one_version_one_wins(mina: Person, sell: Sell) -> None:
    listing = await sell(mina)
    answers = await asyncio.gather(*(edit(mina, listing, title=f"Guitar {n}") for n in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412]


async def test_an_edit_that_changes_nothing_is_no_new_version(
    mina: Person, sell: Sell, announced: list[Any]
) -> None:
    listing = await sell(mina)
    announced.clear()
    assert await edited(mina, listing, title=listing["title"], negotiable=None) == listing
    assert announced == []


async def test_null_clears_what_may_be_empty_and_leaves_the_rest(mina: Person, sell: Sell) -> None:
    listing = await sell(mina)
    assert (await edited(mina, listing, place=None, title=None))["place"] is None
    newer = (await mina.get(f"/v1/listings/{listing['id']}")).json()
    assert newer["title"] == GUITAR["title"]
    problem(await edit(mina, newer, price=None), 422, "required")


async def test_an_edited_listing_is_found_by_its_new_words_only(
    mina: Person, joon: Person, sell: Sell
) -> None:
    listing = await sell(mina)
    await edited(mina, listing, title="통기타", description="Hardly played, with a case.")
    for q, count in (("acoustic", 0), ("strings", 0), ("통기타", 1), ("played", 1)):
        found = (await joon.get("/v1/listings", params={"q": q})).json()["items"]
        assert len(found) == count, q


async def test_nobody_else_edits_or_deletes_a_listing(
    mina: Person, joon: Person, sell: Sell
) -> None:
    listing = await sell(mina)
    problem(await edit(joon, listing, price=1), 403, "not_owner")
    problem(await joon.delete(f"/v1/listings/{listing['id']}"), 403, "not_owner")
    draft = (await mina.post("/v1/listings", {"state": "draft"})).json()
    problem(await edit(joon, draft, price=1), 404, "not_found")
    problem(await joon.delete(f"/v1/listings/{draft['id']}"), 404, "not_found")


@pytest.mark.parametrize("state", ["reserved", "sold"])
async def test_a_reserved_or_sold_listing_is_locked(
    context: Context, mina: Person, sell: Sell, state: str
) -> None:
    listing = await sell(mina)
    assert await reserve(context, listing)
    if state == "sold":
        assert await move(context, listing, "mark_sold")
    now = (await mina.get(f"/v1/listings/{listing['id']}")).json()
    changes: list[dict[str, Any]] = [{"price": 1}, {"title": "Drums"}, {"photo_ids": []}]
    for change in changes:
        refused = problem(await edit(mina, now, **change), 409, f"listing_{state}")
        assert refused["current"] == now


async def test_a_price_is_announced_when_it_is_cut_by_a_tenth_and_once_a_day(
    mina: Person, sell: Sell, clock: MovableClock, announced: list[Any]
) -> None:
    listing = await sell(mina, price=100_000)
    announced.clear()

    async def set_price(price: int) -> list[tuple[type, int, int]]:
        nonlocal listing
        announced.clear()
        listing = await edited(mina, listing, price=price)
        return [(type(e), e.old, e.new) for e in announced if not isinstance(e, ListingChanged)]

    changed, dropped = ListingPriceChanged, ListingPriceDropped
    assert await set_price(95_000) == [(changed, 100_000, 95_000)]
    assert await set_price(90_000) == [(changed, 95_000, 90_000), (dropped, 95_000, 90_000)]
    assert await set_price(50_000) == [(changed, 90_000, 50_000)]
    clock.advance(timedelta(hours=25))
    assert await set_price(120_000) == [(changed, 50_000, 120_000)]
    assert await set_price(85_000) == [(changed, 120_000, 85_000)]
    assert await set_price(81_000) == [(changed, 85_000, 81_000), (dropped, 85_000, 81_000)]


async def test_a_cut_of_what_is_hidden_is_not_announced_but_the_next_one_is(
    context: Context, mina: Person, sell: Sell, announced: list[Any]
) -> None:
    listing = await sell(mina, price=100_000)
    await mark(context, listing, "hidden_at")
    now = (await mina.get(f"/v1/listings/{listing['id']}")).json()
    now = await edited(mina, now, price=80_000)
    await show(context, listing)
    now = await edited(mina, now, title="Old guitar")
    assert not [event for event in announced if isinstance(event, ListingPriceDropped)]
    await edited(mina, now, price=79_000)
    (dropped,) = [event for event in announced if isinstance(event, ListingPriceDropped)]
    assert (dropped.old, dropped.new) == (80_000, 79_000)


async def show(context: Context, listing: dict[str, Any]) -> None:
    row = update(Listing).where(Listing.id == UUID(listing["id"]))
    await transact(context, None, lambda work: work.execute(row.values(hidden_at=None)))
