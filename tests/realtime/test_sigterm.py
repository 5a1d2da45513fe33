"""A real process that is asked to go: nobody new, bye to everybody, and what runs is finished."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.typing import Subprotocol

from server.platform.context import Context
from server.realtime.node import RealtimeNode
from server.realtime.settings import RealtimeSettings
from shared_models.realtime import SUBPROTOCOL
from tests.faults.town import standing_still
from tests.realtime.conftest import PASSWORD, PATIENCE_S, Device
from tests.servers.lifetime import Lifetime
from tests.servers.picky import READY, TEST_ENVIRONMENT
from tests.servers.postgres import Postgres, start_postgres

START_S = 60
KILLED_AFTER_S = 40
"""By `deploy/`, compose and ECS alike."""
DEVICES = 8
"""Each is a slice of its own: draining takes long enough to look at it."""
USUAL = RealtimeSettings()
DRAINS_S = USUAL.drain_s * (DEVICES - 1) / USUAL.drain_slices
GONE = (httpx.TransportError, OSError, InvalidMessage)
"""What somebody meets who comes when the process has ended."""
numbers = count(1)


@asynccontextmanager
async def serving(
    data_dir: Path, database_url: str, **settings: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A child that serves, and its URL; a child, because its exit code is asked for.

    `settings` are names of settings as `start_picky` takes them.
    """
    more = {f"PICKY_{name.upper()}": value for name, value in settings.items()}
    environment = os.environ | TEST_ENVIRONMENT | {"PICKY_DATABASE_URL": database_url} | more
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", "serve", "--port", "0", "--data-dir", data_dir),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), START_S)
        ready = READY.search(line.decode())
        assert ready is not None
        yield process, ready[1]
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def dial(url: str, token: str) -> Device:
    """A socket that has been welcomed."""
    socket = await connect(
        f"{url.replace('http', 'ws', 1)}/v1/realtime",
        subprotocols=[Subprotocol(SUBPROTOCOL)],
        additional_headers={"Authorization": f"Bearer {token}"},
        compression=None,
        ping_interval=None,
        proxy=None,
    )
    device = Device(socket)
    await device.say("hello", device="test", client="tests")
    await device.until("welcome")
    return device


def visitor(url: str) -> httpx.AsyncClient:
    """Somebody without a token, who waits for an answer as long as a busy machine needs."""
    return httpx.AsyncClient(base_url=url, timeout=PATIENCE_S)


