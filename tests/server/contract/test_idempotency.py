"""What an ``Idempotency-Key`` keeps, and what it must never keep."""

from uuid import uuid4

from sqlalchemy import func, select

from server.platform.context import Context
from server.platform.tables import StoredAnswer
from server.platform.unit_of_work import reading
from tests.server.conftest import SignUpPerson, problem

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
    async with reading(context) as work:
        assert await work.scalar(select(func.count()).select_from(StoredAnswer)) == 0
