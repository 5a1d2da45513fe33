"""Everything about an account in one archive (rule 20)."""

import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import pytest
from sqlalchemy import delete, select
from sqlalchemy.pool import QueuePool

from server.accounts.archive_job import GIVEN_UP_AFTER, MAKE
from server.accounts.tables import Export
from server.app.background import runners
from server.chat import api as chat
from server.chat.api import ImportedMessage
from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.jobs import Worker
from server.platform.object_store import ObjectStore, ObjectStoreError
from server.platform.tables import Job
from server.platform.unit_of_work import UnitOfWork, reading, transact
from tests.server.conftest import Person, SignUpPerson, problem
from tests.server.media.uploading import make_photo
from tests.server.trades.market import Deal, Market, done

PATH = "/v1/me/export"


@pytest.fixture
def market(context: Context, clock: MovableClock, sign_up: SignUpPerson) -> Market:
    """A market with nobody on it yet."""
    return Market(context, clock, sign_up)


@pytest.fixture
async def mina(market: Market) -> Person:
    return await market.person("mina")


async def work_off(context: Context) -> None:
    """Run all jobs that are due."""
    await Worker(context, runners()).run_due()


async def archive_of(context: Context, person: Person) -> ZipFile:
    """The archive as it is downloaded by its URL."""
    assert (await person.post(PATH)).status_code == 202
    await work_off(context)
    ready = await done(person.get(PATH))
    assert ready["state"] == "ready"
    answer = await person.client.get(ready["url"])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    return ZipFile(io.BytesIO(answer.content))


def contents(archive: ZipFile) -> dict[str, Any]:
    """Every JSON file of an archive, by its name."""
    names = [name for name in archive.namelist() if name.endswith(".json")]
    assert len(names) == len(set(names))
    return {name: json.loads(archive.read(name)) for name in names}


async def write(market: Market, person: Person, deal: Deal, text: str, **fields: Any) -> Any:
    cid = str(market.context.make_id(market.clock.now()))
    path = f"/v1/chatrooms/{deal.room_id}/messages"
    return await done(person.post(path, {"cid": cid, "text": text} | fields))


async def test_it_is_made_once_and_downloaded_by_a_url(context: Context, mina: Person) -> None:
    problem(await mina.get(PATH), 404, "not_found")
    for _ in range(2):
        asked = await mina.post(PATH)
        assert (asked.status_code, asked.json()) == (202, {"state": "processing", "url": None})
    assert (await done(mina.get(PATH)))["state"] == "processing"
    await work_off(context)
    first = await done(mina.get(PATH))
    assert first["state"] == "ready"
    answer = await mina.client.get(first["url"])
    [account] = json.loads(ZipFile(io.BytesIO(answer.content)).read("account.json"))
    assert (account["handle"], account["no_shows"]) == ("mina", 0)
    assert "password_hash" not in account
    assert (await mina.client.get(first["url"].replace("picky.zip", "other.zip"))).is_error


async def full_life(market: Market) -> tuple[Deal, str]:
    """A deal in which both have done all that can be done, and another listing of the seller."""
    deal = await market.deal()
    seller, buyer, room = deal.seller, deal.buyer, f"/v1/chatrooms/{deal.room_id}"
    photo = await make_photo(buyer, market.context, purpose="message")
    await write(market, buyer, deal, "안녕하세요", photo_ids=[photo["id"]])
    await write(market, seller, deal, "hello")
    await done(buyer.post(f"{room}/offers", {"amount": 90_000}))
    meeting = {"at": "2026-03-05T10:00:00Z", "place": "Mapo station"}
    await done(buyer.post(f"{room}/appointments", meeting))
    trade = await market.completed(deal)
    for person, text in ((buyer, "a good seller"), (seller, "a good buyer")):
        body = {"rating": 5, "tags": [], "comment": text}
        await done(person.post(f"/v1/trades/{trade['id']}/review", body))
    other = await market.sell(seller)
    assert (await buyer.put(f"/v1/listings/{other}/like")).status_code == 204
    await done(buyer.get(f"/v1/listings/{other}"))
    await done(buyer.get("/v1/listings?q=camera"))
    report = {"target_kind": "listing", "target_id": other, "reason": "spam", "detail": "again"}
    await done(buyer.post("/v1/reports", report))
    assert (await buyer.put(f"/v1/accounts/{seller.id}/follow")).status_code == 204
    return deal, other


async def test_it_holds_everything_of_the_account(market: Market, context: Context) -> None:
    deal, other = await full_life(market)
    archive = await archive_of(context, deal.buyer)
    files = contents(archive)

    def each(file: str, field: str) -> list[Any]:
        return [one[field] for one in files[f"{file}.json"]]

    [room] = files["chatrooms.json"]
    assert room["other"]["id"] == str(deal.seller.id)
    messages = f"messages/{deal.room_id}"
    assert each(messages, "seq") == list(range(1, room["last_seq"] + 1))
    said = [one["text"] for one in files[f"{messages}.json"] if one["kind"] != "system"]
    assert said == ["안녕하세요", "hello"]
    assert each("trades", "listing_id") == [deal.listing_id]
    assert each("offers", "amount") == [90_000]
    assert each("appointments", "place") == ["Mapo station"]
    assert each("reviews", "comment") == ["a good seller", "a good buyer"]
    assert each("reports", "detail") == ["again"]
    assert each("likes", "listing_id") == each("recently_viewed", "listing_id") == [other]
    assert each("searches", "q") == ["camera"]
    assert each("follows", "account_id") == [str(deal.seller.id)]
    assert each("sessions", "id") == [str(deal.buyer.session_id)]
    assert len(files["notifications.json"]) == len(await market.notices(deal.buyer))
    [photo] = each("photos", "id")
    assert archive.read(f"photos/{photo}.jpg").startswith(b"\xff\xd8")
    assert "listings.json" not in files

    sellers = contents(await archive_of(context, deal.seller))
    assert {one["id"] for one in sellers["listings.json"]} == {deal.listing_id, other}
    assert not {"likes.json", "reports.json", "follows.json"} & set(sellers)


