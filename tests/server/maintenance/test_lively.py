"""A lively market is backed up while messages are sent, and comes back as it was in one moment."""

import asyncio
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from server.app.asgi import create_app
from server.app.container import build_context, close_context
from server.app.demo.casting import SMALL
from server.app.demo.seed import Seeded, fill
from server.app.maintenance.manifest import read_manifest
from server.platform.clock import SystemClock
from server.platform.database import Database
from tests.server.conftest import BASE_URL
from tests.server.maintenance.conftest import Place, Rows, apart_from_epochs, rows_of


class Talk:
    """Somebody who writes on and on, and all of the market as it was after each message."""

    def __init__(self, client: httpx.AsyncClient, database: Database) -> None:
        self._client = client
        self._database = database
        self.moments: dict[int, Rows] = {}
        self.said = asyncio.Event()

    async def go_on(self) -> None:
        rooms = (await self._client.get("/chatrooms?limit=100")).json()["items"]
        room = max(rooms, key=lambda room: int(room["last_seq"]))["id"]
        while True:
            body = {"cid": str(uuid4()), "text": "Is it still to be had?"}
            answer = await self._client.post(f"/chatrooms/{room}/messages", json=body)
            assert answer.status_code == 201, answer.text
            rows = await rows_of(self._database)
            self.moments[len(rows["chat_message"])] = rows
            self.said.set()

    async def goes_on(self) -> None:
        """Until there is one more message."""
        self.said.clear()
        await self.said.wait()


async def signed_in(client: httpx.AsyncClient, seeded: Seeded) -> None:
    credentials = {"handle": seeded.handle, "password": seeded.password}
    answer = await client.post("/sessions", json=credentials)
    client.headers["Authorization"] = f"Bearer {answer.json()['token']}"


async def backed_up_amid_talk(place: Place, seeded: Seeded, folder: Path) -> dict[int, Rows]:
    """The market as it was after each message that was sent meanwhile, by their number."""
    context = build_context(place.settings, base_url=BASE_URL)
    transport = httpx.ASGITransport(app=create_app(context, place.settings))
    async with httpx.AsyncClient(transport=transport, base_url=f"{BASE_URL}/v1") as client:
        await signed_in(client, seeded)
        talk = Talk(client, context.database)
        talking = asyncio.create_task(talk.go_on())
        await talk.goes_on()
        code, output, errors = await place.run("backup", "--to", folder)
        assert code == 0, errors
        assert output.startswith(f"{folder} holds ")
        for _ in range(2):  # the first of them may have been sent before the backup's moment
            await talk.goes_on()
        talking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await talking
    await close_context(context)
    return talk.moments


@pytest.mark.timeout(180)
async def test_every_row_and_every_object_comes_back(
    place: Place, bare: Place, tmp_path: Path
) -> None:
    seeded = await fill(
        place.settings,
        seed=1,
        scale=SMALL,
        end=SystemClock().now(),
        report=lambda *_: None,
    )
    folder = tmp_path / "backup"
    moments = await backed_up_amid_talk(place, seeded, folder)
    code, _, errors = await bare.run("restore", "--from", folder)
    assert code == 0, errors

    restored = await bare.rows()
    count = len(restored["chat_message"])
    assert min(moments) <= count < max(moments), "the backup was not made amid the talk"
    then = moments[count]
    assert set(restored) == set(then)
    for name, rows in apart_from_epochs(restored).items():
        assert rows == apart_from_epochs(then)[name], name
    known = {stream.epoch for stream in then["platform_stream"]}
    assert known.isdisjoint(stream.epoch for stream in restored["platform_stream"])
    assert await bare.objects() == await place.objects()
    manifest = read_manifest(folder)
    assert manifest.missing == 0
    assert manifest.objects == len(await bare.objects()) > 60
