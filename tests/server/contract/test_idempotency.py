"""What an ``Idempotency-Key`` keeps, and what it must never keep."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
from fastapi import FastAPI
from sqlalchemy import func, select

from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.housekeeping import FORGET, RUNNERS
from server.platform.tables import StoredAnswer
from server.platform.unit_of_work import reading
from tests.server.conftest import PASSWORD, SignUpPerson, problem

LISTING = {"title": "Film camera", "price": 1000, "state": "draft"}


async def test_the_same_key_and_body_gets_the_stored_answer(sign_up: SignUpPerson) -> None:
    seller = await sign_up("seller")
    headers = {"Idempotency-Key": str(uuid4())}
    first = await seller.post("/v1/listings", LISTING, headers=headers)
    again = await seller.post("/v1/listings", LISTING, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.json() == first.json()
    assert "Idempotent-Replay" not in first.headers


async def test_the_same_key_for_another_request_is_refused(sign_up: SignUpPerson) -> None:
    seller = await sign_up("seller")
    headers = {"Idempotency-Key": str(uuid4())}
    await seller.post("/v1/listings", LISTING, headers=headers)
    other = await seller.post("/v1/listings", LISTING | {"price": 2000}, headers=headers)
    problem(other, 422, "idempotency_mismatch")


async def test_a_key_is_its_accounts_own(sign_up: SignUpPerson) -> None:
    one, other = await sign_up("one"), await sign_up("other")
    headers = {"Idempotency-Key": str(uuid4())}
    first = await one.post("/v1/listings", LISTING, headers=headers)
    second = await other.post("/v1/listings", LISTING, headers=headers)
    assert second.status_code == 201
    assert second.json()["id"] != first.json()["id"]


async def test_a_ticket_is_never_stored(sign_up: SignUpPerson, context: Context) -> None:
    person = await sign_up("person")
    headers = {"Idempotency-Key": str(uuid4())}
    first = await person.post("/v1/realtime/tickets", headers=headers)
    again = await person.post("/v1/realtime/tickets", headers=headers)
    assert first.json()["ticket"] != again.json()["ticket"]
    assert await stored_answers(context) == 0


async def test_only_signing_up_and_in_take_no_key(app: FastAPI) -> None:
    without = {
        path
        for path, item in app.openapi()["paths"].items()
        if "post" in item
        and "idempotency-key" not in [one["name"] for one in item["post"].get("parameters", ())]
    }
    assert without == {"/v1/accounts", "/v1/sessions"}


async def test_a_sign_up_whose_answer_was_lost_is_finished_by_signing_in(
    client: httpx.AsyncClient,
) -> None:
    body = {"handle": "mina", "password": PASSWORD, "display_name": "Mina"}
    first = await client.post("/v1/accounts", json=body)
    problem(await client.post("/v1/accounts", json=body), 409, "handle_taken")
    again = await client.post("/v1/sessions", json=body)
    assert again.json()["account"] == first.json()["account"]


async def stored_answers(context: Context) -> Any:
    async with reading(context) as work:
        return await work.scalar(select(func.count()).select_from(StoredAnswer))


async def test_an_answer_is_kept_for_48_hours_and_then_forgotten(
    sign_up: SignUpPerson, context: Context, clock: MovableClock
) -> None:
    seller = await sign_up("seller")
    headers = {"Idempotency-Key": str(uuid4())}
    first = await seller.post("/v1/listings", LISTING, headers=headers)
    for hours, left in ((47.9, 1), (0.2, 0)):
        clock.advance(timedelta(hours=hours))
        await RUNNERS[FORGET](context, {})
        assert await stored_answers(context) == left
    again = await seller.post("/v1/listings", LISTING, headers=headers)
    assert again.json()["id"] != first.json()["id"]


async def test_an_old_answer_is_not_given_though_it_was_not_forgotten_yet(
    sign_up: SignUpPerson, context: Context, clock: MovableClock
) -> None:
    seller = await sign_up("seller")
    headers = {"Idempotency-Key": str(uuid4())}
    first = await seller.post("/v1/listings", LISTING, headers=headers)
    clock.advance(timedelta(hours=48, seconds=1))
    later = await seller.post("/v1/listings", LISTING | {"price": 2000}, headers=headers)
    assert later.json()["id"] != first.json()["id"]
    again = await seller.post("/v1/listings", LISTING | {"price": 2000}, headers=headers)
    assert again.json() == later.json()
    assert await stored_answers(context) == 1
