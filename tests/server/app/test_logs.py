"""What a server logs, whatever happens in it: ids and kinds, never what people wrote or hold."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from server.platform.database import Database
from tests.server.chat.conftest import message
from tests.server.media import pictures
from tests.server.media.uploading import declared
from tests.server.trades.market import CAMERA
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


@pytest.fixture
def server(private_lifetime: Lifetime, database_url: str) -> PickyServer:
    return start_picky(private_lifetime, database_url=database_url, log_level="DEBUG")


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
        async with database.writer.begin() as connection:
            await connection.execute(text(f"ALTER TABLE {table} RENAME TO {new}"))

    await rename("platform_stream_event", "away")
    try:
        yield
    finally:
        await rename("away", "platform_stream_event")
        await database.close()


async def test_logs_tell_no_texts_tokens_passwords_or_signed_queries(
    server: PickyServer, visitors: tuple[Visitor, Visitor], database_url: str
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
    server.stop()
    log = server.log.read_text()
    assert "upload_finished" in log
    assert "Traceback" in log
    for secret in seller.secrets | buyer.secrets | {ticket}:
        assert secret not in log
