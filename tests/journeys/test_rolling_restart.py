"""Every server is restarted, one after the other, while people talk: nobody notices more than a
pause.
"""

import asyncio
import secrets
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

import pytest

from client_tui.core.status import LineState
from tests.faults.accounts import read_history, settle
from tests.faults.balancer import Balancer
from tests.faults.people import Talker, talkers
from tests.faults.town import fleet
from tests.faults.waiting import came
from tests.servers.lifetime import Lifetime

READ_EVERY_S = 0.1
HARMLESS = {LineState.CONNECTING, LineState.ONLINE, LineState.RECONNECTING}


async def comes_online(talker: Talker) -> None:
    await talker.until(lambda: talker.session.status.state is LineState.ONLINE)


async def read_on(talker: Talker, over: asyncio.Event) -> None:
    """Read page after page, as somebody who scrolls: what the client tries again is no error."""
    while not await came(over, READ_EVERY_S):
        await read_history(talker.api, talker.rooms[0])


@pytest.mark.timeout(240)
async def test_a_restart_of_every_server_loses_doubles_and_fails_nothing(
    private_lifetime: Lifetime, postgres_url: str, tmp_path: Path
) -> None:
    random, over = Random(secrets.randbits(32)), asyncio.Event()
    async with (
        fleet(private_lifetime, random, database_url=postgres_url) as town,
        talkers(town.front.url, tmp_path, random) as people,
        AsyncExitStack() as lines,
    ):
        await town.start_the_rest()
        for talker in people:
            await lines.enter_async_context(talker.live())
        await asyncio.gather(*map(comes_online, people))
        pids = [node.server.pid for node in town.nodes]
        balancer = Balancer([node.road for node in town.nodes])
        async with balancer.looking(), asyncio.TaskGroup() as busy:
            for talker in people:
                busy.create_task(talker.talk(over))
            busy.create_task(read_on(people[0], over))
            for node in town.nodes:
                await node.drain()
                await node.start()
                await balancer.sees_ready(node.road)
            over.set()
        assert not town.front.refused, "a server had gone before the balancer knew"
        tally = await settle(people)
        assert not set(pids) & {node.server.pid for node in town.nodes}
        assert tally.is_clean, tally
        assert tally.sent > len(people)
        for talker in people:
            shown = {status.state for status in talker.statuses}
            assert shown <= HARMLESS, talker.statuses
            assert not talker.stumbles
        restarts = {status.reason for talker in people for status in talker.statuses} - {""}
        assert restarts == {"the server restarts"}
