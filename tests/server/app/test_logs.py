"""What a server tells whoever runs it, whatever happens in it: in its log, its figures and its
traces are ids and kinds, never what people wrote or hold.
"""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text
from websockets.asyncio.client import ClientConnection, connect

from server.platform.database import Database
from shared_models.realtime import SUBPROTOCOL
from tests.house.sources import ROOT
from tests.server.chat.conftest import message
from tests.server.media import pictures
from tests.server.media.uploading import declared
from tests.server.trades.market import CAMERA
from tests.servers.collector import Collector, collecting
from tests.servers.lifetime import Lifetime
from tests.servers.picky import PickyServer, start_picky

PASSWORD = "a password that nobody guesses"
TEXT = "meet me behind the bakery"
NAME = "holiday-with-grandma.jpg"
TITLE = "An inherited accordion"


class Visitor:
    """Somebody who uses the server, and notes what must not be told."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._headers: dict[str, str] = {}
        self.secrets = {PASSWORD, TEXT, NAME, TITLE}

    async def sign_up(self, handle: str) -> None:
        body = {"handle": handle, "password": PASSWORD, "display_name": handle}
        token = (await self.ask("POST", "/v1/accounts", json=body)).json()["token"]
        self._headers = {"Authorization": f"Bearer {token}"}
        self.secrets.add(token)

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        return await self._client.request(method, path, headers=self._headers, **options)

    async def upload(self, data: bytes) -> tuple[str, str]:
        """A file all the way; its id, and what became of it."""
        body = {"purpose": "listing", "files": [declared(data, name=NAME)]}
        [upload] = (await self.ask("POST", "/v1/uploads", json=body)).json()["uploads"]
        put = upload["put"]
        self.secrets.add(httpx.URL(put["url"]).params["X-Amz-Signature"])
        await self._client.put(put["url"], headers=put["headers"], content=data)
        await self.ask("POST", f"/v1/uploads/{upload['id']}/complete")
        state = "processing"
        while state == "processing":
            state = (await self.ask("GET", f"/v1/uploads/{upload['id']}")).json()["state"]
        return upload["id"], state

    def line(self) -> connect:
        """A socket."""
        url = f"{self._client.base_url}".replace("http", "ws").rstrip("/")
        return connect(
            f"{url}/v1/realtime",
            subprotocols=[SUBPROTOCOL],  # type: ignore[list-item]
            additional_headers=self._headers,
            proxy=None,
        )


async def told(line: ClientConnection, *types: str, **frame: Any) -> dict[str, Any]:
    """Say something on a socket; the first answer of one of these types."""
    await line.send(json.dumps(frame))
    while True:
        answer: dict[str, Any] = json.loads(await line.recv())
        if answer["t"] in types:
            return answer


async def taken(line: ClientConnection, **message: Any) -> None:
    """Send a message; it has been acknowledged, and has come back as news."""
    await line.send(json.dumps(message))
    is_acknowledged = is_news = False
    while not (is_acknowledged and is_news):
        frame = await line.recv()
        is_acknowledged |= json.loads(frame)["t"] == "ok"
        is_news |= "message.new" in str(frame)


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture
def server(
    private_lifetime: Lifetime,
    database_url: str,
    collector: Collector,
    monkeypatch: pytest.MonkeyPatch,
) -> PickyServer:
    """Also what FastAPI would export by itself goes to the collector."""
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
    return start_picky(
        private_lifetime,
        database_url=database_url,
        log_level="DEBUG",
        otlp_endpoint=collector.url,
    )


@pytest.fixture
async def visitors(server: PickyServer) -> AsyncIterator[tuple[Visitor, Visitor]]:
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        seller, buyer = Visitor(client), Visitor(client)
        await seller.sign_up("seller")
        await buyer.sign_up("buyer")
        yield seller, buyer


@asynccontextmanager
async def broken(database_url: str) -> AsyncIterator[None]:
    """The database, meanwhile without the table of events, which hold what was said."""
    database = Database(database_url)

    async def rename(table: str, new: str) -> None:
        async with database.unlimited() as connection:  # whoever is in it may be held up
            await connection.execute(text(f"ALTER TABLE {table} RENAME TO {new}"))

    await rename("platform_stream_event", "away")
    try:
        yield
    finally:
        await rename("away", "platform_stream_event")
        await database.close()


async def talk(buyer: Visitor, room: str, database_url: str) -> None:
    """Say what is good, bad, refused and impossible on a socket."""
    async with buyer.line() as line:
        await told(line, "welcome", t="hello", device=TEXT)
        send = {"t": "send", "chatroom_id": room, "cid": str(uuid4()), "text": TEXT}
        await taken(line, id="good", **send)
        for tag, more in (
            ("bad", {"text": [TEXT]}),
            ("changed", {"text": f"{TEXT} too"}),
            ("strange", {"chatroom_id": str(uuid4())}),
        ):
            assert (await told(line, "ok", "err", **{**send, "id": tag, **more}))["t"] == "err"
        async with broken(database_url):
            again = send | {"id": "impossible", "cid": str(uuid4())}
            assert (await told(line, "ok", "err", **again))["code"] == "unavailable"


async def leave_a_job_that_fails(database_url: str) -> None:
    """One that was given texts, and fails."""
    database = Database(database_url)
    job = (
        "INSERT INTO platform_job (id, kind, payload, run_at, attempts, created_at, updated_at) "
        "SELECT :id, 'media.process', :payload, run_at, 0, created_at, updated_at "
        "FROM platform_job ORDER BY run_at LIMIT 1"
    )
    id_ = uuid4().hex if database.is_sqlite else uuid4()
    async with database.writer.begin() as connection:
        await connection.execute(text(job), {"id": id_, "payload": json.dumps({TEXT: NAME})})
    await database.close()


async def test_what_a_server_tells_holds_no_texts_tokens_passwords_or_signed_queries(
    server: PickyServer,
    visitors: tuple[Visitor, Visitor],
    database_url: str,
    collector: Collector,
) -> None:
    seller, buyer = visitors
    photo, state = await seller.upload(pictures.jpeg())
    assert state == "ready"
    assert (await seller.upload(b"no picture"))[1] == "failed"
    seen = await seller.ask("GET", f"/v1/photos/{photo}/thumb")
    seller.secrets.add(httpx.URL(seen.headers["location"]).params["X-Amz-Signature"])
    listing = CAMERA | {"title": TITLE, "photo_ids": [photo]}
    listing_id = (await seller.ask("POST", "/v1/listings", json=listing)).json()["id"]
    room = (await buyer.ask("POST", "/v1/chatrooms", json={"listing_id": listing_id})).json()
    path = f"/v1/chatrooms/{room['id']}/messages"
    ticket = (await buyer.ask("POST", "/v1/realtime/tickets")).json()["ticket"]
    answers = [
        await buyer.ask("POST", path, json=message(TEXT)),
        await buyer.ask("POST", path, json={"cid": TEXT, "text": [TEXT]}),
        await buyer.ask("GET", "/v1/listings", params={"q": TEXT}),
        await buyer.ask("PUT", "/v1/me/password", json={"current_password": [PASSWORD]}),
    ]
    assert [answer.status_code for answer in answers] == [201, 422, 200, 422]
    async with broken(database_url):
        assert (await buyer.ask("POST", path, json=message(TEXT))).status_code == 500
    await talk(buyer, room["id"], database_url)
    await leave_a_job_that_fails(database_url)
    await buyer.ask("POST", "/v1/uploads", json={"purpose": "listing", "files": []})
    figures = ""
    while 'picky_jobs_total{kind="media.process",outcome="failed"}' not in figures:
        figures = (await buyer.ask("GET", "/metrics")).text
    spans_of = ("send", "deliver", "job media.process", "POST /v1/uploads")
    collector.until(*spans_of)  # one that ends while it is held up may send no more
    server.stop()
    log, spans = server.log.read_text(), b"".join(collector.bodies).decode(errors="replace")
    for event in ("upload_finished", "Traceback", "command_failed", "job_failed"):
        assert event in log
    for secret in seller.secrets | buyer.secrets | {ticket}:
        for told_by in (log, figures, spans):
            assert secret not in told_by
            assert quote_plus(secret) not in told_by


REPEATING = """
import asyncio
from server.app import container
from server.app.container import build_context, close_context
from server.app.logs import configure_logs
from server.app.settings import load_settings
from server.platform.jobs import Worker, enqueue
from server.platform.unit_of_work import transact