async def test_nothing_private_of_others_is_in_it(
    market: Market, context: Context, mina: Person
) -> None:
    deal = await market.deal()
    trade = await market.completed(deal)
    review = {"rating": 1, "tags": [], "comment": "sealed words"}
    await done(deal.seller.post(f"/v1/trades/{trade['id']}/review", review))
    secret = await write(market, deal.seller, deal, "taken back")
    path = f"/v1/chatrooms/{deal.room_id}/messages/{secret['seq']}"
    assert (await deal.seller.delete(path)).status_code == 204
    elsewhere = await market.deal_with(deal.seller, mina)
    await write(market, mina, elsewhere, "between others")
    archive = await archive_of(context, deal.buyer)
    text = b"".join(archive.read(name) for name in archive.namelist()).decode()
    for private in ("sealed words", "taken back", "between others", elsewhere.room_id, "argon2"):
        assert private not in text
    assert str(mina.id) not in text


async def test_what_somebody_cleared_by_leaving_stays_out(market: Market, context: Context) -> None:
    deal = await market.deal()
    await write(market, deal.buyer, deal, "before")
    assert (await deal.buyer.post(f"/v1/chatrooms/{deal.room_id}/leave")).status_code == 204
    await write(market, deal.seller, deal, "after")
    files = contents(await archive_of(context, deal.buyer))
    said = [one["text"] for one in files[f"messages/{deal.room_id}.json"]]
    assert said == ["after"]


async def test_a_long_history_is_in_it_whole(market: Market, context: Context) -> None:
    deal = await market.deal()
    said = [
        ImportedMessage(deal.buyer.id, f"m{number}", market.clock.now()) for number in range(1_234)
    ]
    await transact(context, None, lambda work: chat.import_messages(work, UUID(deal.room_id), said))
    found = contents(await archive_of(context, deal.seller))[f"messages/{deal.room_id}.json"]
    assert [one["text"] for one in found[1:]] == [one.text for one in said]


async def test_it_is_deleted_after_a_day_and_when_it_is_replaced(
    market: Market, context: Context, mina: Person
) -> None:
    await archive_of(context, mina)
    first = (await done(mina.get(PATH)))["url"]
    await archive_of(context, mina)
    second = (await done(mina.get(PATH)))["url"]
    assert (await mina.client.get(first)).status_code == 404
    assert (await mina.client.get(second)).status_code == 200
    await market.later(hours=24)
    problem(await mina.get(PATH), 404, "not_found")
    key = second.partition("/picky/")[2].partition("?")[0]
    assert await context.wiring.port(ObjectStore).head(key) is None


async def refuse(*_: Any, **__: Any) -> None:
    """What a full store does with everything that is put into it."""
    raise ObjectStoreError("full")


async def test_no_connection_is_held_while_its_address_is_signed(
    context: Context, mina: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, pool, in_use = context.wiring.port(ObjectStore), context.database.reader.pool, []
    assert isinstance(pool, QueuePool)

    async def sign(*_args: object, **_options: object) -> str:
        in_use.append(pool.checkedout())
        return "https://market.example/archive"

    monkeypatch.setattr(store, "presign_get", sign)
    await mina.post(PATH)
    await work_off(context)
    assert (await done(mina.get(PATH)))["state"] == "ready"
    assert in_use == [0]


async def test_an_export_that_cannot_be_made_has_failed_and_can_be_asked_for_again(
    context: Context, clock: MovableClock, mina: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr(context.wiring.port(ObjectStore), "put", refuse)
        await mina.post(PATH)
        await work_off(context)
        assert (await done(mina.get(PATH)))["state"] == "processing"
        clock.advance(GIVEN_UP_AFTER + timedelta(seconds=1))
        assert (await done(mina.get(PATH))) == {"state": "failed", "url": None}
    await archive_of(context, mina)


async def test_an_archive_whose_day_is_over_before_it_is_stored_leaves_nothing(
    context: Context, mina: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = context.wiring.port(ObjectStore)
    put, keys = store.put, []

    async def put_late(key: str, source: Path, *, content_type: str) -> None:
        await put(key, source, content_type=content_type)
        keys.append(key)

        async def drop(work: UnitOfWork) -> None:
            await work.execute(delete(Export))

        await transact(context, None, drop)

    monkeypatch.setattr(store, "put", put_late)
    await mina.post(PATH)
    await work_off(context)
    [key] = keys
    assert await store.head(key) is None
    problem(await mina.get(PATH), 404, "not_found")


async def test_the_archive_of_a_deleted_account_is_not_made(
    context: Context, mina: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await mina.post(PATH)
    assert (await mina.delete("/v1/me")).status_code == 204
    monkeypatch.setattr(context.wiring.port(ObjectStore), "put", refuse)
    await work_off(context)
    async with reading(context) as work:
        made = await work.first(select(Job.done_at, Job.error).where(Job.kind == MAKE))
    assert made is not None
    assert (made.done_at is not None, made.error) == (True, None)
