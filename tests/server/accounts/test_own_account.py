"""One's own account: what can be changed, and how it is deleted (rule 20)."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, insert, select

from server.accounts import api as accounts
from server.accounts.events import AccountChanged, AccountDeleted, SessionEnded
from server.accounts.jobs import PERIODIC, RUNNERS
from server.accounts.tables import Account, Session, Ticket
from server.media.tables import Upload
from server.platform.clock import MovableClock
from server.platform.context import Actor, Context
from server.platform.errors import Unauthenticated
from server.platform.jobs import Worker
from server.platform.rates import RateLimiter
from server.platform.tables import Job
from server.platform.unit_of_work import UnitOfWork, reading, transact
from tests.server.accounts.conftest import Neighbours
from tests.server.conftest import BASE_URL, PASSWORD, Person, SignUpPerson, problem


@pytest.fixture
async def mina(sign_up: SignUpPerson, neighbours: Neighbours) -> Person:
    return await sign_up("mina", place="Mapo", locale="ko-KR")


@pytest.fixture
def announced(context: Context) -> list[Any]:
    heard: list[Any] = []

    async def hear(_work: UnitOfWork, event: Any) -> None:
        heard.append(event)

    for event in (AccountChanged, AccountDeleted, SessionEnded):
        context.wiring.on(event, hear)
    return heard


async def add_avatar(context: Context, person: Person, **fields: Any) -> str:
    async def add(work: UnitOfWork) -> UUID:
        upload_id = work.new_id()
        values = {
            "id": upload_id,
            "owner_id": person.id,
            "purpose": "avatar",
            "state": "ready",
            "name": "me.png",
            "content_type": "image/png",
            "size": 1,
            "sha256": "0" * 64,
            "object_key": str(upload_id),
            "expires_at": work.now,
            "width": 4,
            "height": 4,
            "placeholder": "1x1:fff",
            "created_at": work.now,
            "updated_at": work.now,
        }
        await work.execute(insert(Upload).values(**values | fields))
        return upload_id

    return str(await transact(context, None, add))


async def change(person: Person, **fields: Any) -> dict[str, Any]:
    answer = await person.patch("/v1/me", fields)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert (await person.get("/v1/me")).json() == body
    return body


async def test_what_is_left_out_stays_and_null_clears(mina: Person, announced: list[Any]) -> None:
    assert (await change(mina))["place"] == "Mapo"
    assert announced == []
    renamed = await change(mina, display_name="미나 2")
    assert (renamed["display_name"], renamed["place"]) == ("미나 2", "Mapo")
    assert announced == [AccountChanged(mina.id)]
    cleared = await change(mina, place=None, locale=None, display_name=None)
    assert (cleared["place"], cleared["locale"]) == (None, None)
    assert cleared["display_name"] == "미나 2"


async def test_an_avatar_is_ones_own_ready_photo_and_can_be_replaced_and_removed(
    context: Context, mina: Person, sign_up: SignUpPerson
) -> None:
    first, second = await add_avatar(context, mina), await add_avatar(context, mina)
    for upload_id in (first, second):
        avatar = (await change(mina, avatar=upload_id))["avatar"]
        assert avatar["thumb_url"] == f"/v1/photos/{upload_id}/thumb"
    joon = await sign_up("joon")
    assert (await joon.get(f"/v1/accounts/{mina.id}")).json()["avatar"]["id"] == second
    assert (await change(mina, avatar=None))["avatar"] is None
    of_joon = await add_avatar(context, joon)
    listing_photo = await add_avatar(context, mina, purpose="listing")
    unready = await add_avatar(context, mina, state="processing")
    problem(await mina.patch("/v1/me", {"avatar": of_joon}), 422, "photo_unknown")
    problem(await mina.patch("/v1/me", {"avatar": str(uuid4())}), 422, "photo_unknown")
    problem(await mina.patch("/v1/me", {"avatar": listing_photo}), 422, "photo_wrong_purpose")
    problem(await mina.patch("/v1/me", {"avatar": unready}), 409, "photo_not_ready")


async def test_notices_are_all_on_and_all_but_trade_and_system_can_be_switched_off(
    context: Context, mina: Person
) -> None:
    assert set((await change(mina))["notification_switches"].values()) == {True}
    switches = (await change(mina, notification_switches={"chat": False, "price": False}))[
        "notification_switches"
    ]
    switches = (await change(mina, notification_switches={"price": True, "trade": True}))[
        "notification_switches"
    ]
    assert [kind for kind, on in switches.items() if not on] == ["chat"]
    async with reading(context) as work:
        assert await accounts.notification_switches(work, [mina.id]) == {mina.id: switches}
    for kind in ("trade", "system"):
        body = {"notification_switches": {kind: False}}
        problem(await mina.patch("/v1/me", body), 422, "always_on")
    unknown = {"notification_switches": {"gossip": False}}
    problem(await mina.patch("/v1/me", unknown), 422, "unknown_kind")


async def test_consents_are_merged_and_have_plain_names(mina: Person) -> None:
    await change(mina, consents={"digest_mail": True})
    account = await change(mina, consents={"usage_figures": False})
    assert account["consents"] == {"digest_mail": True, "usage_figures": False}
    for name in ("", "A", "a b", "\x00", "x" * 41, "한"):
        body = {"consents": {name: True}}
        problem(await mina.patch("/v1/me", body), 422, "consent_invalid")
    many = {f"more_{number}": True for number in range(19)}
    problem(await mina.patch("/v1/me", {"consents": many}), 422, "too_long")


@pytest.mark.parametrize(
    "body",
    [
        {"display_name": ""},
        {"display_name": "x" * 21},
        {"place": "p" * 61},
        {"locale": "x"},
        {"avatar": "me.png"},
        {"consents": {"a": "perhaps"}},
        {"notification_switches": []},
        {"consents": {f"c{number}": True for number in range(21)}},
        [],
        "text",
    ],
)
async def test_bad_changes_are_refused(mina: Person, body: Any) -> None:
    problem(await mina.patch("/v1/me", body), 422, "invalid")


async def test_an_account_is_not_deleted_while_a_trade_is_open(
    mina: Person, neighbours: Neighbours
) -> None:
    neighbours.open_between.add(frozenset((mina.id, uuid4())))
    problem(await mina.delete("/v1/me"), 409, "open_trade")
    assert (await mina.get("/v1/me")).status_code == 200
    neighbours.open_between.clear()
    assert (await mina.delete("/v1/me")).status_code == 204


async def test_a_deleted_account_is_signed_out_and_neutral_for_everybody(
    mina: Person, sign_up: SignUpPerson, announced: list[Any]
) -> None:
    joon = await sign_up("joon")
    await joon.put(f"/v1/accounts/{mina.id}/follow")
    assert (await mina.delete("/v1/me")).status_code == 204
    assert announced == [SessionEnded(mina.id, mina.session_id), AccountDeleted(mina.id)]
    problem(await mina.get("/v1/me"), 401, "unauthenticated")
    credentials = {"handle": "mina", "password": PASSWORD}
    problem(await mina.client.post("/v1/sessions", json=credentials), 401, "bad_credentials")
    seen = (await joon.get(f"/v1/accounts/{mina.id}")).json()
    assert (seen["handle"], seen["display_name"]) == (None, "Deleted account")
    assert (seen["place"], seen["avatar"], seen["deleted"]) == (None, None, True)
    problem(await joon.put(f"/v1/accounts/{mina.id}/follow"), 404, "not_found")
    assert (await joon.delete(f"/v1/accounts/{mina.id}/follow")).status_code == 204


async def test_name_and_text_are_erased_after_the_days_of_grace(
    context: Context, mina: Person, sign_up: SignUpPerson, clock: MovableClock
) -> None:
    worker = Worker(context, RUNNERS)
    await mina.delete("/v1/me")
    clock.advance(timedelta(days=13))
    await worker.run_due()
    taken = {"handle": "mina", "password": PASSWORD, "display_name": "Another"}
    problem(await mina.client.post("/v1/accounts", json=taken), 409, "handle_taken")
    clock.advance(timedelta(days=2))
    await worker.run_due()
    async with reading(context) as work:
        row = await work.first(select(Account).where(Account.id == mina.id))
        columns = await work.first(
            select(Account.display_name, Account.place, Account.password_hash).where(
                Account.id == mina.id
            )
        )
    assert row is not None
    assert columns is not None
    assert tuple(columns) == ("Deleted account", None, "")
    again = await sign_up("mina")
    assert again.id != mina.id


async def test_an_avatar_is_hidden_when_its_account_is_deleted_and_erased_with_it(
    context: Context, sign_up: SignUpPerson, clock: MovableClock
) -> None:
    """And with it goes how the account's devices and files were called."""
    mina, joon = await sign_up("mina", device="Mina's laptop"), await sign_up("joon", device="tv")
    avatar, other = await add_avatar(context, mina), await add_avatar(context, joon)
    await change(mina, avatar=avatar)
    await change(joon, avatar=other)
    seen = f"/v1/photos/{avatar}/thumb"
    assert (await joon.get(seen)).status_code == 302
    assert (await mina.delete("/v1/me")).status_code == 204
    problem(await joon.get(seen), 404, "not_found")
    assert (await joon.get(f"/v1/photos/{other}/thumb")).status_code == 302
    clock.advance(timedelta(days=14))
    await Worker(context, RUNNERS).run_due()
    async with reading(context) as work:
        devices = await work.rows(select(Session.account_id, Session.device))
        uploads = await work.rows(select(Upload.owner_id, Upload.name, Upload.deleted_at))
        removals = await work.rows(select(Job.payload).where(Job.kind == "media.remove"))
    assert {tuple(row) for row in devices} == {(mina.id, None), (joon.id, "tv")}
    assert {tuple(row) for row in uploads} == {
        (mina.id, "", clock.now()),
        (joon.id, "me.png", None),
    }
    assert [row.payload for row in removals] == [{"ids": [avatar]}]