class HalfARequest:
    """A request that the server has begun to read, and will only answer when it is whole."""

    def __init__(self, url: str, token: str) -> None:
        self._address = url.removeprefix("http://").rsplit(":", 1)
        self._token = token
        self._body = json.dumps({"display_name": "finished"}).encode()

    async def begin(self) -> None:
        host, port = self._address
        self._reader, self._writer = await asyncio.open_connection(host, int(port))
        head = (
            f"PATCH /v1/me HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {self._token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(self._body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + self._body[:5])
        await self._writer.drain()

    def end(self) -> None:
        """Hang up."""
        self._writer.transport.abort()

    async def finish(self) -> str:
        """The status line of the answer."""
        self._writer.write(self._body[5:])
        line = await asyncio.wait_for(self._reader.readline(), PATIENCE_S)
        return line.decode()


async def sign_up(client: httpx.AsyncClient) -> str:
    handle = f"buyer_{next(numbers)}"
    body = {"handle": handle, "password": PASSWORD, "display_name": "buyer"}
    signed_in: dict[str, Any] = (await client.post("/v1/accounts", json=body)).json()
    return str(signed_in["token"])


async def in_time(looked: Callable[[], Awaitable[bool]]) -> None:
    """Look at a process that goes, and at another one if it was gone before one had looked: so it
    is on a machine that stands still for some seconds.
    """
    while not await looked():
        pass


async def test_a_process_drains_on_sigterm_and_ends_well(tmp_path: Path, database_url: str) -> None:
    await in_time(partial(drains_and_ends_well, tmp_path, database_url))


async def drains_and_ends_well(tmp_path: Path, database_url: str) -> bool:
    """Whether it was seen in time how it drains; raises for what is wrong with that."""
    async with AsyncExitStack() as stack:
        process, url = await stack.enter_async_context(serving(tmp_path / "data", database_url))
        client = await stack.enter_async_context(visitor(url))
        token = await sign_up(client)
        devices = [await stack.enter_async_context(await dial(url, token)) for _ in range(DEVICES)]
        running = HalfARequest(url, token)
        await running.begin()
        stack.callback(running.end)
        assert (await client.get("/readyz")).status_code == 200

        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        byes = [asyncio.create_task(device.until("bye")) for device in devices]
        await asyncio.wait(byes, return_when=asyncio.FIRST_COMPLETED)
        try:
            unready = await client.get("/readyz")
            with pytest.raises(InvalidStatus) as refused:
                await dial(url, token)
        except GONE:
            assert time.monotonic() - asked >= DRAINS_S
            await asyncio.gather(*byes, return_exceptions=True)
            return False
        assert (unready.status_code, unready.json()) == (503, {"status": "draining"})
        assert refused.value.response.status_code == 503

        for bye in byes:
            assert 0 <= (await bye)["reconnect_in_ms"] <= 20_000
        assert [await device.closed() for device in devices] == [4000] * DEVICES
        assert " 200 " in await running.finish()
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0
        return True


async def test_a_process_among_others_works_on_unready_until_balancers_have_noticed(
    tmp_path: Path, postgres_url: str, valkey_url: str
) -> None:
    await in_time(partial(works_on_unready, tmp_path, postgres_url, valkey_url))


async def works_on_unready(tmp_path: Path, postgres_url: str, valkey_url: str) -> bool:
    """Whether it was seen in time that it works on; raises for what is wrong with that."""
    async with AsyncExitStack() as stack:
        process, url = await stack.enter_async_context(
            serving(tmp_path / "data", postgres_url, bus_url=valkey_url)
        )
        client = await stack.enter_async_context(visitor(url))
        token = await sign_up(client)

        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        try:
            while (await client.get("/readyz")).status_code == 200:
                assert time.monotonic() < asked + PATIENCE_S
            mine = await client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
            late = await stack.enter_async_context(await dial(url, token))
        except (*GONE, InvalidStatus, ConnectionClosed):
            assert time.monotonic() - asked >= USUAL.drain_least_s
            return False
        assert mine.status_code == 200
        await late.until("bye")
        assert await late.closed() == 4000
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0
        assert time.monotonic() - asked >= USUAL.drain_least_s
        return True


@contextmanager
def paused(server: Postgres) -> Iterator[None]:
    """Every process of it stands still: it takes what is sent, and says nothing."""
    with standing_still([server.pid]):  # nobody comes any more
        children = psutil.Process(server.pid).children(recursive=True)
        with standing_still([child.pid for child in children]):
            yield


async def test_a_process_whose_database_hangs_ends_before_it_is_killed(
    tmp_path: Path, private_lifetime: Lifetime
) -> None:
    """Though it has as many connections to it as it may."""
    server = start_postgres(private_lifetime)
    async with AsyncExitStack() as stack:
        process, url = await stack.enter_async_context(serving(tmp_path / "data", server.url()))
        client = await stack.enter_async_context(visitor(url))
        me = {"Authorization": f"Bearer {await sign_up(client)}"}
        answers = [client.get("/v1/me", headers=me) for _ in range(40)]
        assert {answer.status_code for answer in await asyncio.gather(*answers)} == {200}
        stack.enter_context(paused(server))
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), KILLED_AFTER_S) == 0


async def test_a_process_on_its_own_tells_no_balancer(context: Context) -> None:
    node = RealtimeNode(context, RealtimeSettings(drain_least_s=100 * PATIENCE_S))
    await asyncio.wait_for(node.drain(), PATIENCE_S)
