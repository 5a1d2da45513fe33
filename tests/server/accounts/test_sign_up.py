import asyncio
import unicodedata
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, text

from server.accounts import service
from server.accounts.sessions import start_session
from server.accounts.tables import Account, Session
from server.platform import streams
from server.platform.context import Context
from server.platform.database import Database
from server.platform.unit_of_work import UnitOfWork, reading
from tests.server.conftest import PASSWORD, Person, SignUpPerson, problem

NEW = {"handle": "mina_7", "password": PASSWORD, "display_name": "미나"}


async def test_signing_up_gives_a_token_a_session_and_the_account(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post("/v1/accounts", json=NEW | {"place": "Mapo", "device": "laptop"})
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "private, no-store"
    body = answer.json()
    assert body["account"]["handle"] == "mina_7"
    assert body["account"]["display_name"] == "미나"
    assert body["account"]["place"] == "Mapo"
    assert body["account"]["manner_score"] == 36.5
    assert body["session"]["device"] == "laptop"
    assert body["session"]["current"] is True
    me = await client.get("/v1/me", headers={"Authorization": f"Bearer {body['token']}"})
    assert me.json() == body["account"]


async def test_a_new_account_has_an_empty_stream_of_its_own(
    sign_up: SignUpPerson, context: Context
) -> None:
    mina = await sign_up("mina")
    async with reading(context) as work:
        position = await streams.position(work, mina.id)
    assert (position.head, position.oldest) == (0, 1)


async def test_neither_the_token_nor_the_password_is_stored(
    sign_up: SignUpPerson, context: Context
) -> None:
    mina = await sign_up("mina")
    async with reading(context) as work:
        row = await work.first(
            select(Account.password_hash, Session.token_hash).join(
                Session, Session.account_id == Account.id
            )
        )
    assert row is not None
    assert row.password_hash.startswith("$argon2id$")
    assert row.token_hash == context.secret.token_hash(mina.token)
    assert mina.token not in row.token_hash


@pytest.mark.parametrize("handle", ["mina", "MINA", "Mina"])
async def test_a_handle_is_unique_whatever_its_case(client: httpx.AsyncClient, handle: str) -> None:
    assert (await client.post("/v1/accounts", json=NEW | {"handle": "mina"})).status_code == 201
    problem(await client.post("/v1/accounts", json=NEW | {"handle": handle}), 409, "handle_taken")


async def test_of_many_who_want_a_handle_at_once_one_gets_it(
    client: httpx.AsyncClient, context: Context
) -> None:
    answers = await asyncio.gather(
        *(client.post("/v1/accounts", json=NEW | {"display_name": f"no {n}"}) for n in range(6))
    )
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 5]
    async with reading(context) as work:
        assert await work.scalar(select(func.count()).select_from(Account)) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("handle", "ab"),
        ("handle", "a" * 21),
        ("handle", "mina!"),
        ("handle", "미나"),
        ("handle", "mi na"),
        ("handle", "mina\n"),
        ("password", "short77"),
        ("password", "x" * 129),
        ("display_name", ""),
        ("display_name", "\x1b[31m"),
        ("display_name", "n" * 21),
        ("place", "p" * 61),
        ("locale", "klingon"),
        ("device", "d" * 61),
        ("handle", 7),
        ("password", None),
    ],
)
async def test_bad_input_is_refused_and_names_its_field(
    client: httpx.AsyncClient, field: str, value: object
) -> None:
    body = problem(await client.post("/v1/accounts", json=NEW | {field: value}), 422, "invalid")
    assert [error["field"] for error in body["errors"]] == [field]


@pytest.mark.parametrize(
    "password", ["password1", "PassWord1", "qwer1234", "xxxxxxxxxx", "MINA_7__"]
)
async def test_a_password_that_is_guessed_first_is_refused(
    client: httpx.AsyncClient, password: str
) -> None:
    body = NEW | {"password": password, "handle": "mina_7__"}
    refused = problem(await client.post("/v1/accounts", json=body), 422, "password_common")
    assert refused["errors"][0]["field"] == "password"