async def test_erasing_leaves_an_account_that_is_not_deleted_alone(
    context: Context, mina: Person
) -> None:
    await RUNNERS["accounts.erase"](context, {"account_id": str(mina.id)})
    assert (await mina.get("/v1/me")).json()["place"] == "Mapo"


async def ticket_of(context: Context, person: Person) -> str:
    actor = Actor(person.id, person.session_id)
    return (await transact(context, actor, accounts.create_ticket)).ticket


async def redeem(context: Context, ticket: str) -> Actor:
    return await transact(context, None, lambda work: accounts.redeem_ticket(work, ticket))


async def test_a_ticket_opens_one_socket_for_its_session_within_thirty_seconds(
    context: Context, mina: Person, clock: MovableClock
) -> None:
    ticket = await ticket_of(context, mina)
    clock.advance(timedelta(seconds=29))
    assert await redeem(context, ticket) == Actor(mina.id, mina.session_id)
    for dead in (ticket, "", "x", "\x00", "\ud800"):
        with pytest.raises(Unauthenticated):
            await redeem(context, dead)
    late = await ticket_of(context, mina)
    clock.advance(timedelta(seconds=31))
    with pytest.raises(Unauthenticated):
        await redeem(context, late)


async def test_a_ticket_dies_with_its_session(context: Context, mina: Person) -> None:
    ticket = await ticket_of(context, mina)
    await mina.delete("/v1/sessions/current")
    with pytest.raises(Unauthenticated):
        await redeem(context, ticket)


