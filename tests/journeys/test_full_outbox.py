"""The app is killed with a full outbox, again and again: all of it arrives, in order, once."""

import asyncio
from collections import defaultdict
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from uuid import UUID

import pytest

from client_tui.core.credentials import Credentials, CredentialStore
from client_tui.core.outbox import Outbox
from client_tui.core.paths import Paths
from tests.faults.front import Front, Road
from tests.journeys.devices import Device, device, open_room
from tests.journeys.people import PICKY
from tests.journeys.terminal import Terminal
from tests.servers.picky import PickyServer

ROOMS = 4
COUNT = 200
IN_A_ROOM = [f"message {number}" for number in range(COUNT // ROOMS)]


async def fill_outbox(paths: Paths, me: UUID, rooms: list[UUID]) -> None:
    """What somebody wrote by turns while there was no line."""
    outbox = await Outbox(paths.outbox_file(me)).open()
    for text in IN_A_ROOM:
        for room_id in rooms:
            await outbox.put(room_id, text)
    await outbox.close()


def by_room(device: Device) -> dict[UUID, list[str]]:
    heard = defaultdict(list)
    for message in device.messages:
        heard[message.chatroom_id].append(message.text)
    return heard


@pytest.mark.timeout(240)
async def test_an_app_that_is_killed_amid_a_full_outbox_sends_it_in_order_and_once(
    picky_server: PickyServer, tmp_path: Path
) -> None:
    server, home = picky_server, tmp_path / "home"
    environment = {"PICKY_HOME": str(home), "PICKY_CREDENTIALS": "file"}
    paths = Paths.find(environment)
    async with AsyncExitStack() as stack:
        seller = await stack.enter_async_context(device(server.url, "minji", tmp_path / "seller"))
        buyer = await stack.enter_async_context(device(server.url, "bora", tmp_path / "buyer"))
        rooms = [await open_room(seller, buyer, tmp_path) for _ in range(ROOMS)]
        me = (await buyer.api.me()).id
        # The app's line leads through this process: it sends nothing on while that looks away.
        road = Road()
        road.port = server.port
        front = Front([road], Random(0))
        await stack.enter_async_context(front.listening())
        CredentialStore(paths, environment).save(Credentials(front.url, me, "bora", buyer.token))
        await fill_outbox(paths, me, rooms)
        await stack.enter_async_context(seller.live())
        for killed_after in (1, COUNT // 3, COUNT):
            assert len(seller.messages) < COUNT, "it was killed too late to say anything"
            with Terminal([PICKY], environment) as terminal:
                # A terminal that nobody reads would stop the app.
                reading = asyncio.create_task(asyncio.to_thread(terminal.wait_for_end, 90))
                await seller.until(lambda after=killed_after: len(seller.messages) >= after)  # type: ignore[misc]
                terminal.process.kill()
                await reading
        assert by_room(seller) == dict.fromkeys(rooms, IN_A_ROOM)