async def test_control_characters_and_bidi_overrides_are_removed_from_names(
    client: httpx.AsyncClient,
) -> None:
    body = NEW | {"display_name": " \x1b[2JMi\u202ena\x07 \n", "place": "Se\u200boul\t Mapo"}
    account = (await client.post("/v1/accounts", json=body)).json()["account"]
    assert (account["display_name"], account["place"]) == ("Mina", "Seoul Mapo")


async def test_signing_in_gives_a_second_session_whatever_the_case_of_the_handle(
    client: httpx.AsyncClient, sign_up: SignUpPerson
) -> None:
    mina = await sign_up("mina")
    answer = await client.post(
        "/v1/sessions", json={"handle": "MiNa", "password": PASSWORD, "device": "phone"}
    )
    assert answer.status_code == 201
    assert answer.json()["account"]["id"] == str(mina.id)
    assert answer.json()["token"] != mina.token


@pytest.mark.parametrize(
    ("handle", "password"),
    [
        ("mina", "wrong password"),
        ("nobody", PASSWORD),
        ("", ""),
        ("mi\x00na", PASSWORD),
        ("미나", PASSWORD),
        ("mina", PASSWORD.upper()),
    ],
)
async def test_a_wrong_handle_and_a_wrong_password_look_the_same(
    client: httpx.AsyncClient, sign_up: SignUpPerson, handle: str, password: str
) -> None:
    await sign_up("mina")
    answer = await client.post("/v1/sessions", json={"handle": handle, "password": password})
    refused = problem(answer, 401, "bad_credentials")
    assert refused["detail"] == "The handle or the password is wrong."


async def test_a_password_is_checked_also_when_nobody_has_the_handle(
    client: httpx.AsyncClient, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str | None] = []
    verify = context.passwords.verify

    async def noting(stored: str | None, password: str) -> bool:
        checked.append(stored)
        return await verify(stored, password)

    monkeypatch.setattr(context.passwords, "verify", noting)
    for handle in ("nobody", "not a handle"):
        await client.post("/v1/sessions", json={"handle": handle, "password": PASSWORD})
    assert checked == [None, None]


async def test_a_password_may_be_typed_on_a_keyboard_that_decomposes(
    client: httpx.AsyncClient,
) -> None:
    password = "비밀번호는바다색"
    await client.post("/v1/accounts", json=NEW | {"password": password})
    decomposed = unicodedata.normalize("NFD", password)
    assert decomposed != password
    body = {"handle": NEW["handle"], "password": decomposed}
    assert (await client.post("/v1/sessions", json=body)).status_code == 201


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer x", "Basic abc", "Bearer " + "A" * 43, "Bearer ünïcode"]
)
async def test_a_missing_or_dead_token_is_401(
    client: httpx.AsyncClient, header: str | None
) -> None:
    headers = [] if header is None else [(b"Authorization", header.encode())]
    answer = await client.get("/v1/me", headers=headers)
    problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_sessions_are_listed_newest_first_and_the_asking_one_is_marked(
    client: httpx.AsyncClient, sign_up: SignUpPerson
) -> None:
    mina = await sign_up("mina")
    for device in ("phone", "tablet"):
        body = {"handle": "mina", "password": PASSWORD, "device": device}
        assert (await client.post("/v1/sessions", json=body)).status_code == 201
    first = (await mina.get("/v1/sessions", params={"limit": 2})).json()
    rest = (
        await mina.get("/v1/sessions", params={"limit": 2, "cursor": first["next_cursor"]})
    ).json()
    sessions = first["items"] + rest["items"]
    assert rest["next_cursor"] is None
    assert {session["device"] for session in sessions} == {"phone", "tablet", None}
    assert [session["id"] for session in sessions if session["current"]] == [str(mina.session_id)]


async def other_session(mina: Person, device: str = "phone") -> Person:
    body = {"handle": mina.handle, "password": PASSWORD, "device": device}
    signed_in = (await mina.client.post("/v1/sessions", json=body)).json()
    return Person(mina.id, mina.handle, signed_in["token"], signed_in["session"]["id"], mina.client)