async def test_a_ticket_is_not_stored_and_its_row_is_dropped_later(
    context: Context, mina: Person, clock: MovableClock
) -> None:
    ticket = await ticket_of(context, mina)
    async with reading(context) as work:
        assert await work.scalar(select(Ticket.ticket_hash)) != ticket
    for hours, left in ((0.9, 1), (0.2, 0)):
        clock.advance(timedelta(hours=hours))
        await RUNNERS[PERIODIC[0].kind](context, {})
        async with reading(context) as work:
            assert await work.scalar(select(func.count()).select_from(Ticket)) == left


async def test_too_many_tries_are_told_how_long_to_wait(
    context: Context, sign_up: SignUpPerson, mina: Person
) -> None:
    del sign_up
    now = [0.0]
    object.__setattr__(context, "rates", RateLimiter(lambda: now[0]))
    wrong = {"handle": "mina", "password": "not this one"}
    for _ in range(10):
        problem(await mina.client.post("/v1/sessions", json=wrong), 401, "bad_credentials")
    answer = await mina.client.post("/v1/sessions", json=wrong | {"handle": "MINA"})
    refused = problem(answer, 429, "rate_limited")
    assert refused["retryable"] is True
    assert answer.headers["retry-after"] == str(int(refused["retry_after_s"]))
    other = await mina.client.post("/v1/sessions", json=wrong | {"handle": "joon"})
    problem(other, 401, "bad_credentials")
    now[0] += refused["retry_after_s"]
    problem(await mina.client.post("/v1/sessions", json=wrong), 401, "bad_credentials")


async def test_who_guesses_keeps_nobody_out_but_many_at_one_handle_wait(
    context: Context, app: FastAPI, mina: Person
) -> None:
    object.__setattr__(context, "rates", RateLimiter(lambda: 0.0))

    async def guess(address: str, password: str = "not this one") -> int:
        transport = httpx.ASGITransport(app=app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
            form = {"handle": "mina", "password": password}
            return (await client.post("/v1/sessions", json=form)).status_code

    assert [await guess("192.0.2.1") for _ in range(15)] == [401] * 10 + [429] * 5
    assert await guess("192.0.2.2", PASSWORD) == 201
    guesses = [await guess(f"198.51.100.{number // 10}") for number in range(90)]
    assert guesses == [401] * 89 + [429]