async def repeat(context, payload):
    raise ValueError(payload["text"])

async def main():
    context = build_context(load_settings(), base_url="http://testserver")
    await transact(context, None, lambda work: enqueue(work, "test.job", {"text": TEXT}))
    assert await Worker(context, {"test.job": repeat}).run_due() == 1
    await close_context(context)

container._CLOSES_S = 60  # the span is sent then
configure_logs("DEBUG")
asyncio.run(main())
"""


def test_a_job_whose_error_repeats_what_it_was_told_tells_its_kind_only(
    database_url: str, collector: Collector, tmp_path: Path
) -> None:
    settings = {"DATABASE_URL": database_url, "DATA_DIR": str(tmp_path), "ENVIRONMENT": "test"}
    run = subprocess.run(
        [sys.executable, "-c", REPEATING.replace("TEXT", repr(TEXT))],
        env=os.environ
        | {f"PICKY_{name}": value for name, value in settings.items()}
        | {"PICKY_OTLP_ENDPOINT": collector.url},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert '"event": "job_failed"' in run.stderr
    assert "ValueError" in run.stderr
    assert "job test.job" in {span.name for span in collector.spans()}
    spans = b"".join(collector.bodies).decode(errors="replace")
    assert TEXT not in run.stderr + run.stdout + spans


FAILING = """
import asyncio, gc, logging
import structlog
from server.app.logs import configure_logs

configure_logs("INFO")
try:
    try:
        int("a secret")
    except ValueError as error:
        raise KeyError("a secret") from error
except KeyError as error:
    structlog.get_logger().exception("by_structlog")
    logging.getLogger("library").exception("by a library")

async def forgotten():
    raise ExceptionGroup("a secret", [LookupError("a secret")])

async def main():
    task = asyncio.create_task(forgotten())
    await asyncio.wait([task])
    del task
    gc.collect()

asyncio.run(main())
"""


def test_exceptions_tell_their_place_and_kind_but_not_their_texts() -> None:
    run = subprocess.run(
        [sys.executable, "-c", FAILING], check=True, cwd=ROOT, capture_output=True, text=True
    )
    lines = [json.loads(line) for line in run.stderr.splitlines()]
    assert [line["event"] for line in lines] == [
        "by_structlog",
        "by a library",
        "Task exception was never retrieved",
    ]
    for line in lines[:2]:
        kinds = [part for part in line["exception"].splitlines() if part.startswith("builtins.")]
        assert kinds == ["builtins.ValueError", "builtins.KeyError"]
    assert "builtins.LookupError" in lines[2]["exception"]
    assert "a secret" not in run.stderr.replace('int("a secret")', "")