async def test_an_ended_session_is_dead_at_once_and_the_others_are_not(
    sign_up: SignUpPerson,
) -> None:
    mina = await sign_up("mina")
    phone = await other_session(mina)
    assert (await mina.delete(f"/v1/sessions/{phone.session_id}")).status_code == 204
    problem(await phone.get("/v1/me"), 401, "unauthenticated")
    assert (await mina.get("/v1/me")).status_code == 200
    problem(await mina.delete(f"/v1/sessions/{phone.session_id}"), 404, "not_found")
    assert (await mina.delete("/v1/sessions/current")).status_code == 204
    problem(await mina.get("/v1/me"), 401, "unauthenticated")


async def test_nobody_ends_the_session_of_somebody_else(sign_up: SignUpPerson) -> None:
    mina, joon = await sign_up("mina"), await sign_up("joon")
    problem(await joon.delete(f"/v1/sessions/{mina.session_id}"), 404, "not_found")
    assert (await mina.get("/v1/me")).status_code == 200


async def test_a_refused_parameter_is_named_as_it_was_sent(sign_up: SignUpPerson) -> None:
    mina = await sign_up("mina")
    refused = problem(await mina.delete("/v1/sessions/every"), 422, "invalid")
    assert {error["field"] for error in refused["errors"]} == {"session_id"}


async def test_a_new_password_ends_all_other_sessions(sign_up: SignUpPerson) -> None:
    mina = await sign_up("mina")
    phone = await other_session(mina)
    change = {"current_password": PASSWORD, "new_password": "another good one"}
    assert (await mina.put("/v1/me/password", change)).status_code == 204
    problem(await phone.get("/v1/me"), 401, "unauthenticated")
    assert (await mina.get("/v1/me")).status_code == 200
    old = {"handle": "mina", "password": PASSWORD}
    problem(await mina.client.post("/v1/sessions", json=old), 401, "bad_credentials")
    new = {"handle": "mina", "password": "another good one"}
    assert (await mina.client.post("/v1/sessions", json=new)).status_code == 201


async def test_a_new_password_needs_the_old_one_and_a_good_new_one(sign_up: SignUpPerson) -> None:
    mina = await sign_up("mina")
    wrong = {"current_password": "not this one", "new_password": "another good one"}
    problem(await mina.put("/v1/me/password", wrong), 403, "wrong_password")
    weak = {"current_password": PASSWORD, "new_password": "password123"}
    refused = problem(await mina.put("/v1/me/password", weak), 422, "password_common")
    assert refused["errors"][0]["field"] == "new_password"


async def until_blocked_or_done(database: Database, task: asyncio.Task[Any]) -> None:
    """Until the task's transaction waits for a lock that another one holds, or is over.

    Each look is a transaction of its own: within one, PostgreSQL shows no connection that is newer
    than the first look.
    """
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with database.reader.connect() as looking:
        while not task.done() and not (await looking.execute(waiting)).scalar():
            pass  # asking lets the task go on


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_signing_in_while_the_password_changes_leaves_no_session_of_the_old_one(
    sign_up: SignUpPerson, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    mina = await sign_up("mina")
    begin = start_session
    changing: list[asyncio.Task[httpx.Response]] = []

    async def start_late(work: UnitOfWork, *arguments: Any) -> Any:
        passwords = {"current_password": PASSWORD, "new_password": "another battery staple"}
        changing.append(asyncio.create_task(mina.put("/v1/me/password", passwords)))
        await until_blocked_or_done(context.database, changing[0])
        return await begin(work, *arguments)

    monkeypatch.setattr(service, "start_session", start_late)
    credentials = {"handle": "mina", "password": PASSWORD}
    signed_in = await mina.client.post("/v1/sessions", json=credentials)
    assert signed_in.status_code == 201
    assert (await changing[0]).status_code == 204
    authorization = {"Authorization": f"Bearer {signed_in.json()['token']}"}
    problem(await mina.client.get("/v1/me", headers=authorization), 401, "unauthenticated")
